import type { Tensor } from '../tensor/tensor.js';
import { inspectObjective } from './checkOutputs.js';
import type { ResumeConditions } from './history.js';
import { lossProbe } from './lossProbe.js';
import { operationsOf } from './networkConditions.js';
import type { TrainOptions } from './options.js';
import { compareConditions, resumeConditionsOf } from './resumeConditions.js';
import type { BatchOfStep } from './step.js';

/** The checks that the first batches of a training make, since they need images, labels or outputs. */
export class TrainingChecks {
  readonly #options: TrainOptions;
  readonly #firstEpoch: number;
  #conditions: ResumeConditions;
  /** Whether the objective of a batch was inspected. */
  #inspected = false;

  /** @param firstEpoch the epoch that the training begins with, or continues in */
  constructor(options: TrainOptions, firstEpoch: number) {
    const { trainLoader, metrics = [], accumulateGradBatches = 1 } = options;
    this.#options = options;
    this.#firstEpoch = firstEpoch;
    this.#conditions = resumeConditionsOf({ ...options, loader: trainLoader, metrics, accumulateGradBatches });
  }

  /** Conditions of a resumed training. The options of the loss are known with the first outputs. */
  get conditions(): ResumeConditions {
    return this.#conditions;
  }

  /**
   * Compares with the conditions that the training began with.
   *
   * @returns sentences about the settings that change from here on
   * @throws {InputError} naming all settings that must be equal and are not
   */
  compare(): string[] {
    const before = this.#options.from?.state.setting;
    return before === undefined ? [] : compareConditions(before, this.#conditions);
  }

  /** Whether the images of an epoch must be checked: later epochs load the same ones. */
  checksImages(epoch: number): boolean {
    return epoch === this.#firstEpoch;
  }

  /**
   * Whether to inspect the objective of a batch: of the first batch, or of all in the first epoch if the data
   * set does not know its labels.
   */
  inspects(epoch: number): boolean {
    return !this.#inspected || (this.#options.trainLoader.dataset.labels === undefined && epoch === this.#firstEpoch);
  }

  /** The inspection of a batch's objective. */
  async inspectorOf(labels: Tensor, smallestBatch: number): Promise<BatchOfStep['inspect']> {
    const { trainLoader, evalLoader, onNote } = this.#options;
    const known = trainLoader.dataset.labels;
    const trained = known ?? (await labels.data('int32'));
    const evaluated = evalLoader?.dataset.labels;
    const plan = {
      where: 'train',
      smallestBatch,
      batchSize: trainLoader.batchSize,
      labels: evaluated === undefined ? [trained] : [trained, evaluated],
    };
    return (objective) => {
      const note = inspectObjective(objective, plan);
      if (!this.#inspected) this.#inspectNetwork(objective.outputs);
      if (note !== null && !this.#inspected) onNote?.(note);
      this.#inspected = true;
    };
  }

  /** Compares operations and the loss with those of the saved state: only now the outputs are known. */
  #inspectNetwork(outputs: Tensor): void {
    const { save, from, loss, classWeight, phased = false } = this.#options;
    if (save === undefined && from === undefined) return;
    this.#conditions = {
      ...this.#conditions,
      ...(!phased && { operations: operationsOf(outputs) }),
      lossOfProbe: lossProbe(loss, outputs.shape, classWeight !== undefined),
    };
    this.compare();
  }
}
