import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileError, InputError, NotDownloadedError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { type DownloadProgress, download } from '../../io/files/download.js';
import { streamInput } from '../../io/files/input.js';
import { readPdparams } from '../../io/weights/pdparams.js';
import { loadSafetensors } from '../../io/weights/safetensors.js';
import { cacheFolder } from '../../platform/node/cacheFolder.js';
import { weightFiles } from '../models/weightFiles.js';
import { formatOf, type WeightSource } from './source.js';

export const { loadWeights }: WeightSource = {
  async loadWeights(name, pretrained, onDownload) {
    const path = pretrained === true ? await locate(name, onDownload) : pretrained;
    const format = formatOf(path);
    if (format === null) {
      const got = extname(path) || 'no ending';
      throw new FileError(`[weights] ${path}: expected a .safetensors or .pdparams file, got ${got}`);
    }
    const { tensors } = await (format === 'safetensors' ? loadSafetensors(path) : readPdparams(path));
    return { path, tensors };
  },
};

/**
 * Paddle's name of a file's network, if the checksum is that of weights that Paddle offers, which were
 * trained on ImageNet; null for other files.
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

const cachedPath = (name: string): string => join(cacheFolder(), 'weights', basename(weightFiles[name].url));

/** @throws {NotDownloadedError} if Paddle's weights of a network are not in the cache folder */
export function requireDownloaded(name: string): void {
  requireOffered(name);
  const path = cachedPath(name);
  if (existsSync(path)) return;
  throw new NotDownloadedError(`[${name}] ${path}: expected Paddle's weights there, got none; allow the download`);
}

/** The path of Paddle's weights in the cache folder, where they are downloaded if necessary. */
async function locate(name: string, onDownload: ((progress: DownloadProgress) => void) | undefined): Promise<string> {
  requireOffered(name);
  const { url, md5 } = weightFiles[name];
  const path = cachedPath(name);
  if (!existsSync(path)) {
    await download(url, path, { md5, ...(onDownload && { onProgress: onDownload }) });
    return path;
  }
  const found = await md5Of(path, name);
  if (found !== md5) {
    throw new FileError(
      `[${name}] ${path}: expected a file with md5 ${md5}, got ${found}; move it away, and it is downloaded again`,
    );
  }
  return path;
}
