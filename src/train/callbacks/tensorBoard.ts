import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as check from '../../check.js';
import { FileError } from '../../errors.js';
import { makeFolder, reasonOf } from '../../io/files/atomic.js';
import { hostName } from '../../io/files/owner.js';
import { Callback, type Training } from '../callback.js';
import type { EpochRecord } from '../history.js';
import { fileVersion, scalarEvent, tfRecord } from './tensorBoardEvents.js';

export interface TensorBoardOptions {
  /** Folder for the event files. */
  readonly logDir: string;
  /** Steps between two points of the values by batch; `epoch` (default) for no such values. */
  readonly updateFreq?: 'epoch' | number | undefined;
}

const checks: check.OptionChecks<TensorBoardOptions> = {
  logDir: check.text,
  updateFreq: check.either(check.oneOf(['epoch']), check.integer(1)),
};

/**
 * Writes loss, metrics and learning rate to TensorBoard's event files: `train/…` and `eval/…` by epoch, and
 * optionally `batch/loss` and `batch/learning_rate` by step of the optimizer. A resumed training begins a new
 * file, as TensorBoard expects. Steps that are repeated after the last saved state therefore appear in both
 * files. A training that ends before its first values leaves no file.
 */
export class TensorBoard extends Callback {
  static readonly kind: string = 'TensorBoard';

  readonly #logDir: string;
  readonly #every: number;
  #file: FileHandle | null = null;
  #path = '';
  #hasValues = false;

  constructor(options: TensorBoardOptions) {
    super();
    check.requireOptions('TensorBoard', options, checks);
    const { updateFreq = 'epoch' } = options;
    this.#logDir = check.requireValue('TensorBoard', 'logDir', options.logDir, check.text);
    this.#every = updateFreq === 'epoch' ? Number.POSITIVE_INFINITY : updateFreq;
  }

  override async onTrainBegin(): Promise<void> {
    const seconds = Math.floor(Date.now() / 1000);
    // Two trainings that begin within the same second must not share a file.
    const name = `events.out.tfevents.${seconds}.${hostName()}.${process.pid}.${randomBytes(4).toString('hex')}`;
    try {
      await makeFolder(this.#logDir);
      this.#path = join(this.#logDir, name);
      this.#file = await open(this.#path, 'ax');
    } catch (error) {
      throw new FileError(`[TensorBoard] ${this.#logDir}: expected to write to it, got ${reasonOf(error)}`, {
        cause: error,
      });
    }
    this.#hasValues = false;
    await this.#file.write(tfRecord(fileVersion()));
  }

  override onBatchEnd({ optimizer, updated, loss }: Training): undefined | Promise<void> {
    if (!updated || optimizer.steps % this.#every !== 0) return undefined;
    return this.#write(optimizer.steps, { 'batch/loss': loss, 'batch/learning_rate': optimizer.learningRate });
  }

  override async onEpochEnd(_training: Training, record: EpochRecord): Promise<void> {
    const { epoch, trainLoss, evalLoss, evalAccuracy, learningRate, trainMetrics, evalMetrics } = record;
    const values = {
      train: { loss: trainLoss, ...trainMetrics, learning_rate: learningRate ?? null },
      eval: { loss: evalLoss, acc: evalAccuracy, ...evalMetrics },
    };
    const known: Record<string, number> = {};
    for (const [part, own] of Object.entries<Readonly<Record<string, number | null>>>(values)) {
      for (const [name, value] of Object.entries(own)) if (value !== null) known[`${part}/${name}`] = value;
    }
    await this.#write(epoch, known);
  }

  override async onTrainClose(): Promise<void> {
    if (this.#file === null) return;
    await this.#file.close();
    this.#file = null;
    if (this.#hasValues) return;
    await rm(this.#path, { force: true }).catch(() => {});
    // This fails if the folder has other files, which then stay.
    await rmdir(this.#logDir).catch(() => {});
  }

  async #write(step: number, values: Readonly<Record<string, number>>): Promise<void> {
    this.#hasValues = true;
    await this.#file?.write(tfRecord(scalarEvent(step, values)));
  }
}
