import { totalmem } from 'node:os';
import { controlGroups, textOf } from './controlGroups.js';
import { memoryLimit } from './env.js';
import { MemoryError } from './errors.js';

/** `118 MiB`, `7.8 GiB`. */
export function formatBytes(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  if (gibibytes >= 100) return `${Math.round(gibibytes)} GiB`;
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** Arrays below this many bytes are made without asking what there is. */
const small = 2 ** 28;

/**
 * Refuses an array for which there is no memory, before anything of it is allocated: sizes that a user gave may be
 * beyond sense.
 *
 * @param what names the array, for the message
 * @throws {MemoryError} with what it would need and what there is
 */
export function requireRoom(bytes: number, what: () => string): void {
  if (bytes < small) return;
  const room = memoryLimit() ?? availableMemory();
  if (bytes <= room) return;
  throw new MemoryError(
    `[memory] ${what()}: expected to need at most ${formatBytes(room)}, got ${formatBytes(bytes)}; choose smaller sizes`,
  );
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
