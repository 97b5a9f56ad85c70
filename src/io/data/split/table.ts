import * as check from '../../../check.js';
import { InputError, ShapeError } from '../../../errors.js';

/** Labels of samples, and the groups that have to stay together. */
export interface SplitTable {
  /** The class of each sample, from 0 on. */
  readonly labels: ArrayLike<number>;
  /**
   * The group of each sample, for instance the patient, the eye or the camera. Samples of one group are never
   * separated, also if their labels differ. Default: every sample is a group of its own.
   */
  readonly groups?: readonly (string | null | undefined)[] | undefined;
  /** Names of the samples, for messages. Default: row numbers. */
  readonly files?: readonly string[] | undefined;
  /** Names of the classes, for messages. Default: their numbers. */
  readonly classNames?: readonly string[] | undefined;
}

/** Samples that stay together. */
export interface Unit {
  /** Null for a sample that is in no group. */
  readonly group: string | null;
  readonly samples: readonly number[];
  /** Samples of each class. */
  readonly counts: Float64Array;
}

/** A class without samples in a part of a split. */
export interface AbsentClass {
  /** Number of the fold, or name of the part. */
  readonly part: string;
  readonly label: number;
  /** For people: `validation has no sample of class myopia`. */
  readonly message: string;
}

/**
 * The units of a table, in the order of their first samples.
 *
 * @throws {ShapeError} if columns have different lengths
 * @throws {InputError} without samples, for a label that is no class, or if some samples have no group
 */
export function unitsOf(where: string, table: SplitTable): Unit[] {
  check.requireValue(where, 'table', table, check.record);
  const { labels, groups, files } = table;
  check.requireValue(where, 'labels', labels, numbers);
  if (groups !== undefined) check.requireValue(where, 'groups', groups, check.listOf(textOrNone));
  if (files !== undefined) check.requireValue(where, 'files', files, check.listOf(check.text));
  if (table.classNames !== undefined)
    check.requireValue(where, 'classNames', table.classNames, check.listOf(check.text));
  const samples = labels.length;
  if (samples === 0) throw new InputError(`[${where}] labels: expected at least one sample, got none`);
  for (const [name, column] of Object.entries({ groups, files })) {
    if (column === undefined || column.length === samples) continue;
    throw new ShapeError(`[${where}] ${name}: expected ${samples}, one for each label, got ${column.length}`);
  }
  const nameOf = (sample: number) => (files === undefined ? `row ${sample + 1}` : files[sample]);
  for (let i = 0; i < samples; i++) {
    if (Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < mostClasses) continue;
    const got = check.shown(labels[i]);
    throw new InputError(`[${where}] label of ${nameOf(i)}: expected a class from 0 on, got ${got}`);
  }
  if (groups !== undefined) checkGroups(where, groups, nameOf);
  const classes = classCount(labels);
  const units = new Map<string | number, { group: string | null; samples: number[]; counts: Float64Array }>();
  for (let i = 0; i < samples; i++) {
    const group = groups?.[i] ?? null;
    const unit = units.get(group ?? i) ?? { group, samples: [], counts: new Float64Array(classes) };
    unit.samples.push(i);
    unit.counts[labels[i]]++;
    units.set(group ?? i, unit);
  }
  return [...units.values()];
}

/** A label beyond is a mistake, and its counts would fill the memory. */
const mostClasses = 1_000_000;
const numbers = check.rule<ArrayLike<number>>('an array of classes', (x) => {
  return Array.isArray(x) || (ArrayBuffer.isView(x) && !(x instanceof DataView));
});
const textOrNone = check.rule<string | null | undefined>(
  'text',
  (x) => x === null || x === undefined || check.text.is(x),
);

function checkGroups(where: string, groups: NonNullable<SplitTable['groups']>, nameOf: (i: number) => string): void {
  const missing = groups.flatMap((group, i) =>
    group === null || group === undefined || group.trim() === '' ? [i] : [],
  );
  if (missing.length === 0) return;
  const named = missing.slice(0, 3).map(nameOf).join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  throw new InputError(
    `[${where}] groups: expected one for each of ${groups.length} samples, got none for ${missing.length}: ${named}${more}; ` +
      'fill in the column, or give such samples a group of their own',
  );
}

function classCount(labels: ArrayLike<number>): number {
  let highest = 0;
  for (let i = 0; i < labels.length; i++) highest = Math.max(highest, labels[i]);
  return highest + 1;
}

/** Groups with samples of several classes. */
export function mixedGroups(units: readonly Unit[]): string[] {
  return units.flatMap(({ group, counts }) => {
    return group !== null && counts.filter((count) => count > 0).length > 1 ? [group] : [];
  });
}

/** Classes of the table without samples in a part. */
export function absentClasses(
  table: SplitTable,
  parts: readonly { readonly name: string; readonly samples: ArrayLike<number> }[],
): AbsentClass[] {
  const present = [...new Set(Array.from(table.labels))].sort((a, b) => a - b);
  return parts.flatMap(({ name, samples }) => {
    const own = new Set(Array.from(samples, (sample) => table.labels[sample]));
    return present
      .filter((label) => !own.has(label))
      .map((label) => {
        const className = table.classNames?.[label] ?? String(label);
        return { part: name, label, message: `${name} has no sample of class ${className}` };
      });
  });
}
