import { MemoryError } from '../errors.js';
import { formatBytes, memoryBudget } from '../memory.js';

/** Bytes that a program takes while it runs. */
export interface ProgramMemory {
  /** Intermediate values and scratchpads. */
  readonly working: number;
  /** Parameters, buffers and optimizer states. */
  readonly resident: number;
}

/** The memory of an engine that cannot address all of the machine's. */
export interface AddressableMemory {
  /** Bytes in all, and those that are taken. */
  readonly bytes: number;
  readonly used: number;
  /** For messages: `WebAssembly addresses no more`. */
  readonly reason: string;
}

/** Memory that a program needs, and the memory there is for it. */
export interface MemoryNeed extends ProgramMemory {
  readonly budget: number;
  /** Why the budget is smaller than the machine's memory. */
  readonly reason?: string | undefined;
}

/**
 * @param held bytes of `memory` that this process has taken already
 * @param addressable memory of the engine, if that is a limit too
 * @returns what there is for the program: `FOVEA_MEMORY_LIMIT`, or what is free and what it holds already
 */
export function needOf(memory: ProgramMemory, held: number, addressable?: AddressableMemory): MemoryNeed {
  const budget = memoryBudget(held);
  if (addressable === undefined) return { ...memory, budget };
  const room = addressable.bytes - Math.max(0, addressable.used - held);
  return room < budget ? { ...memory, budget: room, reason: addressable.reason } : { ...memory, budget };
}

/** The budget as text. */
export function formatBudget({ budget, reason }: Pick<MemoryNeed, 'budget' | 'reason'>): string {
  return `${formatBytes(budget)}${reason === undefined ? '' : ` (${reason})`}`;
}

/** @throws {MemoryError} if it is too much */
export function requireMemory({ working, resident, ...limits }: MemoryNeed): void {
  if (working + resident <= limits.budget) return;
  throw new MemoryError(
    `[memory] program: expected to need at most ${formatBudget(limits)}, got ${formatBytes(working + resident)} ` +
      `(${formatBytes(working)} at work, ${formatBytes(resident)} of parameters and states); take a smaller batch`,
  );
}
