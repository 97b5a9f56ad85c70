import { DataLoader } from '../io/data/dataloader.js';
import type { SamplerName } from '../io/data/sampler.js';
import { ClipGradByGlobalNorm, type GradientClip, type lr } from '../optimizer/index.js';
import { orderOf } from '../train/classBalance.js';
import { parseTransforms } from '../vision/transforms/parse.js';
import type { TransformSpec } from '../vision/transforms/transform.js';
import type { OpenedSplit } from './catalog/datasets.js';
import { makeSchedule, type ScheduleSettings } from './schedule.js';

/** What a training does beyond the plain recipe. */
export interface Techniques {
  /** How the learning rate changes. */
  readonly schedule?: ScheduleSettings | undefined;
  /** The largest norm of all gradients together that is left as it is. */
  readonly clipGradNorm?: number | undefined;
  /** Batches whose gradients make one step. */
  readonly accumulateGradBatches?: number | undefined;
  /** Weight of each class in the training's loss; `auto` makes all classes weigh the same together. */
  readonly classWeight?: 'auto' | readonly number[] | undefined;
  /** `balanced` shows every class equally often, `stratified` every image once, mixed evenly. */
  readonly sampler?: SamplerName | undefined;
  /** Changes of the training's images, drawn anew for each epoch. */
  readonly transforms?: readonly TransformSpec[] | undefined;
  /** Epochs between two evaluations (1). The last epoch is always judged. */
  readonly evalEvery?: number | undefined;
  /** Keeps the weights of the epoch with the best figure: `loss`, `acc`, `train_loss`. */
  readonly saveBest?: string | undefined;
  /** Ends the training once a figure, that of `saveBest` or else the loss, has not got better in so many evaluations. */
  readonly earlyStopping?: number | undefined;
}

/** Size of a training. */
interface Extent {
  readonly batchSize: number;
  readonly epochs: number;
  readonly images: number;
}

/** What an optimizer is made with, besides the recipe's settings. */
export function optimizerExtras(
  { schedule, clipGradNorm, accumulateGradBatches = 1 }: Techniques,
  learningRate: number,
  { batchSize, epochs, images }: Extent,
): { readonly learningRate?: lr.Schedule; readonly gradClip?: GradientClip } {
  const steps = Math.ceil(Math.ceil(images / batchSize) / accumulateGradBatches);
  const total = schedule?.by === 'epoch' ? epochs : epochs * steps;
  return {
    ...(schedule !== undefined && { learningRate: makeSchedule(schedule, learningRate, total) }),
    ...(clipGradNorm !== undefined && { gradClip: new ClipGradByGlobalNorm({ clipNorm: clipGradNorm }) }),
  };
}

/** The training's batches. */
export async function trainLoaderOf(
  { dataset }: Pick<OpenedSplit, 'dataset'>,
  { transforms, sampler, accumulateGradBatches }: Techniques,
  { batchSize, shuffle }: { readonly batchSize: number; readonly shuffle: boolean },
): Promise<DataLoader> {
  const changed = transforms === undefined ? dataset : dataset.withTransform(parseTransforms(transforms));
  // A step is over before the next batch, unless several make one.
  const reuse = accumulateGradBatches === undefined;
  return new DataLoader(changed, { batchSize, reuse, ...(await orderOf(dataset, sampler, shuffle)) });
}

/** As people read it. */
export function describeTechniques(techniques: Techniques): Record<string, string> {
  const { schedule, clipGradNorm, accumulateGradBatches = 1, classWeight, sampler, transforms = [] } = techniques;
  const { evalEvery = 1, saveBest, earlyStopping } = techniques;
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
    ...(evalEvery > 1 && { 'Epochs an evaluation': String(evalEvery) }),
    ...(saveBest !== undefined && { 'Best weights by': saveBest }),
    ...(earlyStopping !== undefined && { 'Early stopping after': String(earlyStopping) }),
  };
}
