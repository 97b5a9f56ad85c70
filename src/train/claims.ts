import { InputError } from '../errors.js';

/** Networks, optimizers and so on that a training changes. */
const claimed = new WeakSet<object>();

/** Keeps other trainings in this process from changing the same objects. Returns what ends that. */
export function claim(objects: readonly { readonly name: string; readonly object: object }[]): () => void {
  const taken = objects.find(({ object }) => claimed.has(object));
  if (taken !== undefined) {
    throw new InputError(
      `[train] ${taken.name}: expected it to be in one training at a time, got it in two; wait for the first one, or ` +
        'make another',
    );
  }
  for (const { object } of objects) claimed.add(object);
  return () => {
    for (const { object } of objects) claimed.delete(object);
  };
}
