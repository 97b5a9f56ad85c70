import { option } from '../text/option.js';
import { countsAsSeen, type Remedies, type TrainingFacts } from '../train/advice.js';
import { namedModel } from './catalog/models.js';
import type { RunConfig } from './config.js';

/** The facts of a run that {@link trainingAdvice} needs. @param weight sum of the weights of its losses */
export function adviceFacts({ data, model, recipe }: RunConfig, weight: number): TrainingFacts {
  const { train, eval: evaluated, classNames } = data;
  return {
    classCounts: train.classCounts,
    seenCounts: countsAsSeen(train.classCounts, recipe.techniques ?? {}),
    weight,
    evalCounts: evaluated.classCounts,
    classNames,
    remedies: remediesFor(recipe, namedModel(model.name).batchNorm !== true && model.inputShape[0] === 3),
  };
}

/** @param normalizes whether another network than this one, for the same images, has normalization */
function remediesFor({ optimizer, techniques = {} }: RunConfig['recipe'], normalizes: boolean): Remedies {
  const { clipGradNorm, schedule, transforms, classWeight, sampler, saveBest } = techniques;
  const isAdam = optimizer.name === 'adam' || optimizer.name === 'adamw';
  return {
    learningRate: option('learningRate'),
    weightDecay: option('weightDecay'),
    epochs: option('epochs'),
    ...(normalizes && { normalized: 'a network with ReLU and normalization (resnet50)' }),
    ...(!isAdam && { adam: option('optimizer', 'adam') }),
    ...(clipGradNorm === undefined && { clipGradNorm: option('clipGradNorm') }),
    ...(schedule === undefined && { schedule: option('schedule') }),
    ...(transforms === undefined && { transforms: option('transforms') }),
    ...(classWeight === undefined && { classWeight: option('classWeight', 'auto') }),
    ...(sampler === undefined && {
      balanced: option('sampler', 'balanced'),
      stratified: option('sampler', 'stratified'),
    }),
    ...(saveBest === undefined && {
      bestAccuracy: option('saveBest', 'acc'),
      bestLoss: option('saveBest', 'loss'),
    }),
  };
}
