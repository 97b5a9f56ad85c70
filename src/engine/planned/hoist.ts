import { InternalError } from '../../errors.js';
import { type LoweredGraph, type Operand, type ProgramBuffer, type Step, wholeOf } from './steps.js';

/** The steps of a program, with those first that need not run every time. */
export interface Hoisted<L, C> {
  /** All steps in an order in which they can run. */
  readonly steps: readonly Step<L, C>[];
  /** Number of steps at the beginning that run again only when a source was overwritten from outside. */
  readonly count: number;
  /** Their results that the other steps read; kept between runs. */
  readonly results: ReadonlySet<ProgramBuffer>;
  /** Sources that no other step reads. */
  readonly sources: ReadonlySet<number>;
}

/**
 * Moves the steps that compute constants to the front. In a program that only predicts these are all changes
 * of the weights: folding of batch norms, other layouts, shorter types.
 */
export function hoist<L, C>({ steps, outputs, slices }: LoweredGraph<L, C>): Hoisted<L, C> {
  const hoisted = steps.filter(({ isConstant }) => isConstant);
  const recurring = steps.filter(({ isConstant }) => !isConstant);
  const wholes = (operands: readonly Operand<L>[]) => operands.map(({ buffer }) => wholeOf(buffer, slices)[0]);
  const rewritten = new Set(recurring.flatMap(({ writes }) => wholes(writes)));
  if (hoisted.some(({ writes }) => wholes(writes).some((buffer) => rewritten.has(buffer)))) {
    throw new InternalError('a step that runs every time overwrites a constant');
  }
  const read = new Set(
    [...recurring.flatMap(({ reads, writes }) => [...reads, ...writes]), ...outputs].map(({ buffer }) => buffer),
  );
  const buffersOf = (role: 'reads' | 'writes') => hoisted.flatMap((step) => step[role].map(({ buffer }) => buffer));
  return {
    steps: [...hoisted, ...recurring],
    count: hoisted.length,
    results: new Set(buffersOf('writes').filter((buffer) => read.has(buffer))),
    sources: new Set(
      buffersOf('reads').flatMap((buffer) => (buffer.kind === 'resident' && !read.has(buffer) ? [buffer.source] : [])),
    ),
  };
}
