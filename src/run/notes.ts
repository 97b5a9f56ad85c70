import { formatCount } from '../text/numbers.js';
import { ChecksumIndex, unpackChecksums } from './checksums.js';
import type { PicturesRecord, RunConfig } from './config.js';
import { describeInputs } from './inputPipeline.js';
import { classNotes, type PretrainedWeights } from './pretrained.js';
import type { PerSplit, SplitDescription, Splits } from './splits.js';
import { weightsRecordOf } from './weightsRecord.js';

/** Notes about data and initial weights to show before a training. */

/**
 * A note about validation pictures with the pixels, and not the bytes, of a training picture. Pixels are only
 * known at the end of a training.
 */
export function pixelCopyNote(
  { train, validation }: PicturesRecord,
  pixels: PerSplit<readonly string[]>,
  splits: Splits,
): string | null {
  if (train.files === null || validation.files === null) return null;
  const [files, own] = [ChecksumIndex.unpack(train.files), unpackChecksums(validation.files)];
  const index = new ChecksumIndex(pixels.train);
  const copies = pixels.eval.flatMap((checksum, i) => (index.has(checksum) && !files.has(own[i]) ? [i] : []));
  return copiesNote(copies, pixels, splits, 'pixel by pixel');
}

/** Pictures in both parts of the data make metrics too good. */
export function copyNotes({ train, eval: evaluated }: PerSplit<SplitDescription>, splits: Splits): string[] {
  if (train.checksums === null || evaluated.checksums === null) return [];
  const index = new ChecksumIndex(train.checksums);
  const copies = evaluated.checksums.flatMap((checksum, i) => (index.has(checksum) ? [i] : []));
  const note = copiesNote(copies, { train: train.checksums, eval: evaluated.checksums }, splits, 'byte for byte');
  return note === null ? [] : [note];
}

/** @param copies numbers of validation pictures whose checksums are among those of the training pictures */
function copiesNote(
  copies: readonly number[],
  checksums: PerSplit<readonly string[]>,
  splits: Splits,
  how: string,
): string | null {
  if (copies.length === 0) return null;
  const original = checksums.train.indexOf(checksums.eval[copies[0]]);
  return (
    `${formatCount(copies.length)} of the ${formatCount(checksums.eval.length)} validation pictures ` +
    `${copies.length === 1 ? 'is a training picture' : 'are training pictures'} too, ${how} ` +
    `(${splits.eval.files[copies[0]].path} is ${splits.train.files[original].path}): the metrics are too ` +
    'good; remove the copies'
  );
}

/** No network can be right about both copies of a picture that is in two classes. */
export function twoClassNotes({ train, eval: evaluated }: PerSplit<SplitDescription>, splits: Splits): string[] {
  if (train.checksums === null || evaluated.checksums === null) return [];
  const checksums = [...train.checksums, ...evaluated.checksums];
  const files = [...splits.train.files, ...splits.eval.files];
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
