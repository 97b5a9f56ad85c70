import * as check from '../check.js';
import { InputError } from '../errors.js';
import { DataLoader } from '../io/data/dataloader.js';
import { someMetric } from '../metric/metrics.js';
import { aLayer } from '../nn/layer.js';
import { Optimizer } from '../optimizer/index.js';
import { RandomGenerator } from '../random.js';
import { Tensor } from '../tensor/tensor.js';
import type { TrainOutcome } from './history.js';
import { TrainingLoop } from './loop.js';
import type { TrainOptions } from './options.js';

/**
 * Trains a network: in each epoch forward, backward and update for every batch of the loader, then an
 * evaluation. `Model.fit` is built on it.
 *
 * @example
 * ```ts
 * import { F, io, type nn, optimizer, train } from 'fovea';
 *
 * async function fit(network: nn.Layer, dataset: io.Dataset) {
 *   const { history } = await train({
 *     network,
 *     optimizer: new optimizer.Adam({ parameters: network.parameters() }),
 *     loss: (outputs, labels) => F.crossEntropy(outputs, labels),
 *     trainLoader: new io.DataLoader(dataset, { batchSize: 64, shuffle: true }),
 *     epochs: 5,
 *   });
 *   console.log(history.at(-1)?.trainLoss);
 * }
 * ```
 *
 * @throws {DivergenceError} if a loss, an image or a parameter is infinite or NaN
 * @throws {CallbackError} if a callback throws
 */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
  requireValues(options);
  requireParameters(options);
  return new TrainingLoop(options).run();
}

const count = check.integer(1);
const dataLoader = check.instanceOf(DataLoader);

/** Known options of a training; those of objects that `Model.fit` hands in are known to be right. */
const trainChecks = {
  network: aLayer,
  optimizer: check.instanceOf(Optimizer),
  loss: check.callable,
  trainLoader: dataLoader,
  evalLoader: dataLoader,
  epochs: count,
  evalFreq: count,
  numIters: count,
  accumulateGradBatches: count,
  saveSteps: count,
  initialEpoch: check.integer(0),
  metrics: check.listOf(someMetric),
  saveDir: check.text,
  save: check.callable,
  onNote: check.callable,
  objective: check.callable,
  trainAccuracy: check.flag,
  phased: check.flag,
  classWeight: check.instanceOf(Tensor),
  generator: check.instanceOf(RandomGenerator),
  signal: check.instanceOf(AbortSignal),
} satisfies Partial<Record<keyof TrainOptions, check.Check>>;
const needed: ReadonlySet<string> = new Set(['network', 'optimizer', 'loss', 'trainLoader', 'epochs']);

function requireValues(options: TrainOptions): void {
  check.requireValue('train', 'options', options, check.record);
  for (const [name, one] of Object.entries<check.Check>(trainChecks)) {
    const value: unknown = options[name as keyof TrainOptions];
    if (value !== undefined || needed.has(name)) check.requireValue('train', name, value, one);
  }
}

function requireParameters({ network, optimizer }: TrainOptions): void {
  const own = new Set(network.parameters());
  if (optimizer.parameters.some((parameter) => own.has(parameter))) return;
  throw new InputError(
    '[train] optimizer: expected parameters of the network, got those of something else; make it with ' +
      '{ parameters: network.parameters() }',
  );
}
