import { gradientsOf } from '../autograd.js';
import { instanceOf, listOf, requireValue } from '../check.js';
import { InputError } from '../errors.js';
import { formatShape } from '../graph/shape.js';
import * as ops from '../ops/index.js';
import { requireTensor, Tensor } from './tensor.js';

/**
 * The gradients of an output with respect to any tensors that it was computed from: images, features between
 * two layers, parameters. They are lazy like all tensors, and `parameter.grad` stays as it is. An output
 * with several elements counts as their sum, as in Paddle's `grad`. The output can be differentiated again.
 *
 * A plain tensor takes part if it comes from {@link Tensor.withGrad}.
 *
 * @returns a gradient for each tensor, of its shape; zeros where the output does not depend on it
 * @throws {InputError} if the output or a tensor has no gradient, or `backward()` has released the graph
 *
 * @example
 * ```ts
 * import { grad, tensor } from 'fovea';
 *
 * const x = tensor([1, 2, 3]).withGrad();
 * const [dx] = grad(x.square().sum(), [x]);
 * console.log(await dx.data()); // 2, 4, 6
 * ```
 */
export function grad(output: Tensor, tensors: readonly Tensor[]): Tensor[] {
  requireTensor('grad', output, 'output');
  requireValue('grad', 'tensors', tensors, listOf(instanceOf(Tensor)));
  if (!output.requiresGrad) {
    throw new InputError(
      '[grad] output: expected one that depends on parameters or on a tensor of withGrad(), got one without gradient',
    );
  }
  tensors.forEach((tensor, i) => {
    if (tensor.requiresGrad) return;
    throw new InputError(
      `[grad] tensors[${i}]: expected a tensor that takes part in gradients, got one of shape ` +
        `${formatShape(tensor.shape)} that does not; compute with tensor.withGrad()`,
    );
  });
  const values = tensors.map(({ value }) => value);
  return gradientsOf(output.value, values).map(
    (gradient, i) => new Tensor(gradient ?? ops.constant(values[i].shape, 'float32', 0)),
  );
}
