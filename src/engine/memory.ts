import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { memoryLimit } from '../env.js';
import { MemoryError } from '../errors.js';

/** Bytes that a program takes while it runs. */
export interface ProgramMemory {
  /** Intermediate values and scratchpads. */
  readonly working: number;
  /** Parameters, buffers and optimizer states. */
  readonly resident: number;
}

/** What a program takes, and what there is for it. */
export interface MemoryNeed extends ProgramMemory {
  readonly budget: number;
}

/**
 * @param held bytes of `memory` that this process has taken already
 * @returns what there is for the program: `FOVEA_MEMORY_LIMIT`, or what is free and what it holds already
 */
export function needOf(memory: ProgramMemory, held: number): MemoryNeed {
  return { ...memory, budget: memoryLimit() ?? availableMemory() + held };
}

/** @throws {MemoryError} if it is too much */
export function requireMemory({ working, resident, budget }: MemoryNeed): void {
  if (working + resident <= budget) return;
  throw new MemoryError(
    `[memory] program: expected to need at most ${formatBytes(budget)}, got ${formatBytes(working + resident)} ` +
      `(${formatBytes(working)} at work, ${formatBytes(resident)} of parameters and states); take a smaller batch`,
  );
}

/** `118 MiB`, `7.8 GiB`. */
export function formatBytes(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  if (gibibytes >= 100) return `${Math.round(gibibytes)} GiB`;
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/**
 * Bytes that can be taken without swapping: what the system says, and in a container what its limit leaves. File
 * caches count as free, since they give way. Where the system does not say (outside of Linux), all of its memory.
 */
export function availableMemory(): number {
  const system = /^MemAvailable:\s+(\d+) kB$/m.exec(textOf('/proc/meminfo'))?.[1];
  const available = system === undefined ? totalmem() : 1024 * Number(system);
  return Math.min(available, ...controlGroups().map(roomIn));
}

/** Folders of the control groups that this process is in, from the innermost to the root. */
function controlGroups(): string[] {
  const folders: string[] = [];
  for (const line of textOf('/proc/self/cgroup').split('\n')) {
    const [, controllers, path = '/'] = line.split(':');
    if (controllers !== '' && !controllers?.split(',').includes('memory')) continue;
    const root = controllers === '' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
    // Inside a container the paths may be those outside of it, and the root is its own group.
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = parts.length; depth >= 0; depth--) folders.push([root, ...parts.slice(0, depth)].join('/'));
  }
  return folders;
}

/** Infinite without a limit. */
function roomIn(folder: string): number {
  const numberIn = (file: string) => Number.parseInt(textOf(`${folder}/${file}`), 10);
  const [limit, used] = [
    ['memory.max', 'memory.current'],
    ['memory.limit_in_bytes', 'memory.usage_in_bytes'],
  ]
    .map((files) => files.map(numberIn))
    .find(([most]) => most >= 0) ?? [Number.POSITIVE_INFINITY, 0];
  const statistics = textOf(`${folder}/memory.stat`);
  const caches = [...statistics.matchAll(/^(?:in)?active_file (\d+)$/gm)];
  return Math.max(0, limit - used + caches.reduce((sum, [, bytes]) => sum + Number(bytes), 0));
}

/** Empty if the file is not there. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
