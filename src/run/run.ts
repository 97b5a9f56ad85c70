import { engineInfo } from '../engine/select.js';
import { FileError, FoveaError } from '../errors.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import { formatCount } from '../text/numbers.js';
import { standardError } from '../text/output.js';
import { trainingAdvice } from '../train/advice.js';
import type { Training } from '../train/callback.js';
import { TensorBoard } from '../train/callbacks/index.js';
import { DivergenceError } from '../train/divergence.js';
import type { TrainingState, TrainOutcome } from '../train/history.js';
import type { TrainOptions } from '../train/options.js';
import { train } from '../train/train.js';
import { adviceFacts } from './advice.js';
import { callbacksOf } from './callbacks.js';
import type { Understanding } from './catalog/datasets.js';
import { createRun } from './create.js';
import type { RunFolder } from './folder.js';
import { evalLoaderOf } from './loaders.js';
import { startNotes } from './notes.js';
import { totalWeight } from './objective.js';
import { type RunParts, stepOf } from './parts.js';
import { type RunOutcome, RunRecorder } from './recorder.js';
import { repeatOptions, resumeRun } from './resume.js';
import type { RepeatOptions, ResumeOptions, RunOptions, RunTrainOptions } from './runOptions.js';
import type { Transfer } from './transfer/transfer.js';
import { weightsMetadata } from './weightsRecord.js';

export type { RunOutcome };

const writeNote = (note: string) => void standardError.write(`${note}\n`);

/**
 * A training with its data, network and run folder: everything is checked and in place, and nothing trained
 * yet.
 */
export class Run {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly optimizer: Optimizer;
  /** How the files of the data were understood. */
  readonly understood: Understanding;
  readonly #parts: RunParts;
  /** The precision when the run was opened. A later `setPrecision` is for others. */
  readonly #precision = engineInfo().precision;

  private constructor(parts: RunParts) {
    const { parts: dataParts, passedOver, notes } = parts.understood;
    this.folder = parts.folder;
    this.network = parts.network;
    this.optimizer = parts.optimizer;
    this.understood = { parts: dataParts, passedOver, notes };
    this.#parts = parts;
  }

  /**
   * Opens the data, builds the network and makes the run folder.
   *
   * @throws {InputError} for anything wrong with the names, numbers, files and folders; no folder is made
   * then
   */
  static async create(options: RunOptions): Promise<Run> {
    return new Run(await createRun(options));
  }

  /**
   * Opens the folder of a training that was stopped or killed, to resume it from its saved state. It ends
   * with the same bits as one without an interruption, on the same machine with the same engine and number of
   * threads. The report of a finished run is written again.
   *
   * @throws {FileError} naming the file of the folder that is missing, cut, altered or not what it should be
   * @throws {InputError} if the optimizer's state was removed, another training writes to the folder, the
   * images or labels have changed, or a schedule over all epochs would jump with more of them
   */
  static async resume(path: string, options: ResumeOptions = {}): Promise<Run> {
    return new Run(await resumeRun(path, options));
  }

  /**
   * Repeats a run in a new folder: with its data, recipe, seed and initial weights. On the same machine, with
   * the same engine and number of threads, its weights come out equal; see `compareRuns`.
   *
   * @throws {FileError} naming the file of the folder that is missing or not what it should be
   * @throws {InputError} if the images or labels have changed
   */
  static async repeat(path: string, options: RepeatOptions): Promise<Run> {
    return Run.create(await repeatOptions(path, options));
  }

  /** The saved state that the training resumes from; null for a new one. */
  get from(): TrainingState | null {
    return this.#parts.from?.state ?? null;
  }

