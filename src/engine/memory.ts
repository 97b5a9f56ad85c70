import { totalmem } from 'node:os';
import { memoryLimit } from '../env.js';
import { MemoryError } from '../errors.js';
import { controlGroups, textOf } from './controlGroups.js';

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
  return Math.min(available, ...controlGroups('memory').map(roomIn));
}

/** Bytes of memory of this machine, or of the container. */
export function totalMemory(): number {
  const limits = controlGroups('memory').flatMap((folder) =>
    ['memory.max', 'memory.limit_in_bytes'].map((file) => Number.parseInt(textOf(`${folder}/${file}`), 10)),
  );
  return Math.min(memoryLimit() ?? totalmem(), totalmem(), ...limits.filter((limit) => limit > 0));
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
