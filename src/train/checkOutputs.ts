import { InputError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { nodesBehind } from '../graph/walk.js';
import { RandomGenerator } from '../random.js';
import { Tensor } from '../tensor/tensor.js';
import { type Objective, objectiveOf } from './objective.js';
import { meaningOf, outputsNotice, requireClasses } from './outputs.js';
import { within } from './scope.js';
import type { StepOptions } from './step.js';

/** Facts about a training that are known before its first step. */
export interface Plan {
  /** For messages: `train`. */
  readonly where: string;
  /** Samples in the smallest batch. */
  readonly smallestBatch: number;
  /** Samples in all other batches. */
  readonly batchSize: number;
  /** Classes of the samples, as far as they are known. */
  readonly labels: readonly ArrayLike<number>[];
}

/**
 * Checks the first objective of a training, before anything is computed.
 *
 * @returns a warning, or null
 * @throws {InputError} for labels that are not classes of the outputs, and for batch norm over a single value
 */
export function inspectObjective({ loss, outputs }: Objective, plan: Plan): string | null {
  const meaning = meaningOf(loss, outputs);
  for (const labels of plan.labels) requireClasses(plan.where, labels, meaning, outputs.shape);
  requireStatistics(loss, plan);
  return outputsNotice(meaning, outputs);
}

/**
 * Does the same as {@link inspectObjective} before there is a batch.
 *
 * @param imageShape `[channels, height, width]`
 */
export function inspectTraining(options: StepOptions, imageShape: Shape, plan: Plan): string | null {
  const { training } = options.network;
  options.network.train();
  try {
    const images = Tensor.placeholder([plan.smallestBatch, ...imageShape], 'float32');
    const labels = Tensor.placeholder([plan.smallestBatch], 'int32');
    const objective = within({ generator: new RandomGenerator(0) }, () => objectiveOf(options, images, labels));
    return inspectObjective(objective, plan);
  } finally {
    if (!training) options.network.eval();
  }
}

/**
 * Refuses a batch norm over single values. In training it computes the variance of each channel over a batch.
 * The variance of a single value is 0, so the output would be the same for every image.
 */
function requireStatistics(loss: Tensor, { where, smallestBatch, batchSize }: Plan): void {
  if (smallestBatch > 1) return;
  const single = nodesBehind(loss.value).find(({ op, inputs: [x] }) => {
    return op === 'batchNormTrain' && x.shape.slice(2).every((size) => size === 1);
  });
  if (single === undefined) return;
  const [, channels, height, width] = single.inputs[0].shape;
  const found = `got one (${channels} channels of ${height}×${width} in a batch of one image)`;
  const advice =
    batchSize === 1
      ? 'take larger batches or larger images'
      : `the last batch of an epoch has one image: take another batch size than ${batchSize}` +
        (where === 'train' ? ', or leave that batch out with dropLast' : '');
  throw new InputError(
    `[${where}] batch norm: expected more than one value a channel in training, ${found}; ${advice}`,
  );
}
