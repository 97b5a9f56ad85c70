import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as check from '../../check.js';
import { FileError, InputError } from '../../errors.js';
import { reasonOf, writeFileAtomic } from '../../io/files/atomic.js';
import { readText } from '../../io/files/input.js';
import { parseRecord } from '../../text/record.js';
import { openForFolds } from '../create.js';
import { decisionRule } from '../decision.js';
import { appliedChoice } from '../decisions/applied.js';
import { calibratedProbabilities } from '../decisions/calibrated.js';
import { chooseDecision, wantsChoice } from '../decisions/choose.js';
import type { DecisionChoice } from '../decisions/record.js';
import { foldsFile, RunFolder } from '../folder.js';
import { positiveOf } from '../positive.js';
import { predictionsFile, readPredictions, writePredictions } from '../predictions/file.js';
import { plainProbabilities } from '../predictions/metricInput.js';
import { originOf } from '../predictions/origin.js';
import { joinedPredictions, type Predictions, partOf } from '../predictions/predictions.js';
import { repeatOptions } from '../resume.js';
import { Run } from '../run.js';
import type { ResumeOptions, RunOptions } from '../runOptions.js';
import { FoldPlan, foldsRecord } from './plan.js';
import { type FoldMetric, foldMetrics } from './results.js';

const tableFile = 'folds.csv';
const resultsFile = 'out-of-fold.json';

/** The results of a finished cross-validation. */
export interface CrossValidationResults {
  /** Each image, predicted by the network that was not trained on it. */
  readonly predictions: Predictions;
  readonly metrics: readonly FoldMetric[];
  /** Threshold and calibration by the out-of-fold predictions. They are applied by the runs of all folds. */
  readonly choice: DecisionChoice | null;
  /** Accuracy of each fold's network on test images; null without test images. */
  readonly test: readonly number[] | null;
}

/**
 * K networks, each trained without one of K folds of the data. The folder has a run folder for each fold,
 * `fold-1` and so on; the division, `folds.json` and `folds.csv`; and, when all folds have been trained, the
 * out-of-fold predictions, `predictions.csv`, and their metrics, `out-of-fold.json`.
 */
export class CrossValidation {
  readonly path: string;
  readonly plan: FoldPlan;
  readonly #optionsOf: (number: number) => Promise<RunOptions>;
  readonly #resuming: ResumeOptions;

  private constructor(
    path: string,
    plan: FoldPlan,
    optionsOf: (number: number) => Promise<RunOptions>,
    resuming: ResumeOptions,
  ) {
    this.path = path;
    this.plan = plan;
    this.#optionsOf = optionsOf;
    this.#resuming = resuming;
  }

  /** Whether a folder is that of a cross-validation. */
  static is(path: string): boolean {
    return existsSync(join(path, foldsFile));
  }

  /**
   * Divides the data, and makes the folder.
   *
   * @param options as for `Run.create`; `out` is the folder of all folds
   * @throws {InputError} as `Run.create`, for data that cannot be divided, and with a hold-out
   */
  static async create(options: RunOptions, folds: number): Promise<CrossValidation> {
    const plan = await divideInFolds(options, folds);
    const path = await newFolder(options.out);
    await writeFileAtomic(join(path, tableFile), plan.table);
    await writeFileAtomic(join(path, foldsFile), `${JSON.stringify(plan.record, null, 2)}\n`);
    const optionsOf = async (number: number) => ({ ...options, fold: plan.fold(number), out: foldPath(path, number) });
    return new CrossValidation(path, plan, optionsOf, options);
  }

  /**
   * Opens the folder of a cross-validation that was stopped or killed, to continue it.
   *
   * @throws {FileError} naming the file that is missing, edited or not what it should be
   */
  static async resume(path: string, options: ResumeOptions = {}): Promise<CrossValidation> {
    const read = (name: string) =>
      readText(join(path, name)).catch((error: unknown) => {
        throw new FileError(`[folds] ${join(path, name)}: expected a readable file, got ${reasonOf(error)}`, {
          cause: error,
        });
      });
    const record = parseRecord(foldsRecord, 'folds', await read(foldsFile), join(path, foldsFile));
    const plan = await FoldPlan.read(join(path, tableFile), record, await read(tableFile));
    const optionsOf = async (number: number) => {
      const { sameAs: _, ...first } = await repeatOptions(foldPath(path, 1), { ...options, out: path });
      return { ...first, fold: plan.fold(number), out: foldPath(path, number) };
    };
    return new CrossValidation(path, plan, optionsOf, options);
  }

  get folds(): number {
    return this.plan.record.folds;
  }

