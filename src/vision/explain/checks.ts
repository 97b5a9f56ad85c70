import { InputError } from '../../errors.js';
import { numel } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import { RandomGenerator } from '../../random.js';
import { noGrad } from '../../tensor/noGrad.js';
import { Tensor } from '../../tensor/tensor.js';

/** Makes the map of one image of a network, at the size of the image, row by row. */
export type MapMaker = (network: Layer) => Promise<Float32Array>;

/** Similarity of a map to that of the network with its last layers randomized. */
export interface RandomizedMap {
  /** Name of the last randomized layer, from the output on. */
  readonly layer: string;
  /** Spearman's rank correlation of both maps: 1 is the same order of places, 0 none in common. */
  readonly correlation: number;
}

/** Most steps of {@link cascade}: layers are randomized in as many groups. */
const mostStages = 6;

/**
 * The test of Adebayo et al. 2018 (Sanity checks for saliency maps): the weights of the layers are replaced
 * by random ones, from the output on, and the map is made again each time. A map that hardly changes does
 * not show what the network has learned.
 *
 * @param network a copy of the network, whose weights this overwrites
 * @param seed of the random weights
 */
export async function cascade(network: Layer, map: MapMaker, seed = 0): Promise<RandomizedMap[]> {
  const original = await map(network);
  const generator = new RandomGenerator(seed);
  const layers = [...network.namedSublayers()].filter(([, layer]) => layer.ownState().size > 0).reverse();
  const stages = Math.min(mostStages, layers.length);
  const results: RandomizedMap[] = [];
  let done = 0;
  for (let stage = 1; stage <= stages; stage++) {
    const until = Math.round((stage * layers.length) / stages);
    for (const [, layer] of layers.slice(done, until)) {
      for (const parameter of layer.ownState().values()) {
        if (parameter.dtype === 'float32') parameter.load(shuffled(await parameter.data('float32'), generator));
      }
    }
    done = until;
    results.push({ layer: layers[done - 1][0], correlation: rankCorrelation(original, await map(network)) });
  }
  return results;
}

/** The same values in another order, so that their mean and spread stay. */
function shuffled(values: Float32Array, generator: RandomGenerator): Float32Array {
  const order = generator.permutation(values.length);
  return Float32Array.from(order, (i) => values[i]);
}

/** The mean score of a class over the steps of removing or adding pixels, for three orders of the pixels. */
export interface PerturbationCurve {
  /** Most important places first. */
  readonly map: number;
  /** Mean over random orders. */
  readonly random: number;
  /**
   * From the centre to the border: what a map would give that knows only that pictures show things in the
   * middle.
   */
  readonly centre: number;
}

export interface Perturbations {
  /** Pixels are covered, important ones first: the lower, the better the map. */
  readonly deletion: PerturbationCurve;
  /** Pixels are uncovered, important ones first: the higher, the better the map. */
  readonly insertion: PerturbationCurve;
}

export interface PerturbationOptions {
  /** Steps of a curve (16). */
  readonly steps?: number | undefined;
  /** Random orders to compare with (5). */
  readonly orders?: number | undefined;
  /** Value of covered pixels. Default: the mean of the image. */
  readonly baseline?: number | undefined;
  readonly seed?: number | undefined;
}

/**
 * The deletion and insertion of Petsiuk, Das and Saenko 2018 (RISE): the probability of a class while the
 * pixels that a map calls important are covered, or uncovered, beside random orders and the order from the
 * centre on.
 *
 * @param image `[1, C, H, W]`, as the network takes it
 * @param map of the image's size
 * @param probability of the explained class for each image of a batch
 */
export async function perturb(
  image: Tensor,
  map: Float32Array,
  probability: (images: Tensor) => Tensor,
  options: PerturbationOptions = {},
): Promise<Perturbations> {
  const { steps = 16, orders = 5, seed = 0 } = options;
  const [, channels, height, width] = image.shape;
  const places = height * width;
  if (image.shape.length !== 4 || map.length !== places) {
    throw new InputError(
      `[explain] map: expected ${places} values for an image of ${height}×${width}, got ${map.length}`,
    );
  }
  const pixels = await image.data('float32');
  const baseline = options.baseline ?? pixels.reduce((sum, value) => sum + value, 0) / numel(image.shape);
  const generator = new RandomGenerator(seed);
  const area = async (order: ArrayLike<number>, kind: 'deletion' | 'insertion') => {
    const images = new Float32Array((steps + 1) * pixels.length);
    for (let step = 0; step <= steps; step++) {
      const shown = images.subarray(step * pixels.length, (step + 1) * pixels.length);
      if (kind === 'deletion') shown.set(pixels);
      else shown.fill(baseline);
      const changed = Math.round((step * places) / steps);
      for (let i = 0; i < changed; i++) {
        for (let c = 0; c < channels; c++) {
          const at = c * places + order[i];
          shown[at] = kind === 'deletion' ? baseline : pixels[at];
        }
      }
    }
    const batch = Tensor.fromData(images, [steps + 1, channels, height, width]);
    return trapezoid(await noGrad(() => probability(batch)).data('float32'));
  };
  const byMap = orderOf(map);
  const fromCentre = orderOf(
    Float32Array.from({ length: places }, (_, i) => {
      const [y, x] = [Math.floor(i / width) - (height - 1) / 2, (i % width) - (width - 1) / 2];
      return -(y * y + x * x);
    }),
  );
  const random = Array.from({ length: orders }, () => generator.permutation(places));
  const curve = async (kind: 'deletion' | 'insertion'): Promise<PerturbationCurve> => {
    let sum = 0;
    for (const order of random) sum += await area(order, kind);
    return { map: await area(byMap, kind), random: sum / orders, centre: await area(fromCentre, kind) };
  };
  return { deletion: await curve('deletion'), insertion: await curve('insertion') };
}

/** The mean of a curve whose points have equal distances. */
function trapezoid(values: ArrayLike<number>): number {
  let sum = (values[0] + values[values.length - 1]) / 2;
  for (let i = 1; i < values.length - 1; i++) sum += values[i];
  return sum / (values.length - 1);
}

/** Positions by falling value; equal values keep their order. */
function orderOf(values: Float32Array): Uint32Array {
  return Uint32Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b);
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, where equal values share the mean of their ranks. It
 * is 0 where one of the arrays is constant.
 */
export function rankCorrelation(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length)
    throw new InputError(`[explain] maps: expected equal sizes, got ${a.length} and ${b.length}`);
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i] - mean, y[i] - mean];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

function ranks(values: Float32Array): Float64Array {
  const order = orderOf(values);
  const result = new Float64Array(values.length);
  for (let begin = 0; begin < order.length; ) {
    let end = begin;
    while (end < order.length && values[order[end]] === values[order[begin]]) end++;
    for (let i = begin; i < end; i++) result[order[i]] = (begin + end - 1) / 2;
    begin = end;
  }
  return result;
}
