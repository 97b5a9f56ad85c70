import * as check from '../check.js';
import { ShapeError } from '../errors.js';
import { formatShape, type Shape, sameShape } from '../graph/shape.js';
import { requireTensor, Tensor } from './tensor.js';

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Factors of the normalized values, of the normalized shape. Default: 1. */
  readonly weight?: Tensor | null | undefined;
  /** Added after that. Default: 0. */
  readonly bias?: Tensor | null | undefined;
  /** Added to the variance. Default: 1e-5. */
  readonly epsilon?: number | undefined;
}

/**
 * Layer normalization (Ba et al., 2016) over the last axes of each sample: (x − mean)/√(variance +
 * epsilon)·weight + bias, with the biased variance.
 *
 * @param normalizedShape sizes of the last axes
 * @throws {ShapeError} if x does not end with them
 */
export function layerNorm(x: Tensor, normalizedShape: Shape, options: LayerNormOptions = {}): Tensor {
  requireTensor('layerNorm', x);
  check.requireValue('layerNorm', 'normalizedShape', normalizedShape, sizes);
  const { weight = null, bias = null, epsilon = 1e-5 } = check.requireOptions('layerNorm', options, checks);
  const { shape } = x;
  const first = shape.length - normalizedShape.length;
  if (first < 0 || !sameShape(shape.slice(first), normalizedShape)) {
    throw new ShapeError(
      `[layerNorm] input: expected a shape that ends with ${formatShape(normalizedShape)}, got ${formatShape(shape)}`,
    );
  }
  for (const [name, tensor] of Object.entries({ weight, bias })) {
    if (tensor === null) continue;
    if (sameShape(tensor.shape, normalizedShape)) continue;
    throw new ShapeError(
      `[layerNorm] ${name}: expected ${formatShape(normalizedShape)}, got ${formatShape(tensor.shape)}`,
    );
  }
  const axes = normalizedShape.map((_, i) => first + i);
  return scaled(normalized(x, axes, epsilon), weight, bias);
}

const sizes = check.listOf(check.integer(1), { least: 1 });
const someTensor = check.orNull(check.instanceOf(Tensor));
const checks: check.OptionChecks<LayerNormOptions> = { weight: someTensor, bias: someTensor, epsilon: check.positive };

/** Subtracts the mean over some axes, and divides by the standard deviation. */
export function normalized(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const centered = x.sub(x.mean({ axis: axes, keepdim: true }));
  const variance = centered.square().mean({ axis: axes, keepdim: true });
  return centered.div(variance.add(epsilon).sqrt());
}

/** Multiplies by factors and adds others, if there are any. */
export function scaled(x: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  const factored = weight === null ? x : x.mul(weight);
  return bias === null ? factored : factored.add(bias);
}
