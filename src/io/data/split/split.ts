import * as check from '../../../check.js';
import { InputError } from '../../../errors.js';
import { RandomGenerator } from '../../../random.js';
import { assign } from './assign.js';
import { type AbsentClass, absentClasses, mixedGroups, type SplitTable, type Unit, unitsOf } from './table.js';

export interface HoldOutOptions {
  /** Share of the samples for validation, from 0 to below 1. Default: 0.2. */
  readonly validation?: number | undefined;
  /** Share of the samples for the test, from 0 to below 1. Default: 0. */
  readonly test?: number | undefined;
  /** The same table and seed give the same split. Default: 0. */
  readonly seed?: number | undefined;
}

/** Facts about a split that its reader should know. */
export interface SplitNotes {
  /** Classes that have no sample in a part. */
  readonly absent: readonly AbsentClass[];
  /** Groups with samples of several classes. They are kept together all the same. */
  readonly mixedGroups: readonly string[];
}

/** Indices of samples, ascending. */
export interface HoldOut extends SplitNotes {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

/** One of K splits: every sample is held out in exactly one of them. Indices are ascending. */
export interface Fold {
  readonly train: Uint32Array;
  readonly heldOut: Uint32Array;
}

export interface Folds extends SplitNotes {
  readonly folds: readonly Fold[];
}

/**
 * Holds out samples for validation and test, stratified by class and with groups kept together. Sizes and
 * shares of classes are as near the wanted ones as the groups allow.
 *
 * @throws {ShapeError} if columns of the table have different lengths
 * @throws {InputError} for shares that leave nothing for training, if some samples have no group, or if
 *   there are fewer groups than parts
 */
export function holdOut(table: SplitTable, options: HoldOutOptions = {}): HoldOut {
  const { validation = 0.2, test = 0, seed = 0 } = check.requireOptions('holdOut', options, holdOutChecks);
  if (!(validation + test < 1)) {
    throw new InputError(
      `[holdOut] shares: expected a sum below 1, so that samples are left for training, got ${validation} + ${test}`,
    );
  }
  const units = unitsOf('holdOut', table);
  const wanted = [
    { name: 'train', share: 1 - validation - test },
    { name: 'validation', share: validation },
    { name: 'test', share: test },
  ].filter(({ share }) => share > 0);
  requireUnits('holdOut', units, wanted.length, 'parts');
  const parts = distribute(units, wanted, new RandomGenerator(seed), table.labels.length);
  const samplesOf = (name: string) => parts.find((part) => part.name === name)?.samples ?? new Uint32Array(0);
  return {
    train: samplesOf('train'),
    validation: samplesOf('validation'),
    test: samplesOf('test'),
    absent: absentClasses(table, parts),
    mixedGroups: mixedGroups(units),
  };
}

/**
 * Divides samples into K parts of about the same size and shares of classes, with groups kept together. Each
 * part is held out once, while a network is trained on the others.
 *
 * @param options.folds the number of parts, at least 2
 * @param options.seed the same table and seed give the same folds. Default: 0.
 * @throws {ShapeError} if columns of the table have different lengths
 * @throws {InputError} if some samples have no group, or there are fewer groups than folds
 */
export function kFolds(table: SplitTable, options: { readonly folds: number; readonly seed?: number }): Folds {
  const { folds: count, seed = 0 } = check.requireOptions('kFolds', options, { folds: foldCount, seed: seeds });
  check.requireValue('kFolds', 'folds', count, foldCount);
  const units = unitsOf('kFolds', table);
  requireUnits('kFolds', units, count, 'folds');
  const wanted = Array.from({ length: count }, (_, i) => ({ name: `fold ${i + 1}`, share: 1 / count }));
  const parts = distribute(units, wanted, new RandomGenerator(seed), table.labels.length);
  const partOf = new Uint32Array(table.labels.length);
  parts.forEach(({ samples }, part) => {
    for (const sample of samples) partOf[sample] = part;
  });
  const all = Uint32Array.from(partOf, (_, i) => i);
  return {
    folds: parts.map(({ samples }, part) => ({
      train: all.filter((sample) => partOf[sample] !== part),
      heldOut: samples,
    })),
    absent: absentClasses(table, parts),
    mixedGroups: mixedGroups(units),
  };
}

/**
 * Groups with samples in several parts of a split, in the order of their first samples.
 *
 * @param parts the part of each sample, for instance `train`
 * @throws {InputError} unless there is a group for each part
 */
export function dividedGroups(groups: readonly string[], parts: readonly string[]): string[] {
  check.requireValue('dividedGroups', 'groups', groups, check.listOf(check.text));
  check.requireValue('dividedGroups', 'parts', parts, check.listOf(check.text));
  if (groups.length !== parts.length) {
    throw new InputError(`[dividedGroups] parts: expected ${groups.length}, one for each group, got ${parts.length}`);
  }
  const first = new Map<string, string>();
  const divided = new Set<string>();
  groups.forEach((group, i) => {
    const part = first.get(group) ?? parts[i];
    first.set(group, part);
    if (part !== parts[i]) divided.add(group);
  });
  return [...first.keys()].filter((group) => divided.has(group));
}

const seeds = check.integer(0);
const belowOne = check.rule<number>('a share from 0 to below 1', check.shareBelowOne.is);
const holdOutChecks: check.OptionChecks<HoldOutOptions> = { validation: belowOne, test: belowOne, seed: seeds };
const foldCount = check.rule<number>('a whole number of at least 2', check.integer(2).is);

function requireUnits(where: string, units: readonly Unit[], needed: number, parts: string): void {
  if (units.length >= needed) return;
  const kind = units[0].group === null ? 'samples' : 'groups';
  throw new InputError(`[${where}] ${kind}: expected at least ${needed} for ${needed} ${parts}, got ${units.length}`);
}

function distribute(
  units: readonly Unit[],
  wanted: readonly { readonly name: string; readonly share: number }[],
  generator: RandomGenerator,
  samples: number,
): { name: string; samples: Uint32Array }[] {
  const partOf = assign(
    units,
    wanted.map(({ share }) => share),
    generator,
  );
  fillEmpty(units, partOf, wanted.length);
  const partOfSample = new Uint32Array(samples);
  units.forEach((unit, i) => {
    for (const sample of unit.samples) partOfSample[sample] = partOf[i];
  });
  const all = Uint32Array.from(partOfSample, (_, i) => i);
  return wanted.map(({ name }, part) => ({ name, samples: all.filter((sample) => partOfSample[sample] === part) }));
}

/** Gives a part without units the smallest unit of the part with the most. */
function fillEmpty(units: readonly Unit[], partOf: Uint32Array, parts: number): void {
  for (let part = 0; part < parts; part++) {
    if (partOf.includes(part)) continue;
    const members = Array.from({ length: parts }, (_, p) => units.flatMap((_, i) => (partOf[i] === p ? [i] : [])));
    const donor = members.reduce((most, own) => (own.length > most.length ? own : most));
    const smallest = donor.reduce((least, i) => (units[i].samples.length < units[least].samples.length ? i : least));
    partOf[smallest] = part;
  }
}
