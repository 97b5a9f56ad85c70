import { leastArena } from './arena.js';
import { alignment, planArena } from './arenaPlan.js';
import type { Hoisted } from './hoist.js';
import { type LoweredGraph, type Operand, type ProgramBuffer, wholeOf } from './steps.js';

/** Places of all buffers of a program. */
export interface Offsets {
  /** By `id` of the buffer: in the arena, among the constants, or among the results that are kept. */
  readonly offsets: readonly number[];
  readonly arenaBytes: number;
  readonly constantBytes: number;
  readonly keptBytes: number;
}

/**
 * Plans the memory of a program: intermediates share the arena, constants and kept results follow one after
 * another in blocks of their own.
 */
export function planOffsets<L, C>(
  { buffers, slices, outputs }: LoweredGraph<L, C>,
  { steps, results }: Hoisted<L, C>,
): Offsets {
  const first = new Map<ProgramBuffer, number>();
  const last = new Map<ProgramBuffer, number>();
  const touch = (operand: Operand<L>, step: number) => {
    const [buffer] = wholeOf(operand.buffer, slices);
    if (!first.has(buffer)) first.set(buffer, buffer.kind === 'input' ? -1 : step);
    last.set(buffer, step);
  };
  steps.forEach((step, i) => {
    for (const operand of step.reads) touch(operand, i);
    for (const operand of step.writes) touch(operand, i);
  });
  for (const output of outputs) touch(output, steps.length);
  const isInArena = (buffer: ProgramBuffer) =>
    buffer.kind === 'input' || (buffer.kind === 'arena' && !results.has(buffer) && !slices.has(buffer));
  const inArena = buffers.filter(isInArena);
  const plan = planArena(
    inArena.map((buffer) => ({
      bytes: buffer.bytes,
      first: first.get(buffer) ?? -1,
      last: last.get(buffer) ?? -1,
    })),
  );
  const offsets = new Array<number>(buffers.length).fill(0);
  inArena.forEach((buffer, i) => {
    offsets[buffer.id] = plan.offsets[i];
  });
  for (const buffer of slices.keys()) {
    const [{ id }, offset] = wholeOf(buffer, slices);
    offsets[buffer.id] = offsets[id] + offset;
  }
  const stack = (stays: readonly ProgramBuffer[]): number => {
    let place = 0;
    for (const { id, bytes } of stays) {
      offsets[id] = place;
      place += Math.ceil(bytes / alignment) * alignment;
    }
    return place;
  };
  const constantBytes = stack(buffers.filter(({ kind }) => kind === 'constant'));
  return { offsets, arenaBytes: Math.max(leastArena, plan.bytes), constantBytes, keptBytes: stack([...results]) };
}
