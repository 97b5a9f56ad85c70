import type { Dataset } from '../io/data/dataset.js';
import { kindOf } from '../kind.js';
import { BatchNorm2D } from '../nn/index.js';
import { countsAsSeen, type Remedies, trainingAdvice } from '../train/advice.js';
import type { EpochRecord } from '../train/history.js';
import { isCrossEntropy } from '../train/losses.js';
import type { TrainOptions } from '../train/options.js';
import type { FitOptions } from './options.js';

/** Advice for a training by `Model.fit` that went wrong; null if nothing is to be said. */
export function fitAdvice(
  history: readonly EpochRecord[],
  training: TrainOptions,
  { sampler, ...options }: FitOptions,
): string | null {
  const { trainLoader, evalLoader, loss, classWeights } = training;
  const counts = isCrossEntropy(loss) ? countsOf(trainLoader.dataset) : null;
  return trainingAdvice(history, {
    classCounts: counts,
    seenCounts: counts && countsAsSeen(counts, { sampler, classWeight: classWeights }),
    evalCounts: (evalLoader && countsOf(evalLoader.dataset)) ?? undefined,
    classNames: trainLoader.dataset.classNames,
    remedies: remediesFor(training, { ...options, sampler }),
  });
}

/** Samples of each class, if the labels are known without reading the data. */
function countsOf({ labels, classNames = [] }: Dataset): number[] | null {
  if (labels === undefined) return null;
  const counts = new Array<number>(classNames.length).fill(0);
  for (const label of Array.from(labels)) {
    while (label >= counts.length) counts.push(0);
    // Negative labels are left out of the loss.
    if (label >= 0) counts[label]++;
  }
  return counts;
}

function remediesFor({ network, optimizer }: TrainOptions, options: FitOptions): Remedies {
  const { trainData, classWeight, sampler, saveDir, saveBest, restoreBest } = options;
  const keepsBest = saveBest === true || restoreBest === true;
  const best = saveDir === undefined ? 'restoreBest' : 'saveBest';
  const hasLoader = 'dataset' in trainData;
  return {
    learningRate: '`learningRate` of the optimizer',
    weightDecay: '`weightDecay` of the optimizer',
    epochs: '`epochs`',
    ...(!network.sublayers().some((layer) => layer instanceof BatchNorm2D) && {
      normalized: 'a network with normalization (`nn.BatchNorm2D`)',
    }),
    ...(!kindOf(optimizer).startsWith('Adam') && { adam: '`optimizer.Adam`' }),
    ...(optimizer.settings.gradClip === undefined && { clipGradNorm: '`optimizer.ClipGradByGlobalNorm`' }),
    ...(optimizer.schedule === null && { schedule: '`optimizer.lr`' }),
    transforms: '`vision.transforms`',
    ...(classWeight === undefined && { classWeight: "`classWeight: 'auto'`" }),
    ...(sampler === undefined &&
      !hasLoader && { balanced: "`sampler: 'balanced'`", stratified: "`sampler: 'stratified'`" }),
    ...(!keepsBest && {
      bestAccuracy: `\`${best}: true\` with \`monitor: 'acc'\``,
      bestLoss: `\`${best}: true\``,
    }),
  };
}
