import { basename, join } from 'node:path';
import { FileError, InputError, NotDownloadedError } from '../../errors.js';
import { type DownloadProgress, download } from '../../io/files/download.js';
import { cacheFolder } from '../../platform/node/cacheFolder.js';
import { cifar10Classes, cifar100Classes } from './cifarClasses.js';
import { type CifarForm, exists, imageBytes, isFolder, parseBatch, readBatches } from './cifarFiles.js';
import { PixelDataset, type PixelOptions } from './pixelDataset.js';

/** Where the archive can be downloaded. */
export interface CifarMirror {
  /** Address of the archive. */
  readonly url: string;
  readonly md5: string;
}

export interface CifarOptions extends PixelOptions {
  /** The 50,000 training images (default) or the 10,000 test images. */
  readonly mode?: 'train' | 'test';
  /**
   * The archive (.tar.gz or .tar), or a folder that contains it or its unpacked files, in the python or the
   * binary version. With this option no other place is searched.
   */
  readonly dataFile?: string | undefined;
  /**
   * Whether the archive may be downloaded if no searched place has it (true), or a mirror to download it
   * from.
   */
  readonly download?: boolean | CifarMirror;
  /** Called during the download. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Where the images came from. */
export interface CifarSource {
  readonly origin: 'dataFile' | 'cache' | 'download';
  /** The archive, or the files that were unpacked from it. */
  readonly files: readonly string[];
}

interface CifarKind extends CifarForm {
  readonly classNames: readonly string[];
  readonly mirror: CifarMirror;
  /** File name of the archive with the binary version. */
  readonly binaryArchive: string;
  /** Files with the batches in the python version; those of the binary version end in .bin. */
  readonly batches: Readonly<Record<'train' | 'test', readonly string[]>>;
}

const cifar10: CifarKind = {
  name: 'cifar10',
  classNames: cifar10Classes,
  mirror: {
    url: 'https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz',
    md5: 'c58f30108f718f92721af3b95e74349a',
  },
  binaryArchive: 'cifar-10-binary.tar.gz',
  folders: ['cifar-10-batches-py', 'cifar-10-batches-bin'],
  batches: {
    train: ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5'],
    test: ['test_batch'],
  },
  labelBytes: 1,
};

const cifar100: CifarKind = {
  name: 'cifar100',
  classNames: cifar100Classes,
  mirror: {
    url: 'https://dataset.bj.bcebos.com/cifar/cifar-100-python.tar.gz',
    md5: 'eb9058c3a382ffc7106e4002c42a8d85',
  },
  binaryArchive: 'cifar-100-binary.tar.gz',
  folders: ['cifar-100-python', 'cifar-100-binary'],
  batches: { train: ['train'], test: ['test'] },
  // The coarse class, of 20, comes first.
  labelBytes: 2,
};

const shape = [3, 32, 32] as const;
interface CifarSet {
  readonly kind: CifarKind;
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
  readonly source: CifarSource;
}

/** The common base of CIFAR-10 and CIFAR-100: images float32 `[3, 32, 32]` (red, green, blue) from 0 to 1. */
class Cifar extends PixelDataset {
  readonly source: CifarSource;

  protected constructor({ kind, pixels, labels, source }: CifarSet, options: PixelOptions) {
    super({ where: kind.name, pixels, shape, labels, classNames: kind.classNames }, options);
    this.source = source;
  }
}

/**
 * CIFAR-10: photographs of ten kinds of vehicles and animals, float32 `[3, 32, 32]` (red, green, blue) from 0
 * to 1.
 *
 * Krizhevsky: "Learning multiple layers of features from tiny images", 2009.
 *
 * @example
 * ```ts
 * const trainSet = await vision.datasets.Cifar10.open({ download: true });
 * const testSet = await vision.datasets.Cifar10.open({ mode: 'test' });
 * ```
 */
export class Cifar10 extends Cifar {
  /**
   * Finds and reads the archive. `dataFile` is the only place that is searched if it is given; else the
   * folder `cifar` of the cache folder is searched, and `download` allows a download into it.
   *
   * @throws {FileError} if the archive is missing or has unexpected contents
   */
  static async open(options: CifarOptions = {}): Promise<Cifar10> {
    return new Cifar10(await readCifar(cifar10, options), options);
  }
}

/** CIFAR-100: like {@link Cifar10}, with a hundred classes. The twenty groups of classes are not read. */
export class Cifar100 extends Cifar {
  /** Finds and reads the archive like {@link Cifar10.open}. */
  static async open(options: CifarOptions = {}): Promise<Cifar100> {
    return new Cifar100(await readCifar(cifar100, options), options);
  }
}

async function readCifar(kind: CifarKind, { mode = 'train', ...where }: CifarOptions): Promise<CifarSet> {
  const { name } = kind;
  if (mode !== 'train' && mode !== 'test') {
    throw new InputError(`[${name}] mode: expected 'train' or 'test', got '${mode}'`);
  }
  const wanted = kind.batches[mode];
  const { origin, path } = await locate(kind, where);
  const files = await readBatches(kind, path, wanted);
  const batches = files.map((file) => parseBatch(kind, file));
  const count = batches.reduce((sum, { labels }) => sum + labels.length, 0);
  const [pixels, labels] = [new Uint8Array(count * imageBytes), new Uint8Array(count)];
  let at = 0;
  for (const [i, batch] of batches.entries()) {
    const wrong = batch.labels.findIndex((label) => !(label >= 0 && label < kind.classNames.length));
    if (wrong >= 0) {
      throw new FileError(
        `[${name}] ${files[i].path}: label ${wrong}: expected 0 to ${kind.classNames.length - 1}, ` +
          `got ${batch.labels[wrong]}; get the data set again`,
      );
    }
    pixels.set(batch.pixels, at * imageBytes);
    labels.set(batch.labels, at);
    at += batch.labels.length;
  }
  const paths = (await isFolder(path)) ? files.map((file) => file.path) : [path];
  return { kind, pixels, labels, source: { origin, files: paths } };
}

async function locate(
  { name, mirror, binaryArchive, folders }: CifarKind,
  { dataFile, download: online = true, onProgress }: Omit<CifarOptions, 'mode'>,
): Promise<{ origin: CifarSource['origin']; path: string }> {
  const archive = basename(mirror.url);
  const places = [archive, binaryArchive].flatMap((file) => [file, file.replace(/\.gz$/, '')]);
  const known = [...folders, ...places];
  const within = async (folder: string) => {
    for (const place of known) if (await exists(join(folder, place))) return join(folder, place);
    return null;
  };
  if (dataFile !== undefined) {
    if (!(await exists(dataFile))) {
      throw new FileError(`[${name}] ${dataFile}: expected an archive or a folder, got nothing there`);
    }
    // The folder that was given may be the unpacked one itself.
    return { origin: 'dataFile', path: (await within(dataFile)) ?? dataFile };
  }
  const cache = join(cacheFolder(), 'cifar');
  const kept = await within(cache);
  if (kept !== null) return { origin: 'cache', path: kept };
  if (online === false) {
    throw new NotDownloadedError(
      `[${name}] files: expected ${archive} or ${binaryArchive} in ${cache}, got neither; place one there, ` +
        'give its path, or allow the download',
    );
  }
  const { url, md5 } = online === true ? mirror : online;
  const path = join(cache, archive);
  await download(url, path, { md5, ...(onProgress && { onProgress }) });
  return { origin: 'download', path };
}
