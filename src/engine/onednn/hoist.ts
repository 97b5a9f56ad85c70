import { type Buffer, type LoweredGraph, type Placed, type Step, wholeOf } from './steps.js';

/** A program's steps, those first that need not run every time. */
export interface Hoisted {
  /** All steps in an order in which they can run. */
  readonly steps: readonly Step[];
  /** So many of them read only what stays the same from run to run. */
  readonly once: number;
  /** What those leave behind for the others. */
  readonly kept: ReadonlySet<Buffer>;
  /** Sources that no other step reads. */
  readonly sources: ReadonlySet<number>;
}

/**
 * Finds the steps that give the same in every run until a parameter is overwritten from outside: those that read only
 * constants, sources that the program does not overwrite, and one another's results. In a program that only predicts
 * these are all changes of the weights: folding of batch norms, other layouts, shorter types.
 */
export function hoist({ steps, sources, outputs, parts }: LoweredGraph): Hoisted {
  const fixed = new Set(sources.flatMap(({ placed, assigned }) => (placed && !assigned ? [placed.buffer] : [])));
  const isFixed = (buffer: Buffer) => buffer.kind === 'constant' || (buffer.kind === 'resident' && fixed.has(buffer));
  // Who writes a part writes the whole, and who reads a part reads what is written to the whole.
  const whole = ({ buffer }: Placed) => wholeOf(buffer, parts)[0];
  const writers = new Map<Buffer, Step[]>();
  for (const step of steps) {
    for (const placed of step.writes) {
      const buffer = whole(placed);
      const list = writers.get(buffer);
      if (list === undefined) writers.set(buffer, [step]);
      else list.push(step);
    }
  }
  const places = new Map(steps.map((step, i) => [step, i]));
  const placeOf = (step: Step) => places.get(step) as number;
  const lastWrites = new Map([...writers].map(([buffer, list]) => [buffer, Math.max(...list.map(placeOf))]));
  const once = new Set(steps.filter(({ writes }) => writes.length > 0));
  const isSame = (placed: Placed) =>
    isFixed(placed.buffer) || writers.get(whole(placed))?.every((step) => once.has(step)) === true;
  for (let before = -1; before !== once.size; ) {
    before = once.size;
    for (const step of once) {
      const own = step.writes.every((placed) => placed.buffer.kind === 'arena' && isSame(placed));
      if (!own || !step.reads.every(isSame)) once.delete(step);
    }
    // Who runs every time must not miss what a later step writes over.
    for (const step of steps) {
      if (once.has(step)) continue;
      for (const placed of step.reads) {
        const buffer = whole(placed);
        if ((lastWrites.get(buffer) ?? -1) > placeOf(step))
          for (const writer of writers.get(buffer) ?? []) once.delete(writer);
      }
    }
  }
  const rest = steps.filter((step) => !once.has(step));
  const read = new Set(
    [...rest.flatMap(({ reads, writes }) => [...reads, ...writes]), ...outputs].map((p) => p.buffer),
  );
  const made = [...once].flatMap(({ writes }) => writes.map(({ buffer }) => buffer));
  const only = [...once]
    .flatMap(({ reads }) => reads.map(({ buffer }) => buffer))
    .filter((buffer) => !read.has(buffer));
  return {
    steps: [...once, ...rest],
    once: once.size,
    kept: new Set(made.filter((buffer) => read.has(buffer))),
    sources: new Set(only.filter(({ kind }) => kind === 'resident').map(({ source }) => source)),
  };
}
