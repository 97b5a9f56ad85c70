import { InputError, ShapeError } from '../../errors.js';
import { formatShape, sameShape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import { grad } from '../../tensor/grad.js';
import { Tensor } from '../../tensor/tensor.js';
import { gaussLegendre } from './quadrature.js';
import { type ExplainedClass, scoreOf } from './score.js';

export interface IntegratedGradientsOptions extends ExplainedClass {
  /** Images of the same shape as the explained ones, or one number for all pixels. Default 0. */
  readonly baseline?: Tensor | number | undefined;
  /** Points between baseline and image (50). */
  readonly steps?: number | undefined;
}

/** The attributions of integrated gradients. */
export interface IntegratedGradients {
  /** As the images: `[N, C, H, W]`. Each value is the part of its pixel in the change of the score. */
  readonly values: Float32Array;
  readonly shape: readonly number[];
  /**
   * By how much the sum of an image's attributions misses the change of its score from baseline to image.
   * The more steps, the smaller it is.
   */
  readonly delta: Float32Array;
}

/**
 * Integrated gradients (Sundararajan, Taly and Yan 2017, equation 1): the gradient of the score, averaged on
 * the way from a baseline to the image (Gauss-Legendre quadrature), times their difference. The attributions
 * of an image sum up to the change of its score.
 *
 * @param network in evaluation mode
 * @param images `[N, C, H, W]`, as the network takes them
 * @throws {InputError} for a class that there is not, or steps that are no positive integer
 */
export async function integratedGradients(
  network: Layer,
  images: Tensor,
  options: IntegratedGradientsOptions,
): Promise<IntegratedGradients> {
  const { baseline = 0, steps = 50 } = options;
  if (!(Number.isInteger(steps) && steps > 0 && steps <= 10_000)) {
    throw new InputError(`[explain] steps: expected an integer from 1 to 10000, got ${steps}`);
  }
  if (baseline instanceof Tensor && !sameShape(baseline.shape, images.shape)) {
    throw new ShapeError(
      `[explain] baseline: expected the shape of the images, ${formatShape(images.shape)}, got ${formatShape(baseline.shape)}`,
    );
  }
  const to = await images.data('float32');
  const from = baseline instanceof Tensor ? await baseline.data('float32') : new Float32Array(to.length).fill(baseline);
  const size = to.length / images.shape[0];
  const sums = new Float64Array(to.length);
  for (const { point, weight } of gaussLegendre(steps)) {
    const between = Float32Array.from(to, (value, i) => from[i] + point * (value - from[i]));
    const { gradient } = await scoreAndGradient(network, Tensor.fromData(between, images.shape), options);
    for (let i = 0; i < sums.length; i++) sums[i] += weight * gradient[i];
  }
  const values = Float32Array.from(sums, (sum, i) => sum * (to[i] - from[i]));
  const [atEnd, atBegin] = [
    await scoreAndGradient(network, images, options),
    await scoreAndGradient(network, Tensor.fromData(from, images.shape), options),
  ];
  const delta = atEnd.score.map((score, n) => {
    let total = 0;
    for (let i = n * size; i < (n + 1) * size; i++) total += values[i];
    return total - (score - atBegin.score[n]);
  });
  return { values, shape: images.shape, delta };
}

/** One program for all steps: its shapes are the same. */
async function scoreAndGradient(network: Layer, images: Tensor, explained: ExplainedClass) {
  const x = images.withGrad();
  const score = scoreOf(network.forward(x), explained);
  const [gradient] = grad(score, [x]);
  return { gradient: await gradient.data('float32'), score: await score.data('float32') };
}
