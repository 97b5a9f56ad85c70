import { numel, type Shape } from '../graph/shape.js';
import type { OpenedSplit } from '../vision/datasets/registry.js';
import type { Recipe } from './recipes.js';
import type { SplitRecord } from './records.js';
import { combinedFingerprint } from './runFolder.js';

/** Small images can be judged many at a time; large ones would take gigabytes. */
export function evalBatchSize(imageShape: Shape, { batchSize }: Recipe): number {
  return numel(imageShape) > 10_000 ? batchSize : Math.max(100, batchSize);
}

export async function describeSplit(split: OpenedSplit): Promise<SplitRecord> {
  const { dataset, source, files, classCounts, unreadable } = split;
  return {
    images: dataset.length,
    source,
    sha256: await combinedFingerprint(files),
    classCounts: [...classCounts],
    unreadable: [...unreadable],
  };
}
