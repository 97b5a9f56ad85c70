import * as check from '../check.js';
import { MemoryError, ShapeError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { DataLoader } from '../io/data/dataloader.js';
import { kindOf } from '../kind.js';
import type { Metric } from '../metric/index.js';
import { someMetric } from '../metric/metrics.js';
import { aLayer, type Layer } from '../nn/layer.js';
import { RandomGenerator } from '../random.js';
import { planAll, realizeAll } from '../tensor/evaluate.js';
import { noGrad } from '../tensor/noGrad.js';
import { requireTensor, Tensor } from '../tensor/tensor.js';
import { type PlanBatch, requireMemoryFor } from './batchMemory.js';
import type { Callback } from './callback.js';
import { Callbacks } from './callbackList.js';
import type { Evaluation, Mistake } from './evaluation.js';
import type { LossFunction } from './objective.js';
import { classProbabilities, meaningOf } from './outputs.js';
import { RunningMetrics } from './runningMetrics.js';
import { type ComputeScope, within } from './scope.js';

const usualMistakes = 24;

/** A network and its loss. */
type Evaluated = Pick<EvaluateOptions, 'network' | 'loss' | keyof ComputeScope>;

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends ComputeScope {
  readonly network: Layer;
  readonly loader: DataLoader;
  readonly loss: LossFunction;
  /** Number of the worst mistakes to keep (24). */
  readonly mistakes?: number | undefined;
  /** Ends the evaluation between two batches by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Computed over all samples; they are reset first. */
  readonly metrics?: readonly Metric[] | undefined;
  /** Ends the evaluation after this number of batches. */
  readonly numIters?: number | undefined;
  /** Called after each batch. */
  readonly onBatch?: ((samples: number) => void) | undefined;
  /** Only their methods `onEvaluate…` are called. */
  readonly callbacks?: readonly Callback[] | undefined;
}

/**
 * Evaluates a network on all samples of a loader. Meanwhile the network is in evaluation mode; afterwards its
 * previous mode is restored.
 *
 * @throws {MemoryError} if a batch does not fit into memory, with the largest one that does
 * @throws {CallbackError} if a callback throws
 *
 * @example
 * ```ts
 * import { evaluate, F, io, type nn, type Tensor } from 'fovea';
 *
 * async function test(network: nn.Layer, dataset: io.Dataset) {
 *   const loader = new io.DataLoader(dataset, { batchSize: 64 });
 *   const loss = (outputs: Tensor, labels: Tensor) => F.crossEntropy(outputs, labels);
 *   const { accuracy, confusion } = await evaluate({ network, loader, loss });
 *   console.log(accuracy, confusion);
 * }
 * ```
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  requireValues(options);
  const { network, loader, signal, onBatch, numIters } = options;
  const callbacks = new Callbacks(options.callbacks ?? []);
  const batches = batchesOf('evaluate', loader, numIters);
  const total = Math.min(loader.samples, batches * loader.batchSize);
  const metrics = new RunningMetrics(options.metrics ?? []);
  const progress = { batches, total, batch: 0, samples: 0, metrics: () => metrics.values() };
  const tally = new Tally(options.mistakes ?? usualMistakes);
  const { training } = network;
  network.eval();
  try {
    await callbacks.call('onEvaluateBegin', progress);
    for await (const [images, labels] of loader) {
      signal?.throwIfAborted();
      const { wanted, computing } = within(options, () => {
        const wanted = wantedOf(options, metrics, images, labels);
        return { wanted, computing: realizeAll(wanted) };
      });
      const [value, probabilities, outputs, ...scores] = wanted;
      await computing.catch((error: unknown) => {
        if (!(error instanceof MemoryError)) throw error;
        const [batch, ...image] = images.shape;
        // Throws with the largest batch that fits.
        requireMemoryFor('evaluate', batch, image, evaluationPlanner(options, image, metrics));
        throw error;
      });
      const mean = await value.item();
      const computed = {
        probabilities: await probabilities.data('float32'),
        outputs: await outputs.data('float32'),
        labels: await labels.data('int32'),
      };
      tally.add(mean, computed);
      await metrics.add(mean, scores, labels);
      progress.batch++;
      progress.samples = tally.samples;
      onBatch?.(tally.samples);
      await callbacks.call('onEvaluateBatch', progress);
      if (progress.batch === batches) break;
    }
    await callbacks.call('onEvaluateEnd', progress);
  } finally {
    if (training) network.train();
  }
  const { loss: _, ...values } = metrics.values();
  return { ...tally.result(), metrics: values };
}

const evaluateChecks = {
  network: aLayer,
  loader: check.instanceOf(DataLoader),
  loss: check.callable,
  mistakes: check.integer(0),
  metrics: check.listOf(someMetric),
  onBatch: check.callable,
  signal: check.instanceOf(AbortSignal),
  generator: check.instanceOf(RandomGenerator),
} satisfies Partial<Record<keyof EvaluateOptions, check.Check>>;

function requireValues(options: EvaluateOptions): void {
  check.requireValue('evaluate', 'options', options, check.record);
  for (const [name, one] of Object.entries<check.Check>(evaluateChecks)) {
    const value: unknown = options[name as keyof EvaluateOptions];
    const needed = name === 'network' || name === 'loader' || name === 'loss';
    if (value !== undefined || needed) check.requireValue('evaluate', name, value, one);
  }
}

/** Number of batches to take from a loader. @throws {InputError} unless `numIters` is a positive integer */
export function batchesOf(where: string, { length }: DataLoader, numIters = length): number {
  return Math.min(length, check.requireValue(where, 'numIters', numIters, check.integer(1)));
}

/** The tensors to compute: loss, probabilities, outputs and the inputs of the metrics. */
function wantedOf({ network, loss }: Evaluated, metrics: RunningMetrics, images: Tensor, labels: Tensor): Tensor[] {
  return noGrad(() => {
    const outputs = requireTensor(kindOf(network), network.forward(images), 'result of forward');
    const mean = requireTensor('loss', loss(outputs, labels), 'result');
    const probabilities = classProbabilities(outputs, meaningOf(mean, outputs));
    return [mean, probabilities, outputs, ...metrics.scores(outputs, labels, mean)];
  });
}

/**
 * Plans an evaluation on images of a shape `[channels, height, width]`, without running or changing anything.
 */
export function evaluationPlanner(options: Evaluated, imageShape: Shape, metrics = new RunningMetrics([])): PlanBatch {
  const { network } = options;
  return (batch) => {
    const { training } = network;
    network.eval();
    try {
      const images = Tensor.placeholder([batch, ...imageShape], 'float32');
      const labels = Tensor.placeholder([batch], 'int32');
      return within(options, () => planAll(wantedOf(options, metrics, images, labels)));
    } finally {
      if (training) network.train();
    }
  };
}

/** `[t][p]`: samples of class t whose most probable class is p. @param probabilities `[samples, classes]` */
export function confusionOf(labels: Int32Array, probabilities: Float32Array, classes: number): number[][] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, i) => {
    confusion[label][mostProbable(probabilities.subarray(i * classes, (i + 1) * classes))]++;
  });
  return confusion;
}

