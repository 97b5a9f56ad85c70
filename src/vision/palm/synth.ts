import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { makeFolder, reasonOf, writeFileAtomic } from '../../io/files/atomic.js';
import { removeAbandoned } from '../../io/files/temporary.js';
import { RandomGenerator } from '../../random.js';
import { listed } from '../../text/list.js';
import { drawingVersion } from './synth/difficulty.js';
import { type FundusJob, foveaOf } from './synth/draw.js';
import type { EyeKind } from './synth/eye.js';
import { Painters } from './synth/painters.js';

export interface PalmSynthOptions {
  /** Folder for the archives. Nothing else may be in it. */
  readonly out: string;
  /** Number of training pictures, 1 to 9999 (400). */
  readonly train?: number | undefined;
  /** Number of validation pictures, 1 to 9999 (400). */
  readonly validation?: number | undefined;
  /** Width of the pictures in pixels, 32 to 4096 (1024). */
  readonly size?: number | undefined;
  /** Seed of the pictures, 0 or more (0). */
  readonly seed?: number | undefined;
  /**
   * Threads that draw (one for each processor, at most 8; 0: the main thread). The pictures do not depend on
   * it.
   */
  readonly numWorkers?: number | undefined;
  /** Called after each picture. */
  readonly onProgress?:
    | ((progress: { readonly done: number; readonly total: number; readonly file: string }) => void)
    | undefined;
  /** Stops the drawing. Complete archives stay, and the same call continues after them. */
  readonly signal?: AbortSignal | undefined;
}

/** The result of drawing. */
export interface SynthSummary {
  readonly folder: string;
  /** The files that are in the folder now. */
  readonly files: readonly string[];
  /** Pictures by kind: N normal, H highly myopic, P pathologic. */
  readonly train: Readonly<Record<EyeKind, number>>;
  readonly validation: Readonly<Record<EyeKind, number>>;
  readonly cameras: Readonly<Record<FundusJob['camera'], number>>;
  readonly size: number;
  readonly seed: number;
}

/** A picture with its name in the archive. */
interface Sheet {
  readonly name: string;
  readonly job: FundusJob;
}

/** Numbers for 400 pictures. */
const trainShares = { P: 213, H: 26 } as const;
const validationShares = { P: 211, H: 26 } as const;
const canonShare = 50 / 400;
/**
 * Offset of the generator's streams, so that validation pictures do not depend on the number of training
 * pictures.
 */
const validationStream = 100_000;
const markName = 'SYNTHETIC.txt';

/**
 * Draws synthetic pictures in the place of iChallenge-PM, whose photographs may not be redistributed: the
 * fundus of healthy, highly myopic and pathologically myopic eyes, with the names, arrangement and shares of
 * the released archives. `importPalm` accepts them like the released ones, and notices that they are
 * synthetic.
 *
 * They are for learning and for tests. No real eye looks like them, and a network that was trained on them
 * knows nothing about patients.
 *
 * @throws {FileError} if there is anything else in the folder, or it cannot be written
 *
 * @example
 * ```ts
 * await vision.datasets.synthesizePalm({ out: 'drawn', train: 100, validation: 50, size: 512 });
 * await vision.datasets.importPalm('drawn', 'palm');
 * ```
 */
export async function synthesizePalm(options: PalmSynthOptions): Promise<SynthSummary> {
  const { out, train = 400, validation = 400, size = 1024, seed = 0, numWorkers, onProgress, signal } = options;
  requireInteger('train', train, 1, 9999);
  requireInteger('validation', validation, 1, 9999);
  requireInteger('size', size, 32, 4096);
  const random = new RandomGenerator(seed);
  const painters = new Painters(numWorkers);
  const toSheet = (prefix: (kind: EyeKind, i: number) => string, stream: number) => (kind: EyeKind, i: number) => ({
    name: prefix(kind, i),
    job: { seed, stream: stream + i, kind, camera: 'Zeiss' as const, size },
  });
  const numbers: Record<EyeKind, number> = { N: 0, H: 0, P: 0 };
  const trainKinds = kindsOf(train, trainShares);
  const validationKinds = shuffled(kindsOf(validation, validationShares), random.fork('validation order'));
  const training = withCameras(
    trainKinds.map(toSheet((kind) => `${kind}${digits(++numbers[kind])}.jpg`, 0)),
    random.fork('train cameras'),
  );
  const heldOut = withCameras(
    validationKinds.map(toSheet((_, i) => `V${digits(i + 1)}.jpg`, validationStream)),
    random.fork('validation cameras'),
  );
  const mark =
    'SYNTHETIC: these pictures are drawn. They are no photographs, they show no patients, and nothing about patients\n' +
    'can be learned from them. They stand in for iChallenge-PM (PALM) in its arrangement.\n\n' +
    `Drawn by Fovea (drawing ${drawingVersion}): ${train} training and ${validation} validation pictures, ` +
    `${size} pixels wide, seed ${seed}.\n`;
  const present = await prepare(out, mark);
  const { zipOf } = await import('./synth/archive.js');

  const total = train + validation;
  let done = 0;
  async function* drawn(sheets: readonly Sheet[], folder: string) {
    yield { name: `${folder}/${markName}`, data: Buffer.from(mark) };
    let i = 0;
    for await (const jpeg of painters.drawAll(
      sheets.map(({ job }) => job),
      signal,
    )) {
      const name = `${folder}/${sheets[i++].name}`;
      yield { name, data: Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.length) };
      onProgress?.({ done: ++done, total, file: name });
    }
  }
  const archives: Record<string, () => AsyncIterable<Uint8Array>> = {
    'training.zip': () => {
      const folder = 'PALM-Training400';
      return zipOf([
        { name: `${folder}/${markName}`, data: Buffer.from(mark) },
        { name: `${folder}/${folder}.zip`, data: zipOf(drawn(training, folder)) },
      ]);
    },
    'validation.zip': () => zipOf(drawn(heldOut, 'PALM-Validation400')),
    'valid_gt.zip': () => zipOf(truth(heldOut, mark)),
  };
  try {
    for (const [name, make] of Object.entries(archives)) {
      signal?.throwIfAborted();
      if (!present.has(name)) await writeFileAtomic(join(out, name), make());
      else if (name === 'training.zip') done += train;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await painters.close();
  }
  const all = [...training, ...heldOut];
  return {
    folder: out,
    files: [markName, ...Object.keys(archives)].map((name) => join(out, name)),
    train: countKinds(training),
    validation: countKinds(heldOut),
    cameras: {
      Zeiss: all.filter(({ job }) => job.camera === 'Zeiss').length,
      Canon: all.filter(({ job }) => job.camera === 'Canon').length,
    },
    size,
    seed,
  };
}

