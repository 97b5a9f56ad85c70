import { availableMemory, totalMemory } from '#platform';
import { memoryLimit } from './env.js';
import { MemoryError } from './errors.js';

/** `118 MiB`, `7.8 GiB`. */
export function formatBytes(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  if (gibibytes >= 100) return `${Math.round(gibibytes)} GiB`;
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** {@link requireRoom} admits arrays of fewer bytes without a look at the machine. */
const small = 2 ** 28;

/**
 * Refuses an array for which there is no memory before it is allocated, since users may ask for absurd sizes.
 *
 * @param what names the array, for the message
 * @throws {MemoryError} with the bytes that it would need and those that are available
 */
export function requireRoom(bytes: number, what: () => string): void {
  if (bytes < small) return;
  const room = memoryBudget();
  if (bytes <= room) return;
  throw new MemoryError(
    `[memory] ${what()}: expected to need at most ${formatBytes(room)}, got ${formatBytes(bytes)}; choose smaller sizes`,
  );
}

/**
 * Bytes that new arrays may take: `FOVEA_MEMORY_LIMIT`, else the available memory.
 *
 * @param held bytes that the process can use again, in addition to the available memory
 */
export function memoryBudget(held = 0): number {
  return memoryLimit() ?? availableMemory() + held;
}

/** Bytes of memory of this machine or of the container, at most `FOVEA_MEMORY_LIMIT`. */
export function machineMemory(): number {
  return Math.min(memoryLimit() ?? Number.POSITIVE_INFINITY, totalMemory());
}
