import type { MemoryNeed } from '../engine/memory.js';
import { requireFinite } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { Storage } from '../graph/storage.js';
import type { Optimizer } from '../optimizer/index.js';
import { RandomGenerator } from '../random.js';
import { planAll, realizeAll } from '../tensor/evaluate.js';
import { Tensor } from '../tensor/tensor.js';
import type { PlanBatch } from './batchMemory.js';
import { type Objective, type ObjectiveOptions, objectiveOf } from './objective.js';
import type { RunningMetrics } from './runningMetrics.js';
import { within } from './scope.js';

/** A network, its loss and the optimizer that trains it. */
export interface StepOptions extends ObjectiveOptions {
  readonly optimizer: Optimizer;
  /** Counts the correct predictions of each batch from the outputs of its step (false). */
  readonly trainAccuracy?: boolean | undefined;
}

/** How a batch is a part of its step. */
export interface BatchOfStep {
  /** Factor of the batch's gradient: its share of the samples of the step. */
  readonly share: number;
  /** Whether this batch is the last of the step, which then updates the parameters. */
  readonly update: boolean;
  /** Checks the objective before anything is computed. If it throws, no parameter changes. */
  readonly inspect?: ((objective: Objective) => void) | undefined;
}

/**
 * Trains on a batch: forward, backward and, if `update`, a step with all gradients since the last one.
 *
 * @returns the mean loss of the batch
 * @throws {NonFiniteError} if that loss is infinite or NaN; no parameter changes then
 */
export async function trainStep(
  options: StepOptions,
  metrics: RunningMetrics,
  images: Tensor,
  labels: Tensor,
  { share, update, inspect }: BatchOfStep,
): Promise<number> {
  const { optimizer } = options;
  const { mean, scores, computing } = within(options, () => {
    const objective = objectiveOf(options, images, labels);
    inspect?.(objective);
    const { loss: mean, outputs } = objective;
    const scores = metrics.scores(outputs, labels, mean);
    (share === 1 ? mean : mean.mul(share)).backward();
    const computing = update
      ? optimizer.step({ also: share === 1 ? scores : [mean, ...scores], finiteLoss: true })
      : realizeAll([mean, ...scores, ...gradientsOf(optimizer)]);
    return { mean, scores, computing };
  });
  try {
    await computing;
  } catch (error) {
    // A later step must not add its gradients to those of a failed one.
    optimizer.clearGrad();
    throw error;
  }
  if (update) optimizer.clearGrad();
  const value = await mean.item();
  requireFinite(value);
  const taking = metrics.add(value, scores, labels);
  if (taking !== undefined) await taking;
  return value;
}

function gradientsOf({ parameters }: Optimizer): Tensor[] {
  return parameters.flatMap(({ grad }) => (grad === null ? [] : [grad]));
}

/** Options of {@link stepPlanner}. */
export interface PlanOptions {
  /** Whether the step refuses a loss that is not finite (true). */
  readonly finiteLoss?: boolean;
  /** Batches per step (1). */
  readonly accumulate?: number | undefined;
}

/**
 * Kinds of batches in a step: the first has no earlier gradients, the next add to them, the last uses them.
 */
const kindsOfBatches = 3;

/**
 * Plans a training step on images of a shape `[channels, height, width]`, without running or changing
 * anything.
 */
export function stepPlanner(options: StepOptions, imageShape: Shape, planned: PlanOptions = {}): PlanBatch {
  const { network, optimizer, precision } = options;
  return (batch) => {
    const { training } = network;
    network.train();
    try {
      return within({ precision, generator: new RandomGenerator(0) }, () => {
        return planStep(options, [batch, ...imageShape], planned);
      });
    } finally {
      optimizer.clearGrad();
      if (!training) network.eval();
    }
  };
}

function planStep(options: StepOptions, shape: Shape, { finiteLoss = true, accumulate = 1 }: PlanOptions): MemoryNeed {
  const { optimizer } = options;
  const [batch] = shape;
  const batches = Math.min(accumulate, kindsOfBatches);
  const needs: MemoryNeed[] = [];
  for (let i = 1; i <= batches; i++) {
    const images = Tensor.placeholder(shape, 'float32');
    const { loss: mean, outputs } = objectiveOf(options, images, Tensor.placeholder([batch], 'int32'));
    const counted = options.trainAccuracy === true ? [outputs] : [];
    (accumulate === 1 ? mean : mean.mul(1 / accumulate)).backward();
    const gradients = gradientsOf(optimizer);
    // The program's plan does not include the gradients of the previous batch, which are plain arrays.
    const held = i === 1 ? 0 : gradients.reduce((sum, { size }) => sum + Float32Array.BYTES_PER_ELEMENT * size, 0);
    let need: MemoryNeed;
    if (i === batches) {
      const also = [...(accumulate === 1 ? [] : [mean]), ...counted];
      need = optimizer.plan({ also, finiteLoss });
    } else {
      const wanted = [mean, ...counted, ...gradients];
      need = planAll(wanted);
      for (const { value } of wanted) value.realize(Storage.placeholder(value.shape, 'float32'));
    }
    needs.push({ ...need, working: need.working + held });
  }
  const most = (of: (need: MemoryNeed) => number) => Math.max(...needs.map(of));
  const [{ budget, reason }] = needs;
  return { working: most(({ working }) => working), resident: most(({ resident }) => resident), budget, reason };
}
