import { FileError, InputError } from '../../../errors.js';
import { safeCell as splitKey } from '../../../text/csv.js';
import { listed as namesOf } from '../../../text/list.js';
import { numbersAmong } from '../../../vision/datasets/labelNames.js';
import { describePassedOver, type PassedOver } from '../../../vision/datasets/listing.js';
import { type ImageFile, ImageFileDataset } from '../../../vision/datasets/reading/imageFiles.js';
import type { SplitRole } from '../../../vision/datasets/splits.js';
import { applyFixes } from '../../dataCheck/fixes.js';
import { divide, mixedGroupNotes, requireWholeGroups } from './holdOut.js';
import type { DataPart, KnownSplit, OpenedData, OpenedSplit, OpenOptions, Split } from './namedDataset.js';
import { nameBelow, readerOptions, splitOf } from './photographs.js';

/** Pictures of a folder or a table, as they are listed. Nothing is decoded yet. */
export interface Listed {
  /** Names the data set in messages: `folder photos`. */
  readonly where: string;
  /** The folder from which names of files begin. */
  readonly root: string;
  readonly files: readonly (ImageFile & { readonly role: SplitRole | null })[];
  /** Classes of all files, in the order of their numbers. */
  readonly classNames: readonly string[];
  /** Where the pictures of a part come from. */
  source(role: SplitRole | null): string;
  /** Where a part comes from, in short: `train`, `column split`. */
  origin(role: SplitRole): string;
  readonly passedOver: readonly PassedOver[];
  readonly notes: readonly string[];
  /** Advice about a class that is the only one, or that a network does not know; null if there is none. */
  advice(className: string): string | null;
}

const roles: readonly SplitRole[] = ['train', 'validation', 'test'];

/**
 * Data in which each picture belongs to a part, or none does. The validation part selects the best epoch. If
 * it is missing, some training pictures are held out for it. Test pictures are used only if the caller opens
 * them.
 */
export function openListed(found: Listed, options: OpenOptions): OpenedData {
  const { images, holdOut } = options;
  const listed = asBefore(fixed(found, options.fixes), options.split);
  const has = (role: SplitRole) => listed.files.some((file) => file.role === role);
  const isDivided = listed.files.some(({ role }) => role !== null);
  requireWholeGroups(listed.where, listed.files);
  if (isDivided && options.split === undefined && holdOut?.test !== undefined) {
    throw new InputError(
      `[${listed.where}] hold-out: expected one share, since the data have parts of their own, got one for the test too; ` +
        'leave it out',
    );
  }
  const { classNames, files } = numbered(listed, options.classNames, isDivided && has('train'));
  // In older runs, which held nothing out then, test pictures served for validation.
  const evaluated: SplitRole = has('validation') || holdOut !== null ? 'validation' : 'test';
  const held = has(evaluated) ? null : holdOut;
  const learning = isDivided ? 'train' : null;

  const openFiles = async (chosen: typeof files, source: string, part: string) => {
    if (chosen.length > 0) {
      return { dataset: await ImageFileDataset.list(listed.where, chosen, classNames, readerOptions(options)), source };
    }
    const others = roles.filter(has).join(' and ');
    throw new FileError(
      `[${listed.where}] pictures for ${part}: expected some, got ${others === '' ? 'none' : `only those for ${others}`}; ` +
        'add them, or choose other data',
    );
  };
  const byRole = (role: SplitRole | null, part: string) =>
    openFiles(
      files.filter((file) => file.role === role),
      listed.source(role),
      part,
    );
  // Training pictures and those held out of them share what was decoded.
  let whole: ReturnType<typeof byRole> | undefined;
  const open = async (split: Split): Promise<OpenedSplit> => {
    if (split === 'all') {
      const { dataset, source } = await openFiles(files, listed.source(null), 'evaluation');
      return splitOf(dataset, source, listed.root);
    }
    if ((split === 'test' && held?.test === undefined) || (split === 'validation' && held === null)) {
      const role = split === 'test' ? split : evaluated;
      const { dataset, source } = await byRole(role, role === 'test' ? role : 'validation');
      return splitOf(dataset, source, listed.root);
    }
    whole ??= byRole(learning, 'training');
    const { dataset, source } = await whole;
    if (held === null) return splitOf(dataset, source, listed.root);
    const divided = divide(dataset, held, source);
    if (split !== 'train') return splitOf(dataset.subset(divided[split]), source, listed.root);
    // Unreadable pictures were left out before the split, so they count with the training part alone.
    return splitOf(dataset.subset(divided.train), source, listed.root, dataset.quarantine);
  };
  const foundIn = (role: SplitRole) => found.files.filter((file) => file.role === role).length;
  const parts: DataPart[] = roles
    .filter((role) => foundIn(role) > 0)
    .map((role) => ({ role, from: found.origin(role), images: foundIn(role) }));
  return {
    title: `pictures of ${options.location}`,
    classNames,
    imageShape: [3, images.height, images.width],
    images,
    holdOut: foundIn(evaluated) > 0 ? null : holdOut,
    hasTest: (has('test') && evaluated !== 'test') || held?.test !== undefined,
    synthetic: false,
    obstacle: classNames.length === 1 ? oneClass(listed, classNames[0]) : null,
    parts,
    passedOver: listed.passedOver,
    notes: [...listed.notes, ...mixedGroupNotes(files)],
    open,
  };
}

