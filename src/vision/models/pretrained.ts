import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileError, InputError, messageOf } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { cacheFolder } from '../../io/files/cacheFolder.js';
import { type DownloadProgress, download } from '../../io/files/download.js';
import { streamInput } from '../../io/files/input.js';
import { readPdparams } from '../../io/weights/pdparams.js';
import { loadSafetensors } from '../../io/weights/safetensors.js';
import type { Layer, StateEntry, StateMismatch } from '../../nn/layer.js';
import type { NetworkOptions } from './options.js';
import { weightFiles } from './weightFiles.js';

export interface PretrainedOptions {
  /**
   * `true` for Paddle's weights, trained on ImageNet: they are downloaded once, into `weights` of the cache folder. They
   * want pictures of red, green and blue, less ImageNet's mean and divided by its standard deviation. Or the path of a
   * `.safetensors` or `.pdparams` file: `readWeightsRecord` says which inputs its weights want.
   */
  readonly pretrained: true | string;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

/** Makes a ready-made network. */
export interface NetworkBuilder<N extends Layer, O extends NetworkOptions> {
  /** With new weights. */
  (options?: O & { readonly pretrained?: false }): N;
  /**
   * With pretrained ones. A classifier for another number of classes than the file's begins anew.
   *
   * @throws {FileError} if the file cannot be had, or is not what it should be
   * @throws {InputError} for weights of another network, naming what is missing, unknown and misshapen
   */
  (options: O & PretrainedOptions): Promise<N>;
}

/** @param nameOf Paddle's name of the network, by which {@link weightFiles} knows its weights */
export function builder<N extends Layer, O extends NetworkOptions>(
  nameOf: (options: O) => string,
  create: (options: O) => N,
): NetworkBuilder<N, O> {
  type Weights = { readonly pretrained?: boolean | string; readonly onDownload?: PretrainedOptions['onDownload'] };
  function build(options?: O & { readonly pretrained?: false }): N;
  function build(options: O & PretrainedOptions): Promise<N>;
  function build(options = {} as O & Weights): N | Promise<N> {
    const { pretrained = false, numClasses, onDownload } = options;
    const network = create(options);
    if (pretrained === false) return network;
    return loadPretrained(network, nameOf(options), { pretrained, onDownload }, numClasses).then(() => network);
  }
  return build;
}

/** What {@link loadPretrained} has done. */
export interface Pretrained {
  /** Of the file. */
  readonly path: string;
  /** Parameters of the classifier that begin anew, for another number of classes than the file's. */
  readonly renewed: readonly string[];
}

/**
 * Overwrites the weights of a network; see {@link NetworkBuilder}.
 *
 * @param name Paddle's name of it
 * @param numClasses of the network, if they were asked for
 */
export async function loadPretrained(
  network: Layer,
  name: string,
  { pretrained, onDownload }: PretrainedOptions,
  numClasses: number | undefined,
): Promise<Pretrained> {
  const path = pretrained === true ? await locate(name, onDownload) : pretrained;
  const entries = await readWeights(path);
  const states = network.stateDict();
  /** Whether it belongs to a classifier for as many classes as were asked for, or to one that was not asked for. */
  const begins = ({ name: entry, kind }: StateMismatch): boolean => {
    if (kind === 'unknown') return numClasses === 0;
    const expected = states.get(entry)?.shape ?? [];
    const found = entries.get(entry)?.shape ?? [];
    const sameInputs = expected.slice(0, -1).join() === found.slice(0, -1).join() && expected.length === found.length;
    return kind === 'shape' && sameInputs && expected.length < 3 && expected.at(-1) === numClasses;
  };
  const skipMismatch = network.checkStateDict(entries, { skipMismatch: true }).every(begins);
  try {
    const skipped = network.loadStateDict(entries, { skipMismatch });
    return { path, renewed: skipped.filter(({ kind }) => kind === 'shape').map((mismatch) => mismatch.name) };
  } catch (error) {
    throw new InputError(`[${name}] ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Paddle's name of the network of a file, if it is one of those that Paddle offers, which were trained on ImageNet. Its
 * checksum says so; null for others.
 *
 * @throws {FileError} for a file that cannot be read
 */
export async function nameOfPaddleFile(path: string): Promise<string | null> {
  const md5 = await md5Of(path, 'weights');
  return Object.entries(weightFiles).find(([, file]) => file.md5 === md5)?.[0] ?? null;
}

async function md5Of(path: string, where: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(streamInput(path), hash).catch((error: unknown) => {
    throw new FileError(`[${where}] ${path}: expected a file to read, got ${reasonOf(error)}`, { cause: error });
  });
  return hash.digest('hex');
}

/** @throws {InputError} if Paddle has no weights of a network */
export function requireOffered(name: string): void {
  if (Object.hasOwn(weightFiles, name)) return;
  throw new InputError(
    `[${name}] pretrained: expected the path of a file, for Paddle has no weights of this network, got true; ` +
      `there are weights of ${Object.keys(weightFiles).join(', ')}`,
  );
}

/** The file with Paddle's weights in the cache folder, downloaded if need be. */
async function locate(name: string, onDownload: PretrainedOptions['onDownload']): Promise<string> {
  requireOffered(name);
  const { url, md5 } = weightFiles[name];
  const path = join(cacheFolder(), 'weights', basename(url));
  if (!existsSync(path)) {
    await download(url, path, { md5, ...(onDownload && { onProgress: onDownload }) });
    return path;
  }
  const found = await md5Of(path, name);
  if (found !== md5) {
    throw new FileError(
      `[${name}] ${path}: expected a file with md5 ${md5}, got ${found}; move it away, and it is downloaded anew`,
    );
  }
  return path;
}

async function readWeights(path: string): Promise<ReadonlyMap<string, StateEntry>> {
  const ending = extname(path).toLowerCase();
  if (ending === '.safetensors') return (await loadSafetensors(path)).tensors;
  if (ending === '.pdparams') return (await readPdparams(path)).tensors;
  throw new FileError(`[weights] ${path}: expected a .safetensors or .pdparams file, got ${ending || 'no ending'}`);
}
