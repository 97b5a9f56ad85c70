import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError, messageOf } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readText } from '../../io/files/input.js';
import { parseJson } from '../../text/json.js';

/** Name of the file that lists the imported pictures. */
export const recordFile = 'palm.json';

/** The two sets with labels, and the folders of their pictures, named as in the released archives. */
export const setFolders = { train: 'PALM-Training400', validation: 'PALM-Validation400' } as const;
export type PalmSet = keyof typeof setFolders;

/** Cameras of the data set by the size of their pictures. */
const cameras: Readonly<Record<string, string>> = { '2124×2056': 'Zeiss', '1444×1444': 'Canon' };

const picture = z.object({
  file: z.string().regex(/^PALM-(Training|Validation)400\/[HNPV]\d{4}\.jpg$/),
  set: z.enum(['train', 'validation']),
  /** 1: pathologic myopia. */
  label: z.literal([0, 1]),
  bytes: z.int(),
  crc32: z.string(),
  sha256: z.string(),
  /** Path of the source below the given folder or archive. */
  source: z.string(),
});

const record = z.object({
  format: z.literal('fovea-palm'),
  version: z.literal(1),
  /** Whether these are synthetic pictures, not photographs. */
  synthetic: z.boolean(),
  images: z.array(picture.extend({ width: z.int(), height: z.int() })),
  quarantine: z.array(picture.extend({ reason: z.string() })),
});

export type PalmRecord = z.infer<typeof record>;
export type PalmImage = PalmRecord['images'][number];
export type QuarantinedImage = PalmRecord['quarantine'][number];

/** Numbers of pictures of a set. */
export interface PalmCounts {
  readonly images: number;
  /** Pictures with pathologic myopia (label 1). */
  readonly pathologic: number;
  /** By the first letter of the name: P pathologic, H highly myopic, N normal, V validation. */
  readonly byPrefix: Readonly<Record<string, number>>;
}

/**
 * Pictures of one size. If labels and sizes are related, a network may learn the camera instead of the
 * disease.
 */
export interface PalmSize {
  readonly width: number;
  readonly height: number;
  readonly camera: string | null;
  readonly images: number;
  readonly pathologic: number;
}

export const makeReadable = 'make the folder and its files readable';

export function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** @throws {FileError} if there is no record, or it was not written by an import */
export async function readRecord(folder: string): Promise<PalmRecord> {
  const path = join(folder, recordFile);
  const refuse = (got: string, cause: unknown, todo = `import the data set into ${folder} first`) =>
    new FileError(`[palm] ${path}: expected the list that an import writes, got ${got}; ${todo}`, { cause });
  const text = await readText(path).catch((error: unknown) => {
    throw refuse(reasonOf(error), error, isForbidden(error) ? makeReadable : undefined);
  });
  try {
    return record.parse(parseJson(text));
  } catch (error) {
    throw refuse(error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : messageOf(error), error);
  }
}

export function countsOf(images: readonly PalmImage[], set: PalmSet): PalmCounts {
  const own = images.filter((image) => image.set === set);
  const byPrefix: Record<string, number> = {};
  for (const { file } of own) {
    const prefix = file[file.lastIndexOf('/') + 1];
    byPrefix[prefix] = (byPrefix[prefix] ?? 0) + 1;
  }
  return { images: own.length, pathologic: own.filter(({ label }) => label === 1).length, byPrefix };
}

export function sizesOf(images: readonly PalmImage[]): PalmSize[] {
  const groups = new Map<string, PalmImage[]>();
  for (const image of images) {
    const size = `${image.width}×${image.height}`;
    groups.set(size, [...(groups.get(size) ?? []), image]);
  }
  return [...groups]
    .map(([size, [first, ...others]]) => ({
      width: first.width,
      height: first.height,
      camera: cameras[size] ?? null,
      images: 1 + others.length,
      pathologic: [first, ...others].filter(({ label }) => label === 1).length,
    }))
    .sort((a, b) => b.images - a.images || b.width - a.width);
}

/**
 * Identifies pictures and labels in their order, independent of their folder. Run folders and reports use it
 * too.
 */
export function hashOf(images: readonly PalmImage[]): string {
  const hash = createHash('sha256');
  for (const { sha256, label } of images) hash.update(`${sha256} ${label}\n`);
  return hash.digest('hex');
}

/** Orders pictures by their files. */
export function byFile(a: { file: string }, b: { file: string }): number {
  return a.file < b.file ? -1 : Number(a.file > b.file);
}
