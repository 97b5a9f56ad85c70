import { InputError } from '../errors.js';
import { type DataName, findData, namedDataset } from './catalog/datasets.js';
import type { RunConfig } from './config.js';
import type { ResumeOptions } from './runOptions.js';
import type { PerSplit, SplitDescription, Splits } from './splits.js';

/**
 * Name and present place of the data of a run: the place of before, unless the caller gives another.
 *
 * @throws {InputError} for another data set, and for a folder where the data is a file
 */
export function knownPlace(
  known: RunConfig['data'],
  { data, dataDir }: Pick<ResumeOptions, 'data' | 'dataDir'>,
): DataName {
  if (data !== undefined) {
    const { name, location } = findData(data);
    if (name === known.name) return { name, location: location ?? dataDir ?? known.location };
    throw new InputError(`[run] data: expected ${known.name}, which the run was trained on, got ${name}`);
  }
  if (dataDir !== undefined && namedDataset(known.name).location === 'FILE') {
    throw new InputError(
      `[run] folder of the data: expected with data in a folder, got ${known.name}, which is a file; give the file as ` +
        `${known.name}:FILE`,
    );
  }
  return { name: known.name, location: dataDir ?? known.location };
}

/** @throws {InputError} unless images, labels and initial weights are those of a run */
export function requireSame(
  { data: known, model }: RunConfig,
  splits: Splits,
  described: PerSplit<SplitDescription>,
  weights = model.pretrained?.sha256,
): void {
  for (const split of ['train', 'eval', 'test'] as const) {
    // Older runs have not recorded their test images.
    if (split === 'test' && known.test === undefined) continue;
    if (described[split]?.record.sha256 === known[split]?.sha256) continue;
    throw new InputError(
      `[run] ${(splits[split] ?? splits.eval).source}: expected the images and labels of the run, got others; ` +
        'put the data back as they were, or start a new training',
    );
  }
  if (weights === model.pretrained?.sha256) return;
  throw new InputError(
    `[run] ${model.pretrained?.path}: expected the weights that the run began with, got others; put them back`,
  );
}
