import type { TrainOptions } from './options.js';

/** The batches of a training: how they make epochs and steps. */
export class BatchPlan {
  /** The number of the last epoch. */
  readonly epochs: number;
  readonly #loader: TrainOptions['trainLoader'];
  readonly #numIters: number | undefined;
  readonly #initialEpoch: number;
  readonly #accumulate: number;

  constructor({ trainLoader, epochs, numIters, initialEpoch = 0, accumulateGradBatches = 1 }: TrainOptions) {
    this.epochs = numIters === undefined ? epochs : initialEpoch + Math.ceil(numIters / trainLoader.length);
    this.#loader = trainLoader;
    this.#numIters = numIters;
    this.#initialEpoch = initialEpoch;
    this.#accumulate = accumulateGradBatches;
  }

  /** Batches of an epoch. With `numIters` the last epoch may be incomplete. */
  batchesIn(epoch: number): number {
    const { length } = this.#loader;
    if (this.#numIters === undefined) return length;
    return Math.min(length, this.#numIters - (epoch - 1 - this.#initialEpoch) * length);
  }

  samplesIn(epoch: number): number {
    const { batchSize, samples } = this.#loader;
    return Math.min(this.batchesIn(epoch) * batchSize, samples);
  }

  /** Steps that are left after so many batches of an epoch. */
  stepsLeft(epoch: number, batch: number): number {
    const { length } = this.#loader;
    const stepsOf = (batches: number) => Math.ceil(batches / this.#accumulate);
    const whole = (epochs: number) => epochs * stepsOf(length);
    const all =
      this.#numIters === undefined
        ? whole(this.epochs - this.#initialEpoch)
        : whole(Math.floor(this.#numIters / length)) + stepsOf(this.#numIters % length);
    return Math.max(0, all - whole(epoch - 1 - this.#initialEpoch) - stepsOf(batch));
  }

  /** Whether a step is complete after so many batches of an epoch. The last step may have fewer batches. */
  endsStep(epoch: number, batch: number): boolean {
    return batch % this.#accumulate === 0 || batch === this.batchesIn(epoch);
  }

  /** The share that the next batch has of the samples of its step. */
  shareOfStep(epoch: number, batch: number, samples: number): number {
    if (this.#accumulate === 1) return 1;
    const { batchSize } = this.#loader;
    const begin = batch - (batch % this.#accumulate);
    const end = Math.min((begin + this.#accumulate) * batchSize, this.samplesIn(epoch));
    return samples / (end - begin * batchSize);
  }

  /** Samples of the smallest batch of an epoch. */
  smallestBatch(epoch: number): number {
    const { batchSize } = this.#loader;
    return Math.min(batchSize, this.samplesIn(epoch) - (this.batchesIn(epoch) - 1) * batchSize);
  }
}
