import { totalmem } from 'node:os';
import { controlGroups, textOf } from './controlGroups.js';

/**
 * Bytes that can be allocated without swapping: free memory of the system, and in a container at most the
 * rest of its limit. File caches count as free, because the system drops them on demand. Outside of Linux,
 * all of the memory.
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
  return Math.min(totalmem(), ...limits.filter((limit) => limit > 0));
}

/** Bytes that a control group may still allocate. Infinite without a limit. */
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
