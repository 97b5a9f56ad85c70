import { InputError } from '../errors.js';
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
  const { epochs, initialEpoch = 0, numIters = 1, evalFreq = 1, accumulateGradBatches = 1, saveSteps = 1 } = options;
  const counts = { epochs, numIters, evalFreq, accumulateGradBatches, saveSteps };
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new InputError(`[train] ${name}: expected a positive integer, got ${count}`);
    }
  }
  if (!Number.isSafeInteger(initialEpoch) || initialEpoch < 0) {
    throw new InputError(`[train] initialEpoch: expected an integer from 0 on, got ${initialEpoch}`);
  }
  requireParameters(options);
  return new TrainingLoop(options).run();
}

function requireParameters({ network, optimizer }: TrainOptions): void {
  const own = new Set(network.parameters());
  if (optimizer.parameters.some((parameter) => own.has(parameter))) return;
  throw new InputError(
    '[train] optimizer: expected parameters of the network, got those of something else; make it with ' +
      '{ parameters: network.parameters() }',
  );
}
