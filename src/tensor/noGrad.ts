import { type Check, callable, requireValue } from '../check.js';
import { refusePromise } from '../errors.js';
import { withoutGrad } from '../ops/index.js';

/**
 * Runs `body` without recording for `backward()`: for evaluation, where it saves memory.
 *
 * @throws {InputError} for a body that awaits. The recording is switched off for the whole process, so it is
 *   on again at the first `await`. Build the tensors inside, read them outside.
 *
 * @example
 * ```ts
 * import { nn, noGrad, randn } from 'fovea';
 *
 * const net = new nn.Linear(3, 2).eval();
 * const y = noGrad(() => net.forward(randn([4, 3])));
 * console.log(await y.data());
 * ```
 */
export function noGrad<T>(body: () => T): T {
  const result = withoutGrad(requireValue('noGrad', 'body', body, callable as Check<() => T>));
  refusePromise('noGrad', result, 'const y = noGrad(() => net.forward(x)); await y.data();');
  return result;
}