/** The pictures after a person's decisions about them. */
function fixed(listed: Listed, fixes: OpenOptions['fixes']): Listed {
  if (fixes === undefined) return listed;
  const { where, root, files, classNames, notes } = listed;
  const left = applyFixes(where, files, classNames, fixes, ({ path }) => nameBelow(root, path));
  const [excluded, relabelled] = [files.length - left.length, Object.keys(fixes.relabelled).length];
  const note = `fixes: ${excluded} pictures are left out, ${relabelled} have another label`;
  return { ...listed, files: left, notes: [...notes, note] };
}

type Place = KnownSplit['pictures'] extends ReadonlyMap<string, infer P> ? P : never;

/**
 * The pictures with the parts and groups of a split that was made before. Pictures that it does not have are
 * left out, with a note.
 */
function asBefore(listed: Listed, split: KnownSplit | undefined): Listed {
  if (split === undefined) return listed;
  const { pictures, mayDiffer } = split;
  const names = listed.files.map(({ path }) => nameBelow(listed.root, path));
  const known = names.map((name): Place | undefined => {
    // The caller's policy for unreadable pictures applies to them again.
    const wasUnreadable = split.unreadable.some((before) => before.endsWith(`/${name}`));
    return pictures.get(splitKey(name)) ?? (wasUnreadable ? { role: 'train', group: null } : undefined);
  });
  const files = listed.files.flatMap((file, i) => {
    const place = known[i];
    return place === undefined ? [] : [{ ...file, role: place.role, group: place.group ?? undefined }];
  });
  const isSame =
    files.length === listed.files.length &&
    names.filter((name) => pictures.has(splitKey(name))).length === pictures.size;
  if (files.length === 0 || (mayDiffer && !isSame)) return listed;
  const strange = listed.files.filter((_, i) => known[i] === undefined).map(({ path }) => nameBelow(listed.root, path));
  const note = `pictures that the split of the run does not have are left out: ${namesOf(strange)}`;
  return { ...listed, files, notes: [...listed.notes, ...(strange.length === 0 ? [] : [note])] };
}

/**
 * The classes and the files with the numbers of their classes. The classes are those that a network knows, or
 * those of the training pictures.
 *
 * @throws {InputError} for pictures of another class
 */
function numbered(listed: Listed, known: readonly string[] | undefined, byTraining: boolean) {
  const learnt = new Set(listed.files.flatMap(({ label, role }) => (role === 'train' ? [label] : [])));
  const classNames = known ?? listed.classNames.filter((_, label) => !byTraining || learnt.has(label));
  const numbers = numbersAmong(listed.classNames, classNames);
  const strange = listed.files.filter(({ label }) => numbers[label] < 0);
  if (strange.length === 0) {
    return { classNames, files: listed.files.map((file) => ({ ...file, label: numbers[file.label] })) };
  }
  const names = [...new Set(strange.map(({ label }) => listed.classNames[label]))];
  const roles = [...new Set(strange.flatMap(({ role }) => role ?? []))];
  const advice = names.map((name) => listed.advice(name)).find((text) => text !== null);
  const where = known === undefined ? `in the pictures for ${roles.join(' and ')}, which training has not` : 'as well';
  const got = `${names.join(', ')} ${where}`;
  throw new InputError(
    `[${listed.where}] classes: expected ${classNames.join(', ')}, got ${got}` +
      `${advice == null ? '; rename or leave them out' : ` (${names[0]}, ${advice})`}`,
  );
}

function oneClass(listed: Listed, name: string): string {
  const lacking = listed.passedOver.filter(({ what }) => what === 'folders without pictures');
  const more = lacking.length > 0 ? ` (${describePassedOver(lacking)})` : '';
  return (
    `[${listed.where}] classes: expected two or more, got one class, ${name}` +
    `${more}${`, ${listed.advice(name) ?? ''}`.replace(/, $/, '; add pictures of another class')}`
  );
}
