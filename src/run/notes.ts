import { formatCount } from '../text/numbers.js';
import { missingClasses } from '../train/missingClasses.js';
import type { OpenedSplit, Understanding } from './catalog/datasets.js';
import { ChecksumIndex, type PixelFacts, unpackChecksums } from './checksums.js';
import type { PicturesRecord, RunConfig } from './config.js';
import { describeInputs } from './inputPipeline.js';
import { LookIndex } from './looks.js';
import { classNotes, type PretrainedWeights } from './pretrained.js';
import { type PerSplit, partsOf, type SplitDescription, type Splits } from './splits.js';
import { weightsRecordOf } from './weightsRecord.js';

/** Notes about data and initial weights to show before a training. */

/** All notes before a training, with those about classes without images. */
export function startNotes(
  { data: { classNames, eval: evaluated, test } }: RunConfig,
  notes: readonly string[],
  understood: Pick<Understanding, 'notes'>,
): string[] {
  const missed = [
    missingClasses('validation images', classNames, evaluated.classCounts),
    test === undefined ? null : missingClasses('test images', classNames, test.classCounts),
  ].filter((note) => note !== null);
  return [...notes, ...understood.notes, ...missed];
}

/**
 * Notes about validation pictures with the pixels, and not the bytes, of a training picture, and about
 * others that look like one. Pixels are only known at the end of a training.
 */
export function pixelCopyNotes(
  { train, validation }: PicturesRecord,
  { train: trained, eval: evaluated }: { readonly train: PixelFacts; readonly eval: PixelFacts },
  splits: Splits,
): string[] {
  if (train.files === null || validation.files === null) return [];
  const [files, own] = [ChecksumIndex.unpack(train.files), unpackChecksums(validation.files)];
  const pixels = new ChecksumIndex(trained.checksums);
  const looks = new LookIndex(Buffer.concat(trained.looks));
  const others = evaluated.checksums.flatMap((checksum, i) => (files.has(own[i]) ? [] : [{ i, checksum }]));
  const copies = others.flatMap(({ i, checksum }) => (pixels.has(checksum) ? [i] : []));
  const alike = others.flatMap(({ i, checksum }) => {
    const original = pixels.has(checksum) ? null : looks.find(evaluated.looks[i]);
    return original === null ? [] : [{ i, original }];
  });
  const [original, copy] = [
    { name: 'training', checksums: trained.checksums, split: splits.train },
    { name: 'validation', checksums: evaluated.checksums, split: splits.eval },
  ];
  return [copiesNote(copies, original, copy, 'pixel by pixel'), alikeNote(alike, splits)].filter(
    (note) => note !== null,
  );
}

/** A part of the data with the checksums of its pictures. */
interface Part {
  readonly name: string;
  readonly checksums: readonly string[];
  readonly split: OpenedSplit;
}

/** Pictures in two parts of the data make metrics too good. */
export function copyNotes(described: PerSplit<SplitDescription>, splits: Splits): string[] {
  const parts = (['train', 'eval', 'test'] as const).flatMap((part): Part[] => {
    const [checksums, split] = [described[part]?.checksums ?? null, splits[part]];
    const name = { train: 'training', eval: 'validation', test: 'test' }[part];
    return checksums === null || split === null ? [] : [{ name, checksums, split }];
  });
  const notes = parts.flatMap((copy, i) =>
    parts.slice(0, i).map((original) => {
      const index = new ChecksumIndex(original.checksums);
      const copies = copy.checksums.flatMap((checksum, k) => (index.has(checksum) ? [k] : []));
      return copiesNote(copies, original, copy, 'byte for byte');
    }),
  );
  return notes.filter((note) => note !== null);
}

/** @param copies numbers of pictures of the second part whose checksums are among those of the first */
function copiesNote(copies: readonly number[], original: Part, copy: Part, how: string): string | null {
  if (copies.length === 0) return null;
  const place = original.checksums.indexOf(copy.checksums[copies[0]]);
  return (
    `${formatCount(copies.length)} of the ${formatCount(copy.checksums.length)} ${copy.name} pictures ` +
    `${copies.length === 1 ? `is a ${original.name} picture` : `are ${original.name} pictures`} too, ${how} ` +
    `(${copy.split.files[copies[0]].path} is ${original.split.files[place].path}): the metrics are too ` +
    'good; remove the copies'
  );
}

/** @param pairs numbers of validation pictures and of the training pictures that they look like */
function alikeNote(pairs: readonly { readonly i: number; readonly original: number }[], splits: Splits): string | null {
  if (pairs.length === 0) return null;
  const [{ i, original }] = pairs;
  return (
    `${formatCount(pairs.length)} of the ${formatCount(splits.eval.files.length)} validation pictures ` +
    `${pairs.length === 1 ? 'looks like a training picture' : 'look like training pictures'}, saved again or resized ` +
    `(${splits.eval.files[i].path} is like ${splits.train.files[original].path}): if so, the metrics are too ` +
    'good; remove the copies'
  );
}

/** No network can be right about both copies of a picture that is in two classes. */
export function twoClassNotes(described: PerSplit<SplitDescription>, splits: Splits): string[] {
  const parts = partsOf(described);
  if (parts.some(({ checksums }) => checksums === null)) return [];
  const checksums = parts.flatMap((part) => part.checksums ?? []);
  const files = partsOf(splits).flatMap((split) => split.files);
  const first = new Map<string, number>();
  const pairs = checksums.flatMap((checksum, i) => {
    const before = first.get(checksum);
    if (before === undefined) first.set(checksum, i);
    return before === undefined || files[before].label === files[i].label ? [] : [[before, i]];
  });
  if (pairs.length === 0) return [];
  const [one, other] = pairs[0].map((i) => files[i].path);
  const count = pairs.length === 1 ? 'a picture is' : `${formatCount(pairs.length)} pictures are`;
  return [`${count} in two classes, byte for byte (${other} is ${one}): remove those in the wrong one`];
}

/** Notes about the weights that a training begins with. */
export function weightsNotes(weights: PretrainedWeights, renewed: readonly string[], config: RunConfig): string[] {
  const then = weights.record && describeInputs(weights.record);
  const now = describeInputs(weightsRecordOf(config));
  return [
    ...classNotes(weights, config.data.classNames, renewed),
    ...(then === null || now === then ? [] : [`the inputs are ${now}; those of the weights were ${then}`]),
  ];
}
