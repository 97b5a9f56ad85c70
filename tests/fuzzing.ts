import { rmSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The size of a fuzzed property, in the form that fast-check and vitest take. */
export interface Fuzzing {
  readonly name: string;
  /** Cases to run. */
  readonly numRuns: number;
  readonly seed: number;
  /** Milliseconds that vitest waits: ample, since a loaded machine must not fail a test. */
  readonly timeout: number;
}

function wholeNumber(variable: string): number | null {
  const text = process.env[variable];
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${variable}: expected a whole number, got ${text}`);
  return value;
}

/**
 * The number of cases and the seed of a fuzzer. `npm test` runs `usual` cases of a fixed seed. `FOVEA_FUZZ=N` asks for N
 * cases in the place of `usual` and chooses a seed, unless `FOVEA_FUZZ_SEED` gives one; both are printed.
 *
 * @param share of the N cases of a long run, for fuzzers whose case takes long: 0.01 runs 1 where others run 100
 */
export function fuzzing(name: string, usual: number, { seed = 1, share = 1 } = {}): Fuzzing {
  const asked = wholeNumber('FOVEA_FUZZ');
  const numRuns = asked === null ? usual : Math.max(1, Math.ceil(asked * share));
  const drawn = asked === null ? seed : Math.floor(Math.random() * 2 ** 31);
  const chosen = wholeNumber('FOVEA_FUZZ_SEED') ?? drawn;
  if (asked !== null) {
    process.stderr.write(`fuzz: ${name}, ${numRuns} cases, FOVEA_FUZZ_SEED=${chosen}\n`);
  }
  return { name, numRuns, seed: chosen, timeout: 120_000 + 2_000 * numRuns };
}

/** Milliseconds between lines of progress. */
const lineMs = 60_000;

/**
 * Runs each case of a fuzzer with a turn of the event loop before it, so that finalizers run and vitest is answered. A
 * long run prints its progress. `FOVEA_FUZZ_LAST` names a file for the case that runs, for a process that ends in it.
 */
export function turns<T>({ name, numRuns }: Fuzzing, check: (value: T) => Promise<void>): (value: T) => Promise<void> {
  const lastCase = process.env.FOVEA_FUZZ_LAST;
  const isLong = wholeNumber('FOVEA_FUZZ') !== null;
  const began = Date.now();
  let printed = began;
  let done = 0;
  return async (value) => {
    await nextTurn();
    const now = Date.now();
    if (isLong && now - printed > lineMs) {
      process.stderr.write(`fuzz: ${name}, ${done} of ${numRuns} cases in ${Math.round((now - began) / 1000)} s\n`);
      printed = now;
    }
    if (lastCase !== undefined) writeFileSync(lastCase, `case ${done + 1} of ${name}: ${JSON.stringify(value)}\n`);
    try {
      await check(value);
    } finally {
      if (lastCase !== undefined) rmSync(lastCase, { force: true });
    }
    done++;
  };
}
