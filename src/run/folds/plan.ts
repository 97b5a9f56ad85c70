import { createHash } from 'node:crypto';
import { z } from 'zod';
import { FileError, InputError } from '../../errors.js';
import { kFolds } from '../../io/data/split/split.js';
import { csvText, safeCell } from '../../text/csv.js';
import { inWords } from '../../text/list.js';
import { version } from '../../version.js';
import type { KnownSplit, OpenedData } from '../catalog/datasets.js';

const count = z.int().min(0);

/** folds.json: a cross-validation. Its table is folds.csv. */
export const foldsRecord = z.strictObject({
  format: z.literal(1),
  version: z.string(),
  started: z.iso.datetime(),
  /** The number of folds, each with a network of its own in `fold-1` and so on. */
  folds: z.int().min(2),
  /** Seed of the division. */
  seed: count,
  /** Column or expression of the groups that stay together. */
  group: z.string().optional(),
  classNames: z.array(z.string()).min(2),
  /** Paths of pictures that could not be read. They are in no fold. */
  unreadable: z.array(z.string()),
  /** Digest of folds.csv. */
  tableSha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type FoldsRecord = z.infer<typeof foldsRecord>;

/** One fold as a run takes it. */
export interface FoldOfRun {
  /** From 1 on. */
  readonly number: number;
  readonly of: number;
  readonly classNames: readonly string[];
  /** Part and group of each picture; those of the fold are the validation part. */
  readonly pictures: KnownSplit['pictures'];
  readonly unreadable: readonly string[];
}

interface Row {
  /** Name of the picture as a cell of a table. */
  readonly file: string;
  /** From 1 on; null for test images, which are in no fold. */
  readonly fold: number | null;
  readonly group: string | null;
  readonly label: string;
}

/** The division of the data into folds. */
export class FoldPlan {
  readonly record: FoldsRecord;
  readonly rows: readonly Row[];
  /** Notes for people: classes that a fold lacks, groups of several classes. */
  readonly notes: readonly string[];

  private constructor(record: FoldsRecord, rows: readonly Row[], notes: readonly string[]) {
    this.record = record;
    this.rows = rows;
    this.notes = notes;
  }

  /**
   * Divides training and validation pictures into stratified folds in which groups stay together. Test
   * pictures stay apart.
   *
   * @throws {InputError} for data that are no single pictures, and for fewer pictures or groups than folds
   */
  static async divide(
    data: OpenedData,
    { name, folds, seed, group }: { name: string; folds: number; seed: number; group: string | undefined },
  ): Promise<FoldPlan> {
    if (name !== 'folder' && name !== 'csv' && name !== 'palm') {
      throw new InputError(
        `[folds] ${name}: expected folder:DIR, csv:FILE or palm:DIR, whose pictures can be divided, got data of other files`,
      );
    }
    const parts = [await data.open('train'), await data.open('validation')];
    const pictures = parts.flatMap((part) =>
      part.files.map(({ label = -1 }, i) => ({ file: part.nameOf(i), group: part.groupOf(i), label })),
    );
    pictures.sort((a, b) => (a.file < b.file ? -1 : 1));
    const isGrouped = pictures.some((picture) => picture.group !== null);
    const divided = kFolds(
      {
        labels: pictures.map(({ label }) => label),
        ...(isGrouped && { groups: pictures.map((picture) => picture.group) }),
        files: pictures.map(({ file }) => file),
        classNames: data.classNames,
      },
      { folds, seed },
    );
    const foldOf = new Uint32Array(pictures.length);
    divided.folds.forEach(({ heldOut }, i) => {
      for (const sample of heldOut) foldOf[sample] = i + 1;
    });
    const nameOf = (label: number) => data.classNames[label];
    const rows = pictures.map(
      (one, i): Row => ({ ...one, file: safeCell(one.file), fold: foldOf[i], label: nameOf(one.label) }),
    );
    if (data.hasTest) {
      const test = await data.open('test');
      test.files.forEach(({ label = -1 }, i) => {
        rows.push({ file: safeCell(test.nameOf(i)), fold: null, group: test.groupOf(i), label: nameOf(label) });
      });
    }
    const record: FoldsRecord = {
      format: 1,
      version,
      started: new Date().toISOString(),
      folds,
      seed,
      ...(group !== undefined && { group }),
      classNames: [...data.classNames],
      unreadable: parts.flatMap(({ unreadable }) => unreadable.map(({ path }) => path)),
      tableSha256: digest(tableOf(rows)),
    };
    const mixed = divided.mixedGroups;
    const notes = [
      ...divided.absent.map(({ message }) => `${message}: the fold alone has no AUC`),
      ...(mixed.length === 0 ? [] : [`groups with pictures of several classes stay together: ${inWords(mixed)}`]),
    ];
    return new FoldPlan(record, rows, notes);
  }

  /** @throws {FileError} if the table is not the one that was written */
  static async read(path: string, record: FoldsRecord, table: string): Promise<FoldPlan> {
    if (digest(table) !== record.tableSha256) {
      throw new FileError(
        `[folds] ${path}: expected the folds that the training began with, got others: the table was edited or cut; ` +
          'restore it from a copy, or train again',
      );
    }
    const { parse } = await import('csv-parse/sync');
    const [, ...lines]: string[][] = parse(table);
    const rows = lines.map(([file, fold, group, label]) => ({
      file,
      fold: fold === 'test' ? null : Number(fold),
      group: group === '' ? null : group,
      label,
    }));
    return new FoldPlan(record, rows, []);
  }

  /** folds.csv: `file,fold,group,label`. */
  get table(): string {
    return tableOf(this.rows);
  }

  /** @param number from 1 on */
  fold(number: number): FoldOfRun {
    const { folds, classNames, unreadable } = this.record;
    const roleOf = (fold: number | null) => {
      if (fold === null) return 'test';
      return fold === number ? 'validation' : 'train';
    };
    const pictures = new Map(this.rows.map(({ file, fold, group }) => [file, { role: roleOf(fold), group }] as const));
    return { number, of: folds, classNames, pictures, unreadable };
  }
}

function tableOf(rows: readonly Row[]): string {
  return csvText([
    ['file', 'fold', 'group', 'label'],
    ...rows.map(({ file, fold, group, label }) => [file, fold ?? 'test', group, label]),
  ]);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
