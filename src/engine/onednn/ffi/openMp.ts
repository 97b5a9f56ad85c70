import { system } from './system.js';

/**
 * Loads the OpenMP runtime. Its threads wait actively for some 0.2 ms and then sleep. By default they spin
 * for longer than a time slice: then a kernel of microseconds takes milliseconds as soon as another process
 * needs a core. The user's own settings stay.
 */
export function shortenSpinning<T>(loadRuntime: () => T): T {
  const { env } = process;
  if (env.GOMP_SPINCOUNT !== undefined || env.OMP_WAIT_POLICY !== undefined) return loadRuntime();
  env.GOMP_SPINCOUNT = '10000';
  try {
    return loadRuntime();
  } finally {
    // The runtime has read it now. Processes that are started later need not inherit it.
    delete env.GOMP_SPINCOUNT;
  }
}

/** `null` for a build on another runtime, whose number of threads cannot be set. */
export function loadThreadControl(): ((count: number) => void) | null {
  return system().openMp()?.func('omp_set_num_threads', 'void', ['int']) ?? null;
}
