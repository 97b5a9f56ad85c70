import { InputError } from '../../errors.js';
import { equalData } from '../../graph/equal.js';
import { listed } from '../../text/list.js';
import { option } from '../../text/option.js';
import { type Predictions, partOf, selected } from '../predictions/predictions.js';
import type { PredictionSource } from './source.js';

/** Predictions of several models for the same pictures, in the same order. */
export interface Matched {
  /** Name of the part: `test`, `validation`, or `out of fold`. */
  readonly part: string;
  readonly predictions: readonly Predictions[];
}

const outOfFold = 'out of fold';

/**
 * Puts the predictions of several models for a part of the data into the same order.
 *
 * @param wanted the part. Default: the first of test, validation and out-of-fold predictions that all have
 * @throws {InputError} for other pictures, labels or classes, and for a part that a model does not have
 */
export function matched(sources: readonly PredictionSource[], wanted?: string): Matched {
  const [first, ...others] = sources;
  const part = partFor(sources, wanted);
  const all = sources.map((source) => ofPart(source, part));
  for (const { path, predictions } of others) {
    const [known, own] = [first.predictions.classNames, predictions.classNames];
    if (equalData(known, own)) continue;
    throw new InputError(
      `[compare] ${path}: expected the classes of ${first.path}, ${listed(known)}, got ${listed(own)}`,
    );
  }
  const places = all.map((predictions, i) => placesOf(predictions, sources[i].path));
  const { files, labels, classNames } = all[0];
  const ordered = all.map((predictions, m) => {
    requireSamePictures(files, places[m], sources[0].path, sources[m].path);
    const same = selected(
      predictions,
      files.map((file) => places[m].get(file) as number),
    );
    const other = labels.findIndex((label, i) => label !== same.labels[i]);
    if (other < 0) return same;
    throw new InputError(
      `[compare] ${sources[m].path}: expected the label ${classNames[labels[other]]} for ${files[other]}, as in ` +
        `${sources[0].path}, got ${classNames[same.labels[other]]}; evaluate both on the same data`,
    );
  });
  requireSameContents(sources, part);
  return { part, predictions: ordered };
}

function partsIn({ predictions }: PredictionSource): string[] {
  const parts = [...new Set(predictions.splits)];
  return parts.every((part) => part.startsWith('fold-')) ? [outOfFold] : parts;
}

function partFor(sources: readonly PredictionSource[], wanted: string | undefined): string {
  const parts = sources.map(partsIn);
  const usual = ['test', 'validation', outOfFold, 'all', 'train'].filter(
    (part) => wanted === undefined || part === wanted,
  );
  const found = usual.find((part) => parts.every((own) => own.includes(part)));
  if (found !== undefined) return found;
  const each = sources.map(({ path }, i) => `${path} has ${parts[i].join(' and ')}`);
  throw new InputError(
    `[compare] predictions: expected ${wanted === undefined ? 'a part of the data that all have' : `those of ${wanted}`}, got others: ` +
      `${each.join('; ')}; evaluate the runs on the same images with ${option('predictions')}, and compare the tables`,
  );
}

function ofPart({ predictions }: PredictionSource, part: string): Predictions {
  return part === outOfFold ? predictions : partOf(predictions, part);
}

function placesOf({ files }: Predictions, path: string): ReadonlyMap<string, number> {
  const places = new Map(files.map((file, i) => [file, i]));
  if (places.size === files.length) return places;
  const twice = files.find((file, i) => places.get(file) !== i);
  throw new InputError(`[compare] ${path}: expected each picture once, got ${twice} several times`);
}

function requireSamePictures(
  files: readonly string[],
  places: ReadonlyMap<string, number>,
  first: string,
  path: string,
): void {
  const missing = files.filter((file) => !places.has(file));
  const known = new Set(files);
  const added = [...places.keys()].filter((file) => !known.has(file));
  if (missing.length + added.length === 0) return;
  const parts = [
    ...(missing.length > 0 ? [`${missing.length} of them without a prediction, such as ${missing[0]}`] : []),
    ...(added.length > 0 ? [`${added.length} others, such as ${added[0]}`] : []),
  ];
  throw new InputError(
    `[compare] ${path}: expected the ${files.length} pictures of ${first}, got ${parts.join(' and ')}; evaluate both on the ` +
      `same data with ${option('predictions')}, and compare the tables`,
  );
}

/** Pictures of the same names may be others. */
function requireSameContents(sources: readonly PredictionSource[], part: string): void {
  const digestOf = ({ predictions: { record } }: PredictionSource) =>
    record.parts.find(({ split }) => split === part)?.sha256;
  const known = digestOf(sources[0]);
  const other = sources.find((source) => {
    const digest = digestOf(source);
    return known !== undefined && digest !== undefined && digest !== known;
  });
  if (other === undefined) return;
  throw new InputError(
    `[compare] ${other.path}: expected the ${part} images of ${sources[0].path}, got others with the same names; evaluate both ` +
      'on the same data',
  );
}
