import type { Precision } from '../../compiler/precision.js';
import type { Shape } from '../../graph/shape.js';
import { nodesBehind } from '../../graph/walk.js';
import { DataLoader } from '../../io/data/dataloader.js';
import { formatBytes, machineMemory } from '../../memory.js';
import { freeze, freezeLayers } from '../../nn/freeze.js';
import type { Layer } from '../../nn/layer.js';
import { Parameter } from '../../tensor/state.js';
import { Tensor } from '../../tensor/tensor.js';
import { formatCount } from '../../text/numbers.js';
import { option } from '../../text/option.js';
import type { Callback, Training } from '../../train/callback.js';
import { ImagesOrFeatures } from '../../train/frozen/features.js';
import { FrozenPart } from '../../train/frozen/frozenPart.js';
import type { OpenedSplit, OpenOptions } from '../catalog/datasets.js';
import { withHeads } from '../catalog/models.js';
import { evalLoaderOf } from '../loaders.js';
import type { Recipe } from '../recipe.js';

/** Part of the memory that kept features may take. */
const shareOfMemory = 1 / 4;

interface PrepareOptions {
  readonly precision: Precision;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OpenOptions['onProgress'];
}

/** Numbers that are kept of a training image, and of an image of the evaluation; null for none. */
type Kept = readonly [train: number, evaluation: number] | null;

/**
 * The frozen layers of a training: those of `freeze`, and in the first `probeEpochs` all but the last
 * layer. Features of frozen layers are computed once and take the place of images, where the recipe allows
 * it.
 */
export class Transfer implements Callback {
  /** The network for the training loop, which takes images or features. */
  readonly network: FrozenPart;
  readonly train: ImagesOrFeatures;
  readonly evaluated: ImagesOrFeatures;
  readonly #inner: Layer;
  readonly #recipe: Recipe;
  readonly #inputShape: Shape;
  readonly #splits: { readonly train: OpenedSplit; readonly eval: OpenedSplit };
  readonly #head: string;
  readonly #headRate: number;
  /** Kept features of epochs that train the last layer alone, and of others. */
  readonly #decided = new Map<boolean, Kept>();

  /** @throws {InputError} for a layer that does not exist */
  constructor(
    network: Layer,
    recipe: Recipe,
    inputShape: Shape,
    splits: { readonly train: OpenedSplit; readonly eval: OpenedSplit },
    transformed: ImagesOrFeatures,
  ) {
    this.#inner = network;
    this.#recipe = recipe;
    this.#inputShape = inputShape;
    this.#splits = splits;
    this.network = new FrozenPart(network, inputShape);
    this.train = transformed;
    this.evaluated = new ImagesOrFeatures(splits.eval.dataset);
    this.#head = lastLayer(network, inputShape);
    this.#headRate = this.#headParameters()[0].learningRate;
    // The memory of a step is planned with all that is ever trained.
    freeze(network, recipe.techniques?.freeze ?? null);
  }

  /** Whether an epoch trains the last layer alone. */
  isProbe(epoch: number): boolean {
    return epoch <= (this.#recipe.techniques?.probeEpochs ?? 0);
  }

  #headParameters(): Parameter[] {
    return this.#inner.namedSublayers().get(this.#head)?.parameters() ?? this.#inner.parameters();
  }

  /** Whether features take the place of images in an epoch. */
  keepsFeatures(epoch: number): boolean {
    return this.#kept(epoch) !== null;
  }