/** Makes the folder and marks it. @returns the complete archives of an earlier call with the same options */
async function prepare(out: string, mark: string): Promise<ReadonlySet<string>> {
  const names = await makeFolder(out)
    .then(() => removeAbandoned(out))
    .then(() => readdir(out))
    .catch((error: unknown) => {
      throw new FileError(`[palm synth] ${out}: expected a folder to write to, got ${reasonOf(error)}`, {
        cause: error,
      });
    });
  const own = new Set([markName, 'training.zip', 'validation.zip', 'valid_gt.zip']);
  // Without exactly the same mark the archives may be the real ones, or have another seed.
  const isOurs = (await readFile(join(out, markName), 'utf8').catch(() => null)) === mark;
  const strange = names.filter((name) => !isOurs || !own.has(name));
  if (strange.length > 0) {
    throw new FileError(
      `[palm synth] ${out}: expected an empty folder, or one with the same pictures, got ${listed(strange)}; ` +
        'choose another folder',
    );
  }
  // The mark comes first, so that the pictures never exist without it.
  if (!isOurs) await writeFileAtomic(join(out, markName), mark);
  return new Set(names);
}

/** The labels of the validation pictures. */
async function* truth(sheets: readonly Sheet[], mark: string) {
  const folder = 'PALM-Validation-GT';
  yield { name: `${folder}/${markName}`, data: Buffer.from(mark) };
  const rows = sheets.map(({ name, job }, i) => {
    const [x, y] = foveaOf(job).map((at) => Math.round(100 * at) / 100);
    return [i + 1, name, job.kind === 'P' ? 1 : 0, x, y];
  });
  const { workbookOf } = await import('./synth/archive.js');
  const workbook = await workbookOf([['ID', 'imgName', 'Label', 'Fovea_X', 'Fovea_Y'], ...rows]);
  yield { name: `${folder}/PM_Label_and_Fovea_Location.xlsx`, data: workbook };
}

function kindsOf(count: number, shares: { readonly P: number; readonly H: number }): EyeKind[] {
  const p = Math.round((count * shares.P) / 400);
  const h = Math.min(Math.round((count * shares.H) / 400), count - p);
  return Array.from({ length: count }, (_, i) => (i < p ? 'P' : i < p + h ? 'H' : 'N'));
}

function shuffled<T>(items: readonly T[], random: RandomGenerator): T[] {
  return Array.from(random.permutation(items.length), (i) => items[i]);
}

/** Assigns some pictures to the other camera, independent of their contents. */
function withCameras(sheets: readonly Sheet[], random: RandomGenerator): Sheet[] {
  const canon = new Set(random.permutation(sheets.length).subarray(0, Math.round(sheets.length * canonShare)));
  return sheets.map(({ name, job }, i) => ({ name, job: canon.has(i) ? { ...job, camera: 'Canon' } : job }));
}

function countKinds(sheets: readonly Sheet[]): Record<EyeKind, number> {
  const counts: Record<EyeKind, number> = { N: 0, H: 0, P: 0 };
  for (const { job } of sheets) counts[job.kind]++;
  return counts;
}

function digits(number: number): string {
  return `${number}`.padStart(4, '0');
}

function requireInteger(name: string, value: number, low: number, high: number): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  throw new InputError(`[palm synth] ${name}: expected an integer from ${low} to ${high}, got ${value}`);
}