function mostProbable(probabilities: Float32Array): number {
  let found = 0;
  for (let c = 1; c < probabilities.length; c++) if (probabilities[c] > probabilities[found]) found = c;
  return found;
}

/** The counts that follow from probabilities: confusions, accuracy, worst mistakes. */
export function evaluationOf(computed: Computed, loss: number): Omit<Evaluation, 'metrics'> {
  const tally = new Tally(usualMistakes);
  tally.add(loss, computed);
  return tally.result();
}

/** Results of a batch. */
type Computed = Pick<Evaluation, 'probabilities' | 'outputs' | 'labels'>;

/** Adds up the result batch by batch. */
class Tally {
  samples = 0;
  readonly #keep: number;
  #lossSum = 0;
  #correct = 0;
  #confusion: number[][] = [];
  #mistakes: Mistake[] = [];
  readonly #labels: Int32Array[] = [];
  readonly #probabilities: Float32Array[] = [];
  readonly #outputs: Float32Array[] = [];

  constructor(keep: number) {
    this.#keep = keep;
  }

  add(loss: number, { probabilities, outputs, labels }: Computed): void {
    const classes = probabilities.length / labels.length;
    if (this.samples === 0) this.#confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    this.#lossSum += loss * labels.length;
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      if (!(label >= 0 && label < classes)) {
        throw new ShapeError(
          `[evaluate] label of sample ${this.samples + i}: expected a class from 0 to ${classes - 1} ` +
            `(the network has ${classes}), got ${label}`,
        );
      }
      const own = probabilities.subarray(i * classes, (i + 1) * classes);
      const predicted = mostProbable(own);
      this.#confusion[label][predicted]++;
      if (predicted === label) this.#correct++;
      else this.#keepIfWorse({ index: this.samples + i, label, predicted, probabilities: own });
    }
    this.samples += labels.length;
    this.#labels.push(labels);
    this.#probabilities.push(probabilities);
    this.#outputs.push(outputs);
  }

  #keepIfWorse(mistake: Mistake): void {
    const sureness = ({ probabilities, predicted }: Mistake) => probabilities[predicted];
    const kept = this.#mistakes;
    if (kept.length === this.#keep && (this.#keep === 0 || sureness(mistake) <= sureness(kept[kept.length - 1])))
      return;
    let place = kept.length;
    while (place > 0 && sureness(kept[place - 1]) < sureness(mistake)) place--;
    kept.splice(place, 0, { ...mistake, probabilities: mistake.probabilities.slice() });
    if (kept.length > this.#keep) kept.pop();
  }

  result(): Omit<Evaluation, 'metrics'> {
    return {
      samples: this.samples,
      loss: this.#lossSum / this.samples,
      accuracy: this.#correct / this.samples,
      confusion: this.#confusion,
      mistakes: this.#mistakes,
      labels: joined(this.#labels, Int32Array),
      probabilities: joined(this.#probabilities, Float32Array),
      outputs: joined(this.#outputs, Float32Array),
    };
  }
}

function joined<T extends Int32Array | Float32Array>(parts: readonly T[], Kind: new (length: number) => T): T {
  const whole = new Kind(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