  /** Freezes what is frozen in an epoch. */
  #freezeFor(epoch: number): void {
    const { freeze: until, probeLr } = this.#recipe.techniques ?? {};
    const { learningRate } = this.#recipe.optimizer;
    const isProbe = this.isProbe(epoch);
    if (isProbe) freezeLayers(this.#inner, (name) => name !== this.#head);
    else freeze(this.#inner, until ?? null);
    const factor = isProbe && probeLr !== undefined && learningRate > 0 ? probeLr / learningRate : this.#headRate;
    for (const parameter of this.#headParameters()) parameter.learningRate = factor;
  }

  /**
   * Numbers that are kept of an image in an epoch: of training and of evaluation; null if images are used.
   */
  #kept(epoch: number): Kept {
    const isProbe = this.isProbe(epoch);
    const known = this.#decided.get(isProbe);
    if (known !== undefined) return known;
    const kept = this.#decide(epoch, isProbe);
    this.#decided.set(isProbe, kept);
    return kept;
  }

  #decide(epoch: number, isProbe: boolean): Kept {
    const { freeze: until, probeEpochs, recomputeFeatures = false, mixup, cutmix } = this.#recipe.techniques ?? {};
    if (recomputeFeatures || withHeads(this.#inner) !== null) return null;
    if (!isProbe && (until === undefined || probeEpochs !== undefined || mixup !== undefined || cutmix !== undefined)) {
      return null;
    }
    this.#freezeFor(epoch);
    const sizes = [true, false].map((training) => this.network.featuresOfImage(training)) as [number, number];
    return sizes[0] === 0 || this.#bytes(sizes) > shareOfMemory * machineMemory() ? null : sizes;
  }

  #bytes([train, evaluation]: readonly [number, number]): number {
    return Float32Array.BYTES_PER_ELEMENT * (train * this.train.length + evaluation * this.evaluated.length);
  }

  /** Notes about the first epoch, for people. */
  notes(): string[] {
    const sizes = this.#kept(1);
    this.#freezeFor(this.#recipe.epochs);
    if (sizes === null) return [];
    const { probeEpochs, transforms = [] } = this.#recipe.techniques ?? {};
    const random = this.train.isRandom && transforms.length > 0;
    const when =
      probeEpochs === undefined ? '' : ` in the ${probeEpochs === 1 ? 'first epoch' : `first ${probeEpochs} epochs`}`;
    return [
      `the frozen layers compute ${formatCount(sizes[0])} features of each image once${when}, and keep them ` +
        `(${formatBytes(this.#bytes(sizes))})${random ? `; random transforms change nothing there. With ${option('recomputeFeatures')} they do` : ''}`,
    ];
  }

  /**
   * Freezes the layers for an epoch, and computes features that are not there yet.
   *
   * @throws the reason of the signal when that ends it
   */
  async prepare(epoch: number, options: PrepareOptions): Promise<void> {
    const kept = this.#kept(epoch);
    this.#freezeFor(epoch);
    if (kept === null) return this.#useImages();
    const { train, eval: evaluated } = this.#splits;
    const sized = { network: this.#inner, inputShape: this.#inputShape };
    const total = train.dataset.length + evaluated.dataset.length;
    const run = async (split: OpenedSplit, training: boolean, before: number) => {
      const { batchSize } = evalLoaderOf(split, sized, this.#recipe);
      const loader = new DataLoader(split.dataset, { batchSize, reuse: true });
      const onBatch = (done: number) =>
        options.onProgress?.({ stage: 'features of the frozen layers', done: before + done, total });
      return this.network.compute(loader, training, { ...options, onBatch });
    };
    this.train.features ??= await run(train, true, 0);
    this.evaluated.features ??= await run(evaluated, false, train.dataset.length);
    this.network.takesFeatures = true;
  }

  #useImages(): void {
    this.network.takesFeatures = false;
    this.train.features = null;
    this.evaluated.features = null;
  }

  onEpochBegin({ epoch }: Training): void {
    if (this.#kept(epoch) === null) this.#useImages();
    this.#freezeFor(epoch);
  }
}

/** Name of the last layer: the one whose parameters make the outputs. */
function lastLayer(network: Layer, inputShape: Shape): string {
  const { training } = network;
  network.eval();
  const outputs = network.forward(Tensor.placeholder([1, ...inputShape], 'float32'));
  if (training) network.train();
  const names = new Map([...network.namedParameters()].map(([name, parameter]) => [parameter, name]));
  for (const { inputs } of nodesBehind(outputs.value).reverse()) {
    for (const { sink } of inputs) {
      const name = sink instanceof Parameter ? names.get(sink) : undefined;
      if (name !== undefined) return name.slice(0, Math.max(0, name.lastIndexOf('.')));
    }
  }
  return '';
}
