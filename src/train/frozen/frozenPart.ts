import { InputError } from '../../errors.js';
import { numel, type Shape } from '../../graph/shape.js';
import { Storage } from '../../graph/storage.js';
import type { DataLoader } from '../../io/data/dataloader.js';
import { Layer, type LayerJson } from '../../nn/layer.js';
import { RandomGenerator } from '../../random.js';
import { realizeAll } from '../../tensor/evaluate.js';
import type { State } from '../../tensor/state.js';
import { Tensor } from '../../tensor/tensor.js';
import { type ComputeScope, within } from '../scope.js';
import { discardAssignments, frozenFeatures } from './cut.js';
import { Features } from './features.js';

/** Options of {@link FrozenPart.compute}. */
export interface ComputeOptions extends Pick<ComputeScope, 'precision'> {
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of images done. */
  readonly onBatch?: ((images: number) => void) | undefined;
}

/**
 * A network as two parts: the frozen part, whose features of an image are always the same, and the rest. It
 * forwards images through both, and features of {@link compute} through the rest alone. Its layers,
 * parameters and buffers are those of the network, by the same names.
 */
export class FrozenPart extends Layer {
  static readonly kind: string = 'FrozenPart';

  readonly #network: Layer;
  readonly #inputShape: Shape;
  /** Whether inputs of {@link forward} are features. */
  takesFeatures = false;

  /** @param inputShape of an image, `[channels, height, width]` */
  constructor(network: Layer, inputShape: Shape) {
    super();
    this.#network = network;
    this.#inputShape = inputShape;
  }

  forward(input: Tensor): Tensor {
    if (!this.takesFeatures) return this.#network.forward(input);
    const [batch, length] = input.shape;
    const { outputs, features } = this.#cut(batch);
    const sizes = features.map(({ shape }) => numel(shape) / batch);
    if (sizes.reduce((sum, size) => sum + size, 0) !== length) {
      throw new InputError(`[freeze] features: expected ${sizes.join(' + ')} numbers of an image, got ${length}`);
    }
    const storages = split(input.value.current(), sizes, features);
    for (const [i, value] of features.entries()) value.realize(storages[i]);
    return outputs;
  }

  /** Builds the forward pass of a batch without its images. */
  #cut(batch: number) {
    const images = Tensor.placeholder([batch, ...this.#inputShape], 'float32');
    const outputs = this.#network.forward(images);
    return { images, outputs, features: frozenFeatures(outputs.value, images.value) };
  }

  /**
   * Numbers of the features of an image: the sum over all values at the end of the frozen part. 0 if
   * nothing is frozen.
   *
   * @param training whether layers that are not frozen are in training
   */
  featuresOfImage(training: boolean): number {
    return this.#as(training, () => {
      const { images, outputs, features } = this.#cut(1);
      discardAssignments(outputs.value);
      return features.some((value) => value === images.value)
        ? 0
        : features.reduce((n, { shape }) => n + numel(shape), 0);
    });
  }

  /**
   * Computes the features of all images of a loader, which must not shuffle.
   *
   * @throws the reason of the signal when that ends it
   */
  async compute(loader: DataLoader, training: boolean, options: ComputeOptions = {}): Promise<Features> {
    const { signal, onBatch } = options;
    const found = new Features(loader.samples, this.featuresOfImage(training));
    const scope = { precision: options.precision, generator: new RandomGenerator(0) };
    let done = 0;
    for await (const [images, labels] of loader) {
      signal?.throwIfAborted();
      const values = this.#as(training, () =>
        within(scope, () => {
          const outputs = this.#network.forward(images);
          const features = frozenFeatures(outputs.value, images.value);
          discardAssignments(outputs.value);
          return features.map((value) => new Tensor(value));
        }),
      );
      await within(scope, () => realizeAll(values));
      const parts: Float32Array[] = [];
      for (const value of values) parts.push(await value.data('float32'));
      found.add(done, parts, await labels.data('int32'));
      done += images.shape[0];
      onBatch?.(done);
    }
    return found;
  }

  #as<T>(training: boolean, body: () => T): T {
    const before = this.#network.training;
    if (training) this.#network.train();
    else this.#network.eval();
    try {
      return body();
    } finally {
      if (before) this.#network.train();
      else this.#network.eval();
    }
  }

  override namedChildren(): Map<string, Layer> {
    return this.#network.namedChildren();
  }

  override ownState(): Map<string, State> {
    return this.#network.ownState();
  }

  override ownGenerators(): Map<string, RandomGenerator> {
    return this.#network.ownGenerators();
  }

  override train(): this {
    this.#network.train();
    return super.train();
  }

  override eval(): this {
    this.#network.eval();
    return super.eval();
  }

  override toJSON(): LayerJson {
    return this.#network.toJSON();
  }

  override toString(): string {
    return this.#network.toString();
  }
}

/** The features of a batch, one storage a value. */
function split(all: Storage, sizes: readonly number[], values: readonly { readonly shape: Shape }[]): Storage[] {
  const data = all.read() as Float32Array;
  const length = sizes.reduce((sum, size) => sum + size, 0);
  let begin = 0;
  return sizes.map((size, k) => {
    const { shape } = values[k];
    const part = sizes.length === 1 ? data : new Float32Array(shape[0] * size);
    if (sizes.length > 1) {
      for (let i = 0; i < shape[0]; i++) {
        part.set(data.subarray(i * length + begin, i * length + begin + size), i * size);
      }
    }
    begin += size;
    return new Storage(shape, 'float32', part);
  });
}
