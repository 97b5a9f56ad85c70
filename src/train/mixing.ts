import { defaultGenerator, type RandomGenerator } from '../random.js';
import { concat } from '../tensor/combine.js';
import { Tensor } from '../tensor/tensor.js';
import type { Objective } from './objective.js';

/** How pairs of images of a batch are mixed. */
export interface MixingOptions {
  /** Mixup (Zhang et al., 2018): both parameters of the beta distribution of the shares. */
  readonly mixup?: number | undefined;
  /**
   * CutMix (Yun et al., 2019): the same. With both, each batch gets one of the two with equal probability.
   */
  readonly cutmix?: number | undefined;
}

/** Images mixed with their predecessors in the batch. */
interface Mixed {
  readonly images: Tensor;
  /** Share of the own image. */
  readonly share: Tensor;
}

/**
 * The objective of mixed images: the losses with the classes of both, weighted by their shares. The outputs
 * are those of the mixed images.
 *
 * @param images `[N, C, H, W]`; each is mixed with the one before it in the batch
 * @param lossesOf gives the outputs of images, and the mean loss of outputs with classes
 */
export function mixedObjective(
  options: MixingOptions,
  images: Tensor,
  labels: Tensor,
  lossesOf: { forward(images: Tensor): Tensor; loss(outputs: Tensor, labels: Tensor): Tensor },
): Objective {
  if (images.shape[0] < 2) {
    const outputs = lossesOf.forward(images);
    return { loss: lossesOf.loss(outputs, labels), outputs };
  }
  const mixed = mix(options, images);
  const outputs = lossesOf.forward(mixed.images);
  const [own, other] = [lossesOf.loss(outputs, labels), lossesOf.loss(outputs, rolled(labels))];
  return { loss: other.add(own.sub(other).mul(mixed.share)), outputs };
}

function mix({ mixup, cutmix }: MixingOptions, images: Tensor): Mixed {
  const generator = defaultGenerator();
  const cuts = cutmix !== undefined && (mixup === undefined || generator.uniform() < 0.5);
  const alpha = (cuts ? cutmix : mixup) as number;
  const sampled = beta(generator, alpha);
  // With Mixup the own image has the larger share, so that the accuracy counts the right class.
  const share = cuts ? sampled : Math.max(sampled, 1 - sampled);
  const [, , height, width] = images.shape;
  const mask = new Float32Array(height * width).fill(cuts ? 1 : share);
  const kept = cuts ? cut(mask, height, width, share, generator) : share;
  const own = Tensor.fromData(mask, [1, 1, height, width]);
  const other = rolled(images);
  return { images: other.add(images.sub(other).mul(own)), share: Tensor.fromData(Float32Array.of(kept), []) };
}

/** Sets a rectangle of the mask to 0; returns the share that is left. */
function cut(mask: Float32Array, height: number, width: number, share: number, generator: RandomGenerator): number {
  const edge = Math.sqrt(1 - share);
  const [row, column] = [generator.int(height), generator.int(width)];
  const range = (middle: number, length: number) => {
    const half = Math.trunc(length * edge) >> 1;
    return [Math.max(0, middle - half), Math.min(length, middle + half)] as const;
  };
  const [top, bottom] = range(row, height);
  const [left, right] = range(column, width);
  for (let y = top; y < bottom; y++) mask.fill(0, y * width + left, y * width + right);
  return 1 - ((bottom - top) * (right - left)) / (height * width);
}

/** The batch with its last sample first. */
function rolled(batch: Tensor): Tensor {
  const [n, ...rest] = batch.shape;
  const zeros = rest.map(() => 0);
  return concat([batch.slice([n - 1, ...zeros], [n, ...rest]), batch.slice([0, ...zeros], [n - 1, ...rest])]);
}

/** A number of the beta distribution with both parameters `alpha`. */
export function beta(generator: RandomGenerator, alpha: number): number {
  const [x, y] = [logGamma(generator, alpha), logGamma(generator, alpha)];
  return 1 / (1 + Math.exp(y - x));
}

/**
 * Logarithm of a number of the gamma distribution with scale 1 (Marsaglia & Tsang, 2000). The logarithm
 * stays finite for small shapes.
 */
function logGamma(generator: RandomGenerator, shape: number): number {
  if (shape < 1) return logGamma(generator, shape + 1) + Math.log(1 - generator.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = generator.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - generator.uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
