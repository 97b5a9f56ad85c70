import { realpath, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { crc32 } from 'node:zlib';
import { FileError } from '../../errors.js';
import { makeFolder, reasonOf, replaceFile } from '../../io/files/atomic.js';
import { readStart, streamInput } from '../../io/files/input.js';
import { isClutter, listFiles } from '../../io/files/listFiles.js';
import { removeAbandoned, temporaryName } from '../../io/files/temporary.js';
import { ZipArchive, type ZipBudget } from '../../io/files/zip.js';

/** A source file, in a folder or in an archive. */
export interface SourceFile {
  /** Name without folders. */
  readonly name: string;
  /** Path with folders and archives, beginning at the given source. */
  readonly where: string;
  readonly bytes: number;
  readonly crc32: () => Promise<number>;
  read(): AsyncIterable<Uint8Array>;
}

/** A file in a folder that cannot be read: the archives, the folder and the disk are not the cause. */
export class UnreadableSource extends FileError {
  static override readonly kind: string = 'UnreadableSource';

  constructor(
    path: string,
    readonly reason: string,
    cause: unknown,
  ) {
    super(`[palm] ${path}: ${reason}`, { cause });
  }
}

/**
 * Names of the data set's archives, also with the additions of browsers to a second download. Archives that
 * the user gives are opened under any name.
 */
const archiveName = /^(training|validation|valid_gt|palm[\w .()-]*)( ?\(\d+\))?\.zip$/i;
/** Names of pictures. */
export const pictureName = /\.(jpe?g|png|bmp|tiff?|webp|gif)$/i;
/** Other files in a folder are ignored. */
const wantedName = /\.(xlsx|csv)$|^synthetic/i;
/** Folders with outlines of discs and lesions, which have the same file names as the photographs. */
const maskFolder = /\b(masks?|annotations?|lesions?|atrophy|detachment)\b/i;
const maxNesting = 3;

/** All sources as one list of files. */
export class PalmSources {
  readonly files: SourceFile[] = [];
  /** Archives with other names, which were not opened. */
  readonly passedOver: string[] = [];
  readonly #archives: ZipArchive[] = [];
  #unpacked = 0;

  private constructor(
    readonly out: string,
    readonly temporary: string,
    readonly budget: ZipBudget,
    readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Opens folders and archives, and the archives in them. Inner archives are unpacked into a hidden folder in
   * `out`, which {@link close} removes.
   *
   * @throws {FileError} for a source that is neither folder nor archive, cannot be read, or exceeds the
   *   limits
   */
  static async open(
    given: readonly string[],
    out: string,
    budget: ZipBudget,
    signal?: AbortSignal,
  ): Promise<PalmSources> {
    await removeAbandoned(out);
    const sources = new PalmSources(out, join(out, await temporaryName()), budget, signal);
    try {
      for (const path of given) await sources.#add(path);
    } catch (error) {
      await sources.close();
      throw error;
    }
    return sources;
  }

  async close(): Promise<void> {
    for (const archive of this.#archives.splice(0)) archive.close();
    await rm(this.temporary, { recursive: true, force: true });
  }

  /** Writes a file into the hidden folder. @returns its path there */
  async unpack(file: Pick<SourceFile, 'name' | 'read'>): Promise<string> {
    await makeFolder(this.temporary).catch((error: unknown) => {
      const got = reasonOf(error);
      throw new FileError(`[palm] ${this.temporary}: expected to make this folder, got ${got}`, { cause: error });
    });
    const path = join(this.temporary, `${this.#unpacked++}`);
    const { signal } = this;
    await replaceFile(path, (handle) => writeFile(handle, file.read(), { signal })).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
    return path;
  }

  async #add(path: string): Promise<void> {
    const refuse = (got: string, cause?: unknown) =>
      new FileError(`[palm] ${path}: expected a folder or a zip archive, got ${got}; give the data set's files`, {
        cause,
      });
    const info = await stat(path).catch((error: unknown) => {
      throw refuse(reasonOf(error), error);
    });
    if (info.isDirectory()) return this.#addFolder(path);
    const start = await firstBytes(path).catch((error: unknown) => {
      throw refuse(reasonOf(error), error);
    });
    if (!start.startsWith('PK') && !/\.zip$/i.test(path)) throw refuse('another file');
    return this.#addArchive(path, basename(path), 1);
  }

  async #addFolder(root: string): Promise<void> {
    // The results of an earlier import are no source.
    const own = relative(await realpath(root), await realpath(this.out))
      .split(sep)
      .join('/');
    const enter = (folder: string) => folder !== own && !maskFolder.test(words(basename(folder)));
    for (const file of await listFiles(root, enter)) {
      const path = join(root, ...file.split('/'));
      const name = basename(path);
      const where = `${basename(root)}/${file}`;
      if (archiveName.test(name)) await this.#addArchive(path, where, 1);
      else if (/\.zip$/i.test(name)) this.passedOver.push(where);
      else if (wantedName.test(name) || pictureName.test(name)) this.files.push(await fileOnDisk(path, where));
    }
  }

  async #addArchive(path: string, title: string, depth: number): Promise<void> {
    if (depth > maxNesting) {
      throw new FileError(`[palm] ${title}: expected at most ${maxNesting} archives in each other, got more`);
    }
    const archive = await ZipArchive.open(path, this.budget, title);
    this.#archives.push(archive);
    for (const entry of archive.entries) {
      const parts = entry.name.split('/').filter((part) => part !== '.');
      const name = parts[parts.length - 1];
      if (parts.some(isClutter) || parts.slice(0, -1).some((part) => maskFolder.test(words(part)))) continue;
      const where = `${title}/${entry.name}`;
      if (archiveName.test(name)) {
        await this.#addArchive(await this.unpack(entry), where, depth + 1);
      } else if (/\.zip$/i.test(name)) {
        this.passedOver.push(where);
      } else {
        this.files.push({ name, where, bytes: entry.bytes, crc32: async () => entry.crc32, read: () => entry.read() });
      }
    }
  }
}

async function fileOnDisk(path: string, where: string): Promise<SourceFile> {
  const refuse = (error: unknown) =>
    new UnreadableSource(path, `expected a readable file, got ${reasonOf(error)}`, error);
  const { size } = await stat(path).catch((error: unknown) => {
    throw refuse(error);
  });
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield* streamInput(path);
    } catch (error) {
      throw refuse(error);
    }
  }
  let checksum: Promise<number> | undefined;
  const sum = async () => {
    let crc = 0;
    for await (const piece of read()) crc = crc32(piece, crc);
    return crc;
  };
  const crc = () => {
    checksum ??= sum();
    return checksum;
  };
  return { name: basename(path), where, bytes: size, crc32: crc, read };
}

function words(name: string): string {
  return name.replace(/[_-]/g, ' ');
}

async function firstBytes(path: string): Promise<string> {
  return (await readStart(path, 4)).toString('latin1');
}
