import { InputError } from '../errors.js';

/** Networks, optimizers and other objects that a training is changing. */
const claimed = new WeakSet<object>();

/** An object that only one training at a time may change. */
export interface Claim {
  readonly name: string;
  readonly object: object;
  /** Advice for the error (to make another). */
  readonly todo?: string;
}

/**
 * Prevents other trainings in this process from changing the same objects.
 *
 * @returns a function that releases them
 * @throws {InputError} if another training is changing one of them
 */
export function claim(objects: readonly Claim[]): () => void {
  const taken = objects.find(({ object }) => claimed.has(object));
  if (taken !== undefined) {
    throw new InputError(
      `[train] ${taken.name}: expected it to be in one training at a time, got it in two; wait for the first one, or ` +
        (taken.todo ?? 'make another'),
    );
  }
  for (const { object } of objects) claimed.add(object);
  return () => {
    for (const { object } of objects) claimed.delete(object);
  };
}
