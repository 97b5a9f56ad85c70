import { MemoryError } from '../errors.js';
import { formatBytes, memoryBudget } from '../memory.js';

/** Bytes that a program takes while it runs. */
export interface ProgramMemory {
  /** Intermediate values and scratchpads. */
  readonly working: number;
  /** Parameters, buffers and optimizer states. */
  readonly resident: number;
}

/** Memory that a program needs, and the memory there is for it. */
export interface MemoryNeed extends ProgramMemory {
  readonly budget: number;
}

/**
 * @param held bytes of `memory` that this process has taken already
 * @returns what there is for the program: `FOVEA_MEMORY_LIMIT`, or what is free and what it holds already
 */
export function needOf(memory: ProgramMemory, held: number): MemoryNeed {
  return { ...memory, budget: memoryBudget(held) };
}

/** @throws {MemoryError} if it is too much */
export function requireMemory({ working, resident, budget }: MemoryNeed): void {
  if (working + resident <= budget) return;
  throw new MemoryError(
    `[memory] program: expected to need at most ${formatBytes(budget)}, got ${formatBytes(working + resident)} ` +
      `(${formatBytes(working)} at work, ${formatBytes(resident)} of parameters and states); take a smaller batch`,
  );
}
