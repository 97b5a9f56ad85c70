import { InputError } from './errors.js';

/**
 * Throws if the result of a function that has to end at once is a promise.
 *
 * @param where the function that was called, for the message
 * @param right code that does what was meant
 */
export function refusePromise(where: string, result: unknown, right: string): void {
  if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') return;
  // Its failure would count as unhandled beside the error that is thrown here.
  (result as PromiseLike<unknown>).then(undefined, () => {});
  throw new InputError(
    `[${where}] body: expected a function without await, got a promise: it would end at the first await.\n` +
      `  Wrong: await ${where}(async () => { … await y.data(); });\n  Right: ${right}`,
  );
}
