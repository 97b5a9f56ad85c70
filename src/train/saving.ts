import { messageOf } from '../errors.js';
import type { Training } from './callback.js';
import { checkState } from './divergence.js';
import type { TrainOptions } from './options.js';

/** Saves the state of a training, and knows whether the newest state is saved. */
export class Saving {
  readonly #training: Training;
  readonly #write: TrainOptions['save'];
  readonly #isResumed: boolean;
  /** Whether the training has progressed since the state was saved. */
  #unsaved = false;
  #saved = false;

  constructor(training: Training, { save, from }: TrainOptions) {
    this.#training = training;
    this.#write = save;
    this.#isResumed = from !== undefined;
  }

  /** Notes that batches are being trained. */
  progressed(): void {
    this.#unsaved = true;
  }

  async save(): Promise<void> {
    if (this.#write !== undefined) {
      await checkState(this.#training);
      const { optimizer } = this.#training;
      // Files have the averages as weights, and the latest weights among the states of the optimizer.
      const inUse = optimizer.useAverages(true);
      try {
        await this.#write(this.#training);
      } finally {
        optimizer.useAverages(inUse);
      }
    }
    this.#unsaved = false;
    this.#saved = true;
  }

  /** Saves the state at the end of the training, if it is not saved yet. */
  async atEnd(): Promise<void> {
    // A training that was stopped before its first batch is saved too, so that it can be resumed.
    const isNew = !this.#saved && !this.#isResumed;
    if ((this.#unsaved || isNew) && this.#training.updated) await this.save();
  }

  /** Saves the state after a callback has failed. @returns the part of the error message about the state */
  async afterFailure(hook: string): Promise<string> {
    if (this.#write === undefined) return '';
    let failure = '';
    if (this.#unsaved && this.#training.updated && hook !== 'stateDict') {
      // The callback's error comes first; a failure to save is added to its message.
      await this.save().catch((error: unknown) => {
        failure = `; the state could not be saved: ${messageOf(error)}`;
      });
    }
    if (failure !== '' || !this.#saved) return failure;
    return this.#unsaved ? '; the state that was saved last is kept' : '; the state is saved';
  }
}
