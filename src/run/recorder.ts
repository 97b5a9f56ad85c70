import type { Precision } from '../compiler/precision.js';
import { FileError, messageOf } from '../errors.js';
import type { Dataset } from '../io/data/dataset.js';
import type { Layer } from '../nn/layer.js';
import type { Picture } from '../report/data.js';
import { formatCount } from '../text/numbers.js';
import type { Training } from '../train/callback.js';
import { evaluate } from '../train/evaluate.js';
import type { Evaluation } from '../train/evaluation.js';
import type { TrainOutcome } from '../train/history.js';
import type { OpenedSplit, OpenOptions } from './catalog/datasets.js';
import { type PixelFacts, packChecksums, pixelFacts, type SplitChecksums } from './checksums.js';
import type { RunFolder } from './folder.js';
import { evalLoaderOf } from './loaders.js';
import { mostLooks, packLooks } from './looks.js';
import { lossOf } from './losses.js';
import { pixelCopyNotes } from './notes.js';
import { picturesOf, renderRunReport } from './report.js';
import { type FinalEvaluation, finalEvaluations, resultsOf } from './results/finalEvaluations.js';
import type { Splits } from './splits.js';

/** Least time between two reports that are written while a run is trained. */
const reportSeconds = 60;

/** A run as the recorder sees it. */
interface RecordedRun {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly precision: Precision;
  /** Advice for a training that went wrong, for the report. */
  readonly advice: (history: TrainOutcome['history']) => string | null;
}

/** The result of a training of a run. */
export interface RunOutcome extends TrainOutcome {
  /**
   * The evaluations after the last epoch: of the last weights, and of the best ones if they were kept, on the
   * validation images, and on the test images if there are some. Null if the training was stopped.
   */
  readonly results: readonly FinalEvaluation[] | null;
}

interface RecorderOptions {
  readonly signal: AbortSignal | undefined;
  /** Called with what could not be made beside the training. */
  readonly onNote: (note: string) => void;
  /** Called during long work after the training. */
  readonly onProgress: OpenOptions['onProgress'];
}

/** Saves the state of a run and writes its report during the training. */
export class RunRecorder {
  readonly #run: RecordedRun;
  readonly #splits: Splits;
  readonly #signal: AbortSignal | undefined;
  readonly #onNote: (note: string) => void;
  readonly #onProgress: RecorderOptions['onProgress'];
  #evaluation: Evaluation | null = null;
  #pictures: readonly Picture[] | null = null;
  #reported = performance.now();
  #results: readonly FinalEvaluation[] | null = null;
  /** Notes about copies of training images among the validation images. */
  #copies: readonly string[] = [];

  constructor(run: RecordedRun, splits: Splits, { signal, onNote, onProgress }: RecorderOptions) {
    this.#run = run;
    this.#splits = splits;
    this.#signal = signal;
    this.#onNote = onNote;
    this.#onProgress = onProgress;
  }

  async save(training: Training): Promise<void> {
    await this.#run.folder.save(training);
    this.#evaluation = training.evaluation;
    const due = performance.now() - this.#reported > 1000 * reportSeconds;
    if (due && training.epoch <= training.epochs) await this.report('The training continues.');
  }