  /**
   * Begins or resumes the training of a fold.
   *
   * @param number from 1 on
   * @returns null for a fold that was trained before
   */
  async open(number: number): Promise<Run | null> {
    const path = foldPath(this.path, number);
    if (existsSync(join(path, predictionsFile))) return null;
    if (existsSync(join(path, 'config.json'))) return Run.resume(path, this.#resuming);
    return Run.create(await this.#optionsOf(number));
  }

  /**
   * Joins the predictions of all folds, chooses threshold and calibration by them, and computes the metrics.
   *
   * @throws {FileError} if the predictions of a fold are missing, edited or of other weights
   */
  async finish(): Promise<CrossValidationResults> {
    const parts: Predictions[] = [];
    const folders: RunFolder[] = [];
    const test: number[] = [];
    for (let number = 1; number <= this.folds; number++) {
      const folder = await RunFolder.open(foldPath(this.path, number));
      const { weightsSha256 } = folder;
      const all = await readPredictions(join(folder.path, predictionsFile), { weightsSha256 });
      const heldOut = partOf(all, 'validation');
      parts.push({ ...heldOut, splits: heldOut.splits.map(() => `fold-${number}`) });
      folders.push(folder);
      const results = await folder.readResults();
      const tested = results?.evaluations.find(({ weights, split }) => weights === 'last' && split === 'test');
      if (tested !== undefined) test.push(tested.accuracy);
    }
    const joined = joinedPredictions(parts);
    this.#requireAll(joined);
    const plain = { ...joined, probabilities: plainProbabilities(joined) };
    const [{ config }] = folders;
    const choose = (weightsSha256: string) =>
      chooseDecision(config, plain, { weights: 'last', weightsSha256, part: 'out-of-fold' });
    const choice = wantsChoice(config) ? choose(folders[0].weightsSha256) : null;
    if (choice !== null) {
      for (const folder of folders) await folder.writeDecisions([{ ...choice, weightsSha256: folder.weightsSha256 }]);
    }
    const applied = appliedChoice(choice, config.operatingRule !== null);
    const { calibrator, operatingPoint } = applied;
    const classes = config.data.classNames.length;
    const predictions =
      calibrator === null
        ? plain
        : { ...plain, probabilities: calibratedProbabilities(calibrator, { logits: plain.logits, classes }) };
    const positive = positiveOf(config);
    const decision = positive && {
      positive: positive.index,
      threshold: decisionRule(positive, operatingPoint).threshold,
    };
    const origin = originOf(
      config,
      folders.map(({ weightsSha256 }) => ({ which: 'last' as const, sha256: weightsSha256 })),
      applied,
      folders.map(({ config: { data } }, i) => {
        return { split: `fold-${i + 1}`, images: data.eval.images, sha256: data.eval.sha256 };
      }),
    );
    await writePredictions(join(this.path, predictionsFile), predictions, origin);
    const metrics = foldMetrics(predictions, decision, config.seed);
    const results = {
      format: 1,
      images: predictions.labels.length,
      choice,
      metrics,
      test: test.length > 0 ? test : null,
    };
    await writeFileAtomic(join(this.path, resultsFile), `${JSON.stringify(results, null, 2)}\n`);
    return { predictions, metrics, choice, test: results.test };
  }

  /** @throws {FileError} unless each picture was predicted exactly once */
  #requireAll({ files }: Predictions): void {
    const wanted = this.plan.rows.filter(({ fold }) => fold !== null).length;
    if (files.length === wanted && new Set(files).size === wanted) return;
    throw new FileError(
      `[folds] ${this.path}: expected one prediction for each of ${wanted} pictures, got ${files.length} for ` +
        `${new Set(files).size}; train again`,
    );
  }
}

/**
 * Opens the data and divides them into folds. Nothing is written.
 *
 * @throws {InputError} as {@link CrossValidation.create}
 */
export async function divideInFolds(options: Parameters<typeof openForFolds>[0], folds: number): Promise<FoldPlan> {
  check.requireValue('folds', 'folds', folds, check.rule<number>('a whole number of at least 2', check.integer(2).is));
  if (options.holdOut !== undefined) {
    throw new InputError('[folds] hold-out: expected none, since each fold is held out once, got one; leave it out');
  }
  const seed = options.holdOutSeed ?? options.seed ?? 0;
  const { data, name } = await openForFolds(options);
  return FoldPlan.divide(data, { name, folds, seed, group: options.group });
}

function foldPath(path: string, number: number): string {
  return join(path, `fold-${number}`);
}

/** Makes the first of several folders that does not exist. */
async function newFolder(out: RunOptions['out']): Promise<string> {
  if (typeof out === 'string') {
    await RunFolder.check(out);
    await mkdir(out, { recursive: true });
    return out;
  }
  const path = out.find((candidate) => !existsSync(candidate));
  if (path === undefined) throw new InputError('[folds] folder: expected a name that is not taken yet, got none');
  await mkdir(path, { recursive: true });
  return path;
}
