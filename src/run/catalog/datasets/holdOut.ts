import { FileError, InputError } from '../../../errors.js';
import { dividedGroups, holdOut } from '../../../io/data/split/split.js';
import { RandomGenerator } from '../../../random.js';
import { listed } from '../../../text/list.js';
import type { ImageFile, ImageFileDataset } from '../../../vision/datasets/reading/imageFiles.js';
import type { HoldOut } from './namedDataset.js';

/** Indices of the pictures of each part, ascending. */
interface Divided {
  readonly train: Iterable<number>;
  readonly validation: Iterable<number>;
  readonly test: Iterable<number>;
}

/**
 * Holds out a fraction of each class for validation, and another for the test. Pictures of one group stay
 * together. The same pictures and seed give the same parts.
 *
 * @throws {InputError} for shares that leave nothing for training, and for fewer groups than parts
 * @throws {FileError} for a class with one picture, unless there are groups or a test part
 */
export function divide({ files, classNames }: ImageFileDataset, wanted: HoldOut, source: string): Divided {
  const { share, test = 0, seed } = wanted;
  if (!(share > 0 && share < 1)) {
    throw new InputError(`[hold-out] share: expected a number between 0 and 1, got ${share}`);
  }
  const isGrouped = files.some(({ group }) => group !== undefined);
  if (!isGrouped && test === 0) return { ...byClass(files, classNames, wanted, source), test: [] };
  const table = {
    labels: files.map(({ label }) => label),
    ...(isGrouped && { groups: files.map(({ group }) => group) }),
    files: files.map(({ path }) => path),
    classNames,
  };
  return holdOut(table, { validation: share, test, seed });
}

/** Splits each class by the fraction. At least one picture of each class is on either side. */
function byClass(
  files: readonly ImageFile[],
  classNames: readonly string[],
  { share, seed }: HoldOut,
  source: string,
): Omit<Divided, 'test'> {
  const held = new Set<number>();
  classNames.forEach((name, label) => {
    const own = files.flatMap((file, i) => (file.label === label ? [i] : []));
    if (own.length < 2) {
      throw new FileError(
        `[hold-out] ${source}: expected at least 2 pictures of ${name}, one to train on and one to evaluate, ` +
          `got ${own.length}; add some or remove the class`,
      );
    }
    const count = Math.min(own.length - 1, Math.max(1, Math.round(share * own.length)));
    const order = new RandomGenerator(seed).fork(`hold-out ${name}`).permutation(own.length);
    for (const place of order.subarray(0, count)) held.add(own[place]);
  });
  const all = files.map((_, i) => i);
  return { train: all.filter((i) => !held.has(i)), validation: all.filter((i) => held.has(i)) };
}

type Placed = ImageFile & { readonly role: string | null };

/** @throws {InputError} for groups that the parts of the data themselves divide */
export function requireWholeGroups(where: string, files: readonly Placed[]): void {
  const placed = files.filter(({ group, role }) => group !== undefined && role !== null);
  const divided = dividedGroups(
    placed.map(({ group }) => group ?? ''),
    placed.map(({ role }) => role ?? ''),
  );
  if (divided.length === 0) return;
  throw new InputError(
    `[${where}] groups: expected each in one part of the data, got pictures of ${listed(divided)} in several; move them, or ` +
      'leave out the parts',
  );
}

/** Groups with pictures of several classes, as a note for people. */
export function mixedGroupNotes(files: readonly ImageFile[]): string[] {
  const labels = new Map<string, number>();
  const mixed = new Set<string>();
  for (const { group, label } of files) {
    if (group === undefined) continue;
    if ((labels.get(group) ?? label) !== label) mixed.add(group);
    labels.set(group, label);
  }
  return mixed.size === 0
    ? []
    : [`groups with pictures of several classes stay together all the same: ${listed([...mixed])}`];
}
