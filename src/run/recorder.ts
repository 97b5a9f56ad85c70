import { FileError, messageOf } from '../errors.js';
import { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import { chooseOperatingPoint } from '../metric/index.js';
import type { Picture } from '../report/data.js';
import { formatCount } from '../text/numbers.js';
import type { Training } from '../train/callback.js';
import { evaluate } from '../train/evaluate.js';
import type { Evaluation } from '../train/evaluation.js';
import type { TrainOutcome } from '../train/history.js';
import type { OpenedSplit } from './catalog/datasets.js';
import { packChecksums, pixelChecksums } from './checksums.js';
import { binaryScores } from './decision.js';
import { positiveOf } from './positive.js';
import { lossOf } from './recipes.js';
import { picturesOf, renderRunReport } from './report.js';
import type { Run } from './run.js';
import { evalBatchSize } from './splits.js';

/** A report of a long run is renewed on the way, at most so often. */
const reportSeconds = 60;

interface KeeperOptions {
  readonly signal: AbortSignal | undefined;
  /** Told of what could not be made beside the training. */
  readonly onNote: (note: string) => void;
}

/** Saves the state and writes the report as the training goes on. */
export class Keeper {
  readonly #run: Run;
  readonly #train: OpenedSplit;
  readonly #eval: OpenedSplit;
  readonly #signal: AbortSignal | undefined;
  readonly #onNote: (note: string) => void;
  #evaluation: Evaluation | null = null;
  #pictures: readonly Picture[] | null = null;
  #reported = performance.now();

  constructor(run: Run, train: OpenedSplit, judged: OpenedSplit, { signal, onNote }: KeeperOptions) {
    this.#run = run;
    this.#train = train;
    this.#eval = judged;
    this.#signal = signal;
    this.#onNote = onNote;
  }

  async save(training: Training): Promise<void> {
    await this.#run.folder.save(training);
    this.#evaluation = training.evaluation;
    const due = performance.now() - this.#reported > 1000 * reportSeconds;
    if (due && training.epoch <= training.epochs) await this.report('The training goes on.');
  }

  async end(outcome: TrainOutcome): Promise<TrainOutcome> {
    const { completed, history } = outcome;
    if (completed && outcome.evaluation === null) {
      // The run was killed between its last epoch and its end, and has been gone on with.
      const judged = await evaluate({ ...this.#judging(this.#eval.dataset), mistakes: undefined });
      return this.end({ ...outcome, evaluation: judged });
    }
    this.#evaluation = outcome.evaluation;
    if (completed) {
      await this.#attempt('operating point', () => this.#chooseOperatingPoint());
      await this.#attempt('checksums of the pixels', () => this.#keepPixelChecksums());
      if (this.#signal?.aborted !== true) await this.#attempt('end', () => this.#run.folder.saveFinished());
    }
    await this.report(completed ? (this.#run.notice(history) ?? undefined) : this.#stopped());
    return outcome;
  }

  report(note?: string): Promise<void> {
    return this.#attempt('report', () => this.#report(note));
  }

  /** Does something beside the training, whose failure must not end it. */
  async #attempt(what: string, body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      // Stopping here costs only what is made here.
      if (this.#signal?.aborted && error === this.#signal.reason) return;
      const { path } = this.#run.folder;
      this.#onNote(`[run] ${what}: ${messageOf(error)}; the training is saved in ${path}, resume it to try again`);
    }
  }

  async #report(note?: string): Promise<void> {
    const { folder } = this.#run;
    // People see the pictures as they are.
    this.#pictures ??= await picturesOf(asStored(this.#train));
    const page = await renderRunReport({
      folder,
      history: folder.history,
      evaluation: this.#evaluation,
      evalData: asStored(this.#eval),
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
      `${formatCount(batches)}. The figures are those of the last whole epoch.`
    );
  }

  #judging(dataset: OpenedSplit['dataset']) {
    const { network, folder } = this.#run;
    const { recipe, model } = folder.config;
    const batchSize = evalBatchSize(network, model.inputShape, recipe, dataset.length);
    const loader = new DataLoader(dataset, { batchSize, reuse: true });
    return { network, loader, loss: lossOf(recipe).compute, signal: this.#signal };
  }

  /** With them copies are known that were saved anew. By now the pictures are decoded. */
  async #keepPixelChecksums(): Promise<void> {
    const { folder } = this.#run;
    const pictures = await folder.readPictures();
    if (pictures === null || pictures.train.pixels !== null) return;
    await folder.writePictures({
      ...pictures,
      train: { ...pictures.train, pixels: await packedPixels(this.#train) },
      validation: { ...pictures.validation, pixels: await packedPixels(this.#eval) },
    });
  }

  async #chooseOperatingPoint(): Promise<void> {
    const { folder } = this.#run;
    const { operatingRule: rule } = folder.config;
    const positive = positiveOf(folder.config);
    if (rule === null || positive === null || folder.state.operatingPoint !== null) return;
    const judged = await evaluate({ ...this.#judging(this.#train.dataset), mistakes: 0 });
    await folder.saveOperatingPoint(chooseOperatingPoint(binaryScores(judged, positive), rule));
  }
}

/** Null for pictures that are no longer there. */
async function packedPixels(split: OpenedSplit): Promise<string | null> {
  try {
    return packChecksums(await pixelChecksums(asStored(split)));
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}

function asStored({ dataset }: OpenedSplit): Dataset {
  return dataset.withTransform(null);
}
