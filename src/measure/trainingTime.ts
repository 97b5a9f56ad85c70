import { withGenerator } from '../random.js';
import type { DescribedRun } from '../run/create.js';
import { evalLoaderOf } from '../run/loaders.js';
import { lossOf } from '../run/losses.js';
import { stepOf } from '../run/parts.js';
import { evaluate } from '../train/evaluate.js';
import { RunningMetrics } from '../train/runningMetrics.js';
import { trainStep } from '../train/step.js';

/** An estimate of the time of a training, and the measurements that it comes from. */
export interface TimeEstimate {
  /** Time of all epochs and evaluations. */
  readonly seconds: number;
  /** Time of a batch of the training, with its images, in milliseconds. */
  readonly batchMs: number;
  /** Batches that were timed: the later half of those that were trained. */
  readonly timedBatches: number;
  /** Batches in all epochs. Those with stored features of frozen layers are left out. */
  readonly batches: number;
  /** Time of an image of an evaluation, in milliseconds. */
  readonly imageMs: number;
  /** Images that were timed. */
  readonly timedImages: number;
  /** Images of all evaluations, and images whose features are computed for later epochs. */
  readonly images: number;
}

/** Batches of the training take this time, and those of the evaluation half of it. */
const mostMs = 2000;

/**
 * Estimates the time of a training: trains and evaluates a few batches of its data. The network changes.
 *
 * @throws the reason of the signal when that ends it
 * @throws {NonFiniteError} if the loss is infinite or NaN
 */
export async function estimateTime(run: DescribedRun, signal?: AbortSignal): Promise<TimeEstimate> {
  const { training, recipe, splits } = run;
  const { transfer, trainLoader } = training;
  const { epochs, techniques: { evalEvery = 1, saveBest } = {} } = recipe;
  const { batchMs, timedBatches } = await timeBatches(run, signal);
  const { imageMs, timedImages } = await timeEvaluation(run, signal);
  const numbers = Array.from({ length: epochs }, (_, i) => i + 1);
  const withFeatures = numbers.filter((epoch) => transfer?.keepsFeatures(epoch) === true).length;
  const batches = (epochs - withFeatures) * trainLoader.length;
  const evaluations = numbers.filter((epoch) => epoch % evalEvery === 0 || epoch === epochs);
  const evaluated = evaluations.filter((epoch) => transfer?.keepsFeatures(epoch) !== true).length;
  const [own, test] = [splits.eval.dataset.length, splits.test?.dataset.length ?? 0];
  const images =
    evaluated * own +
    (withFeatures > 0 ? splits.train.dataset.length + own : 0) +
    (saveBest === undefined ? test : 2 * test + own);
  const seconds = (batches * batchMs + images * imageMs) / 1000;
  return { seconds, batchMs, timedBatches, batches, imageMs, timedImages, images };
}

async function timeBatches({ training, recipe, generator }: DescribedRun, signal: AbortSignal | undefined) {
  const { network, trainLoader } = training;
  const step = { ...stepOf(training, recipe), generator };
  const metrics = new RunningMetrics([]);
  const times: number[] = [];
  network.train();
  const begun = performance.now();
  const isEnough = () => performance.now() - begun > mostMs && times.length > 1;
  // Small data have several epochs in that time, which are needed: Node's compiler takes hundreds of steps.
  for (let epoch = 1; epoch <= recipe.epochs && !isEnough(); epoch++) {
    let last = performance.now();
    for await (const [images, labels] of withGenerator(generator, () => trainLoader.epoch())) {
      signal?.throwIfAborted();
      await trainStep(step, metrics, images, labels, { share: 1, update: true });
      const now = performance.now();
      times.push(now - last);
      last = now;
      if (isEnough()) break;
    }
  }
  // The first batch waits for the compiler, and the next ones for the processor's caches and Node's compiler.
  const later = times.slice(Math.floor(times.length / 2));
  return { batchMs: later.reduce((sum, ms) => sum + ms, 0) / later.length, timedBatches: later.length };
}

async function timeEvaluation({ training, recipe, splits, inputShape }: DescribedRun, signal: AbortSignal | undefined) {
  const { network } = training;
  const loader = evalLoaderOf(splits.eval, { network, inputShape }, recipe);
  const time = async (numIters: number) => {
    const begun = performance.now();
    const { samples } = await evaluate({ network, loader, loss: lossOf(recipe).compute, numIters, signal });
    return { ms: performance.now() - begun, samples };
  };
  const first = await time(1);
  const most = Math.ceil(mostMs / 2 / Math.max(1, first.ms));
  const { ms, samples } = await time(Math.min(loader.length, most));
  return { imageMs: ms / samples, timedImages: samples };
}