  async end(outcome: TrainOutcome): Promise<RunOutcome> {
    const { completed } = outcome;
    this.#evaluation = outcome.evaluation;
    if (completed) {
      // The run was killed after its last epoch and before its end, and then resumed.
      if (this.#evaluation === null) await this.#attempt('evaluation', () => this.#evaluate());
      await this.#attempt('checksums of the pixels', () => this.#keepPixelChecksums());
      const evaluation = this.#evaluation;
      if (evaluation !== null) await this.#attempt('last evaluation', () => this.#evaluateAll(evaluation));
      if (this.#signal?.aborted !== true) await this.#attempt('end', () => this.#run.folder.saveFinished());
    }
    await this.#attempt('report', () => this.#report(completed ? this.#remarks(outcome) : this.#stopped()));
    return { ...outcome, evaluation: this.#results?.[0].evaluation ?? this.#evaluation, results: this.#results };
  }

  async #evaluate(): Promise<void> {
    this.#evaluation = await evaluate(this.#evaluating(this.#splits.eval));
  }

  #remarks({ history }: TrainOutcome): string | undefined {
    const remarks = [this.#run.advice(history), ...this.#copies].filter((remark) => remark !== null);
    return remarks.length === 0 ? undefined : remarks.join(' ');
  }

  report(note?: string): Promise<void> {
    return this.#attempt('report', () => this.#report(note));
  }

  /** Does something whose failure must not end the training. */
  async #attempt(what: string, body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      // Aborting here costs only this one result.
      if (this.#signal?.aborted && error === this.#signal.reason) return;
      const { path } = this.#run.folder;
      this.#onNote(`[run] ${what}: ${messageOf(error)}; the training is saved in ${path}, resume it to try again`);
    }
  }

  async #report(note?: string): Promise<void> {
    const { folder } = this.#run;
    // A report shows the stored pictures, without transforms.
    this.#pictures ??= await picturesOf(asStored(this.#splits.train));
    const page = await renderRunReport({
      folder,
      history: folder.history,
      // After a finished training, with threshold and calibration.
      evaluation: this.#results?.[0].evaluation ?? this.#evaluation,
      results: this.#results,
      evalData: asStored(this.#splits.eval),
      pictures: this.#pictures,
      ended: new Date(),
      note,
    });
    await folder.writeReport(page);
    this.#reported = performance.now();
  }

  #stopped(): string {
    const { state, config } = this.#run.folder;
    const { epoch, batch } = state.training;
    const batches = Math.ceil(config.data.train.images / config.recipe.batchSize);
    return (
      `Stopped early: in epoch ${epoch} of ${config.recipe.epochs}, after batch ${formatCount(batch)} of ` +
      `${formatCount(batches)}. The metrics are those of the last whole epoch.`
    );
  }

  async #evaluateAll(validation: Evaluation): Promise<void> {
    const { folder, network } = this.#run;
    const evaluations = await finalEvaluations({
      folder,
      network,
      splits: this.#splits,
      validation,
      evaluate: (other, split) => evaluate(this.#evaluating(split, other)),
    });
    await folder.writeResults(resultsOf(evaluations));
    this.#results = evaluations;
  }

  #evaluating(split: OpenedSplit, network = this.#run.network) {
    const { folder, precision } = this.#run;
    const { recipe, model } = folder.config;
    const loader = evalLoaderOf(split, { network, inputShape: model.inputShape }, recipe);
    const total = split.dataset.length;
    const onBatch = (done: number) => this.#onProgress?.({ stage: 'last evaluation', done, total });
    return { network, loader, loss: lossOf(recipe).compute, precision, signal: this.#signal, onBatch };
  }

  /** Checksums of pixels find copies that were saved again. The pictures are decoded by now. */
  async #keepPixelChecksums(): Promise<void> {
    const { folder } = this.#run;
    const pictures = await folder.readPictures();
    if (pictures === null || pictures.train.pixels !== null) return;
    const { train, eval: evaluated } = this.#splits;
    const [trained, validated] = [await this.#pixelsOf(train), await this.#pixelsOf(evaluated)];
    await folder.writePictures({
      ...pictures,
      train: { ...pictures.train, ...packed(trained, pictures.train) },
      validation: { ...pictures.validation, ...packed(validated, pictures.validation) },
    });
    if (trained === null || validated === null) return;
    const notes = pixelCopyNotes(pictures, { train: trained, eval: validated }, this.#splits);
    for (const note of notes) this.#onNote(note);
    this.#copies = notes;
  }

  /** Checksums and looks of the pixels of images; null if pictures no longer exist. */
  async #pixelsOf(split: OpenedSplit): Promise<PixelFacts | null> {
    try {
      return await pixelFacts(asStored(split), this.#onProgress);
    } catch (error) {
      if (error instanceof FileError) return null;
      throw error;
    }
  }
}

/** The checksums and looks that a run keeps of a part; looks only of pictures that are files. */
function packed(facts: PixelFacts | null, { files }: SplitChecksums): Omit<SplitChecksums, 'files'> {
  if (facts === null) return { pixels: null };
  const { checksums, looks } = facts;
  const keepsLooks = files !== null && looks.length <= mostLooks;
  return { pixels: packChecksums(checksums), ...(keepsLooks && { looks: packLooks(looks) }) };
}

function asStored({ dataset }: OpenedSplit): Dataset {
  return dataset.withTransform(null);
}
