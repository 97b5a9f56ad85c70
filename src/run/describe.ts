import { formatCount } from '../text/numbers.js';
import { lossOf } from './losses.js';
import { optimizers } from './optimizers.js';
import type { Recipe } from './recipe.js';
import type { Techniques } from './trainingOptions.js';

/** A recipe for people, in order: names with values. */
export function describeRecipe(recipe: Recipe): Record<string, string> {
  const { optimizer, batchSize, shuffle, epochs, techniques } = recipe;
  const { title } = optimizers[optimizer.name];
  return {
    Optimizer: optimizer.momentum === undefined ? title : `${title} ${optimizer.momentum}`,
    'Learning rate': String(optimizer.learningRate),
    ...(optimizer.weightDecay === 0 ? {} : { 'Weight decay': String(optimizer.weightDecay) }),
    'Batch size': formatCount(batchSize),
    Order: shuffle ? 'shuffled' : 'as stored',
    Epochs: formatCount(epochs),
    Loss: lossOf(recipe).title,
    ...describeTechniques(techniques ?? {}),
  };
}

/** A recipe in one line. */
export function recipeLine(recipe: Recipe): string {
  const { Optimizer: optimizer, Order: order, Epochs: epochs, Loss: loss, ...numbers } = describeRecipe(recipe);
  const named = Object.entries(numbers).map(([name, value]) => `${name.toLowerCase()} ${value}`);
  return [optimizer, ...named, order, `${epochs} ${recipe.epochs === 1 ? 'epoch' : 'epochs'}`, loss].join(', ');
}

function describeTechniques(techniques: Techniques): Record<string, string> {
  const { schedule, clipGradNorm, accumulateGradBatches = 1, classWeight, sampler, transforms = [] } = techniques;
  const { evalEvery = 1, saveBest, earlyStopping } = techniques;
  const { freeze, probeEpochs, probeLr, layerDecay, layerRates, labelSmoothing, mixup, cutmix, averageWeights } =
    techniques;
  const options = Object.entries(schedule?.options ?? {}).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return {
    ...(schedule !== undefined && { Schedule: [`${schedule.name} by ${schedule.by}`, ...options].join(' ') }),
    ...(clipGradNorm !== undefined && { 'Gradients clipped to norm': String(clipGradNorm) }),
    ...(accumulateGradBatches > 1 && { 'Batches a step': String(accumulateGradBatches) }),
    ...(classWeight !== undefined && {
      'Class weights': classWeight === 'auto' ? 'auto' : `[${classWeight.join(' ')}]`,
    }),
    ...(sampler !== undefined && { Sampler: sampler }),
    ...(transforms.length > 0 && { Transforms: transforms.flatMap((spec) => Object.keys(spec)).join(' ') }),
    ...(probeEpochs !== undefined && {
      'Linear probe': `${probeEpochs} ${probeEpochs === 1 ? 'epoch' : 'epochs'}${probeLr === undefined ? '' : ` at rate ${probeLr}`}`,
    }),
    ...(freeze !== undefined && { 'Frozen up to': freeze }),
    ...(layerDecay !== undefined && { 'Decay of the rate by layer': String(layerDecay) }),
    ...(layerRates !== undefined && {
      'Factors of the rate': Object.entries(layerRates)
        .map(([name, factor]) => `${name} ${factor}`)
        .join(' '),
    }),
    ...(labelSmoothing !== undefined && { 'Label smoothing': String(labelSmoothing) }),
    ...(mixup !== undefined && { Mixup: String(mixup) }),
    ...(cutmix !== undefined && { CutMix: String(cutmix) }),
    ...(averageWeights !== undefined && { 'Moving average of weights': String(averageWeights) }),
    ...(evalEvery > 1 && { 'Epochs an evaluation': String(evalEvery) }),
    ...(saveBest !== undefined && { 'Best weights by': saveBest }),
    ...(earlyStopping !== undefined && { 'Early stopping after': String(earlyStopping) }),
  };
}
