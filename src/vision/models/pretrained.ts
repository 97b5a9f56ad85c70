import { loadWeights } from '#weights';
import * as check from '../../check.js';
import { InputError, messageOf } from '../../errors.js';
import type { Shape } from '../../graph/shape.js';
import type { DownloadProgress } from '../../io/files/download.js';
import type { Layer } from '../../nn/layer.js';
import type { StateMismatch } from '../../nn/stateEntries.js';
import type { NetworkOptions } from './options.js';
import { fromTorch } from './torchNames.js';

export interface PretrainedOptions {
  /**
   * `true` for Paddle's weights, trained on ImageNet. They are downloaded once, into `weights` of the cache
   * folder. They expect pictures of red, green and blue, minus ImageNet's mean and divided by its standard
   * deviation. Or the path of a `.pdparams` file, or of a `.safetensors` file of this library, torchvision or
   * timm; `readWeightsRecord` returns the inputs that its weights expect. In a browser it is the address of
   * such a file, and never `true`.
   */
  readonly pretrained: true | string;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

/** Makes a ready-made network. */
export interface NetworkBuilder<N extends Layer, O extends NetworkOptions> {
  /** Makes it with new weights. */
  (options?: O & { readonly pretrained?: false }): N;
  /**
   * Makes it with pretrained weights. A classifier for another number of classes than the file's keeps its
   * new weights.
   *
   * @throws {FileError} if the file cannot be read or downloaded, or has unexpected contents
   * @throws {InputError} for weights of another network; the message names missing, unknown and misshapen
   *   ones
   */
  (options: O & PretrainedOptions): Promise<N>;
}

const pretrainedCheck = check.either(check.flag, check.text, 'true, false or the path of a file');

/** @param nameOf Paddle's name of the network, the key of its weights in {@link weightFiles} */
export function builder<N extends Layer, O extends NetworkOptions>(
  nameOf: (options: O) => string,
  create: (options: O) => N,
): NetworkBuilder<N, O> {
  type Weights = { readonly pretrained?: boolean | string; readonly onDownload?: PretrainedOptions['onDownload'] };
  function build(options?: O & { readonly pretrained?: false }): N;
  function build(options: O & PretrainedOptions): Promise<N>;
  function build(options = {} as O & Weights): N | Promise<N> {
    check.requireValue('network', 'options', options, check.record);
    const { pretrained = false, onDownload, ...own } = options;
    const { numClasses } = options;
    check.requireValue('network', 'pretrained', pretrained, pretrainedCheck);
    const network = create(own as unknown as O);
    if (pretrained === false) return network;
    return loadPretrained(network, nameOf(options), { pretrained, onDownload }, numClasses).then(() => network);
  }
  return build;
}

/** The result of {@link loadPretrained}. */
export interface Pretrained {
  /** Path of the file. */
  readonly path: string;
  /** Parameters of the classifier that keep new weights, since the file has another number of classes. */
  readonly renewed: readonly string[];
}

/**
 * Overwrites the weights of a network; see {@link NetworkBuilder}.
 *
 * @param name Paddle's name of the network
 * @param numClasses the requested number of classes, if any
 */
export async function loadPretrained(
  network: Layer,
  name: string,
  { pretrained, onDownload }: PretrainedOptions,
  numClasses: number | undefined,
): Promise<Pretrained> {
  const { path, tensors } = await loadWeights(name, pretrained, onDownload);
  const states = network.stateDict();
  const entries = fromTorch(tensors, states);
  /**
   * Whether the entry belongs to a classifier for the requested number of classes, or to a classifier that
   * was not requested.
   */
  const begins = ({ name: entry, kind }: StateMismatch): boolean => {
    if (kind === 'unknown') return numClasses === 0;
    const expected = states.get(entry)?.shape ?? [];
    const found = entries.get(entry)?.shape ?? [];
    if (kind !== 'shape' || expected.length !== found.length) return false;
    // The classifier of SqueezeNet is a convolution of 1×1, whose outputs come first.
    const isConv = expected.length === 4 && expected[2] === 1 && expected[3] === 1;
    if (!isConv && expected.length > 2) return false;
    const inputsOf = (shape: Shape) => (isConv ? shape.slice(1) : shape.slice(0, -1)).join();
    return inputsOf(expected) === inputsOf(found) && expected.at(isConv ? 0 : -1) === numClasses;
  };
  const skipMismatch = network.checkStateDict(entries, { skipMismatch: true }).every(begins);
  try {
    const skipped = network.loadStateDict(entries, { skipMismatch });
    return { path, renewed: skipped.filter(({ kind }) => kind === 'shape').map((mismatch) => mismatch.name) };
  } catch (error) {
    throw new InputError(`[${name}] ${path}: ${messageOf(error)}`, { cause: error });
  }
}
