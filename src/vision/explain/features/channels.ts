import type { Layer } from '../../../nn/layer.js';
import { realizeAll } from '../../../tensor/evaluate.js';
import { noGrad } from '../../../tensor/noGrad.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { chosenLayers, forwardFeatures } from './layers.js';

/** The values of the channels of a layer over all places of all images. */
export interface LayerActivity {
  /** Name of the layer, as `featureLayers` gives it. */
  readonly name: string;
  /** Least value of each channel. */
  readonly least: Float32Array;
  /** Largest value of each channel. */
  readonly most: Float32Array;
  /** Mean value of each channel. */
  readonly mean: Float64Array;
  /**
   * Numbers of the channels that give the same value for every image, at all places: they take part in no
   * decision. With relu that value is 0; a saturated sigmoid gives one near 0 or 1.
   */
  readonly dead: readonly number[];
}

export interface ChannelActivityOptions {
  /** Names as `featureLayers` gives them. Default: all. */
  readonly layers?: readonly string[] | undefined;
  /**
   * Largest difference between values of a dead channel, as a share of the largest difference in its layer
   * (0.001).
   */
  readonly tolerance?: number | undefined;
}

/** A dead channel may differ by this share of the range of its layer. */
const usualTolerance = 1e-3;

/**
 * The range and the mean of every channel over a data set, and the channels that are dead: the same for
 * every image. Values are those after the activation that follows the layer. Only three numbers a channel
 * and a batch are read, however large the features are.
 *
 * @param network in evaluation mode
 * @param batches images `[N, C, H, W]`, as the network takes them
 * @throws {InputError} for a layer that there is not
 *
 * @example
 * ```ts
 * import { randn, vision } from 'fovea';
 *
 * const net = new vision.models.course.LeNet({ numClasses: 10 }).eval();
 * for (const { name, dead } of await vision.explain.channelActivity(net, [randn([8, 1, 28, 28])])) {
 *   console.log(name, dead.length);
 * }
 * ```
 */
export async function channelActivity(
  network: Layer,
  batches: Iterable<Tensor> | AsyncIterable<Tensor>,
  options: ChannelActivityOptions = {},
): Promise<LayerActivity[]> {
  const { tolerance = usualTolerance } = options;
  const found = new Map<string, Tally>();
  for await (const images of batches) {
    const layers = chosenLayers(forwardFeatures(network, images).layers, options.layers);
    const reduced = noGrad(() =>
      layers.map(({ features, shape }) => {
        const axis = shape.length === 4 ? [0, 2, 3] : [0];
        return [features.min({ axis }), features.max({ axis }), features.mean({ axis })] as const;
      }),
    );
    await realizeAll(reduced.flat());
    for (const [i, { name, shape }] of layers.entries()) {
      const tally = found.get(name) ?? new Tally(shape[1]);
      found.set(name, tally);
      const [least, most, mean] = await Promise.all(reduced[i].map((values) => values.data('float32')));
      tally.add(least, most, mean, images.shape[0]);
    }
  }
  return [...found].map(([name, tally]) => ({ name, ...tally.result(tolerance) }));
}

class Tally {
  readonly #least: Float32Array;
  readonly #most: Float32Array;
  readonly #sum: Float64Array;
  #images = 0;

  constructor(channels: number) {
    this.#least = new Float32Array(channels).fill(Number.POSITIVE_INFINITY);
    this.#most = new Float32Array(channels).fill(Number.NEGATIVE_INFINITY);
    this.#sum = new Float64Array(channels);
  }

  add(least: Float32Array, most: Float32Array, mean: Float32Array, images: number): void {
    for (let c = 0; c < mean.length; c++) {
      this.#least[c] = Math.min(this.#least[c], least[c]);
      this.#most[c] = Math.max(this.#most[c], most[c]);
      this.#sum[c] += images * mean[c];
    }
    this.#images += images;
  }

  result(tolerance: number): Omit<LayerActivity, 'name'> {
    const [least, most] = [this.#least, this.#most];
    const mean = this.#sum.map((sum) => sum / this.#images);
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let c = 0; c < mean.length; c++) [low, high] = [Math.min(low, least[c]), Math.max(high, most[c])];
    const limit = tolerance * (high - low);
    const dead = Array.from(mean, (_, c) => c).filter((c) => most[c] - least[c] <= limit);
    return { least, most, mean, dead };
  }
}
