import * as check from '../check.js';
import { ShapeError } from '../errors.js';
import { formatShape, numel, type Shape, sameShape } from '../graph/shape.js';
import * as ops from '../ops/index.js';
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
  const size = numel(normalizedShape);
  const flat = (tensor: Tensor | null) => tensor?.reshape([size]) ?? null;
  const rows = x.reshape([...shape.slice(0, first), size]);
  return normalized(rows, first, flat(weight), flat(bias), epsilon).reshape(shape);
}

const sizes = check.listOf(check.integer(1), { least: 1 });
const someTensor = check.orNull(check.instanceOf(Tensor));
const checks: check.OptionChecks<LayerNormOptions> = { weight: someTensor, bias: someTensor, epsilon: check.positive };

/**
 * Subtracts the mean along an axis and divides by the standard deviation there; factors and summands have the
 * size of the axis.
 */
export function normalized(
  x: Tensor,
  axis: number,
  weight: Tensor | null,
  bias: Tensor | null,
  epsilon: number,
): Tensor {
  const filled = (value: number) => ops.constant([x.shape[axis]], 'float32', value);
  const [y] = ops.layerNorm({ axis, epsilon }, x.value, weight?.value ?? filled(1), bias?.value ?? filled(0));
  return new Tensor(y);
}