  /**
   * Notes to show before the training: about data, pictures and initial weights, classes without validation
   * images, and {@link differences}.
   */
  notes(): string[] {
    return [...startNotes(this.folder.config, this.#parts.notes, this.understood), ...this.differences()];
  }

  /**
   * Engine settings that differ from those the run was started with. The same bits cannot be promised then.
   */
  differences(): string[] {
    const { name, description, threads, precision } = this.folder.config.engine;
    const now = engineInfo();
    const pairs = [
      ['engine', `${name} (${description})`, `${now.name} (${now.description})`],
      ['threads', threads, now.threads],
      ['precision', precision, now.precision],
    ] as const;
    return pairs
      .filter(([, then, here]) => then !== here)
      .map(([what, then, here]) => `${what}: ${here}, before ${then}`);
  }

  /** The options of the training loop. */
  loop(): TrainOptions {
    const { trainLoader, splits, from, generator, transfer } = this.#parts;
    const { recipe, model } = this.folder.config;
    const { epochs, techniques } = recipe;
    return {
      ...stepOf(this.#parts, recipe),
      generator,
      precision: this.#precision,
      trainLoader,
      accumulateGradBatches: techniques?.accumulateGradBatches,
      evalFreq: techniques?.evalEvery,
      evalLoader: evalLoaderOf(
        transfer === null ? splits.eval : { dataset: transfer.evaluated },
        { network: this.network, inputShape: model.inputShape },
        recipe,
      ),
      phased: transfer !== null,
      epochs,
      from,
    };
  }

  /**
   * Computes the features of frozen layers. A signal leaves that out, and ends the training that follows at
   * once.
   */
  async #prepare(transfer: Transfer, { signal, onProgress }: RunTrainOptions): Promise<void> {
    try {
      await transfer.prepare(this.from?.epoch ?? 1, { precision: this.#precision, signal, onProgress });
    } catch (error) {
      if (!(signal?.aborted && error === signal.reason)) throw error;
    }
  }

  /** Advice for a training that went wrong; null if nothing is to be said. */
  notice(history: TrainOutcome['history']): string | null {
    return trainingAdvice(history, adviceFacts(this.folder.config, totalWeight(this.network)));
  }

  /**
   * Trains. The state is saved after each epoch and when the signal ends the training. At the end
   * `report.html` is written. No other training can write to the folder meanwhile.
   *
   * @param options.saveSteps saves the state after so many steps too
   * @param options.tensorBoard writes the metrics of each epoch for TensorBoard too
   * @throws {DivergenceError} if a loss is infinite or NaN; the last saved state stays
   */
  async train(options: RunTrainOptions = {}): Promise<RunOutcome> {
    const { callbacks = [], signal, saveSteps, tensorBoard = false, onNote = writeNote, onProgress } = options;
    const { folder, network } = this;
    await folder.lock();
    const advice = (history: TrainOutcome['history']) => this.notice(history);
    const recorder = new RunRecorder({ folder, network, advice, precision: this.#precision }, this.#parts.splits, {
      signal,
      onNote,
      onProgress,
    });
    try {
      const save = (training: Training) => recorder.save(training);
      const own = callbacksOf(folder.config.recipe.techniques ?? {}, folder.path, weightsMetadata(folder.config));
      if (tensorBoard) own.push(new TensorBoard({ logDir: folder.tensorBoardPath }));
      const { transfer } = this.#parts;
      if (transfer !== null) await this.#prepare(transfer, options);
      const all = [...(transfer === null ? [] : [transfer]), ...own, ...callbacks];
      const outcome = await train({ ...this.loop(), callbacks: all, signal, save, saveSteps });
      return await recorder.end(outcome);
    } catch (error) {
      if (error instanceof DivergenceError) {
        await recorder.report(`Ended early: ${error.message}`);
        throw new FoveaError(`${error.message}; ${await stateLeftIn(folder)}`, { cause: error });
      }
      // The same call can then be repeated once the problem is solved.
      await folder.unlock();
      const left = await stateLeftIn(folder);
      if (!(error instanceof FileError)) throw error;
      throw new FileError(`${error.message}; ${left}`, { cause: error });
    } finally {
      await folder.unlock();
    }
  }
}

/** The last saved state, from which a failed training can be resumed. A folder without a state is removed. */
async function stateLeftIn(folder: RunFolder): Promise<string> {
  if (!folder.isSaved) {
    const discarded = await folder.discard().catch(() => false);
    return discarded ? 'nothing had been saved, so there is no run folder' : 'nothing had been saved yet';
  }
  const { epoch, batch } = folder.state.training;
  const place = batch === 0 ? `epoch ${epoch - 1}` : `batch ${formatCount(batch)} of epoch ${epoch}`;
  return (await folder.hasState())
    ? `the state after ${place} is kept in ${folder.path}`
    : `the state after ${place} was saved in ${folder.path}, which is no longer there; resume it where it is now`;
}
