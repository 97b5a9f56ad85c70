import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FileError, InputError } from '../errors.js';
import { makeFolder, reasonOf, writeFileAtomic } from '../io/files/atomic.js';
import { fingerprint } from '../io/files/fingerprint.js';
import { readText } from '../io/files/input.js';
import { lockFile } from '../io/files/lock.js';
import { outputFolder } from '../io/files/outputs.js';
import { isTemporary } from '../io/files/temporary.js';
import { option } from '../text/option.js';
import { parseRecord } from '../text/record.js';
import { StateFolder } from '../train/checkpoint/folder.js';
import { stateFile } from '../train/checkpoint/stateFiles.js';
import type { KnownSplit } from './catalog/datasets.js';
import { type PicturesRecord, pictures, type RunConfig, runConfig } from './config.js';
import { wantsChoice } from './decisions/choose.js';
import { type DecisionChoice, runDecisions } from './decisions/record.js';
import { type RunResults, runResults } from './results/record.js';
import { readSplitTable } from './splitTable.js';
import { weightsMetadata } from './weightsRecord.js';

const configFile = 'config.json';
const reportFile = 'report.html';
const picturesFile = 'pictures.json';
const resultsFile = 'results.json';
const splitFile = 'split.csv';
const decisionFile = 'decision.json';
/** In the folder of a cross-validation, which holds a run for each fold. */
export const foldsFile = 'folds.json';
/** The files that a new folder has. */
const begun = [configFile, picturesFile, splitFile];
const tensorBoardFolder = 'tensorboard';

/**
 * The folder of one training: a `StateFolder` with more files.
 *
 * | file | contents |
 * |---|---|
 * | `config.json` | everything needed to repeat the run |
 * | `pictures.json` | checksums of the training and validation pictures |
 * | `split.csv` | part of the data, group and class of each picture |
 * | `decision.json` | threshold between two classes and calibration, chosen on the validation images |
 * | `results.json` | metrics of the finished training, on validation and test images |
 * | `report.html` | learning curves, confusion matrix, worst mistakes |
 * | `tensorboard/` | optional: the metrics as TensorBoard's event files |
 */
export class RunFolder extends StateFolder {
  #config: RunConfig;
  /** The part of the folder that this object has made and may remove again. */
  #made: 'all' | 'contents' | null = null;

  private constructor(path: string, config: RunConfig) {
    super(path, [configFile], weightsMetadata(config));
    this.#config = config;
  }

  get config(): RunConfig {
    return this.#config;
  }

  /**
   * Checks before the work that {@link create} can make the folder.
   *
   * @throws {InputError} if it cannot
   */
  static async check(path: string): Promise<void> {
    await outputFolder(path, 'run');
    if (existsSync(path)) await requireEmpty(path);
  }

  /**
   * Makes a new folder with its `config.json`. If two calls come at the same time, one succeeds.
   *
   * @param path one path, or several, of which the first one is taken that does not exist
   * @throws {InputError} if there is a folder with something in it already, or a file of that name
   */
  static async create(
    path: string | readonly string[],
    config: RunConfig,
    pictures: PicturesRecord,
    split: string | null = null,
  ): Promise<RunFolder> {
    if (typeof path === 'string') return RunFolder.#fill(path, await isMade(path), config, pictures, split);
    for (const candidate of path)
      if (await isMade(candidate)) return RunFolder.#fill(candidate, true, config, pictures, split);
    throw new InputError(
      `[run] folder: expected a name that is not taken yet, got none; choose another ${option('out')}`,
    );
  }

  static async #fill(
    path: string,
    isNew: boolean,
    config: RunConfig,
    pictures: PicturesRecord,
    split: string | null,
  ): Promise<RunFolder> {
    if (!isNew) await requireEmpty(path);
    const folder = new RunFolder(path, config);
    return folder.locked(async () => {
      // Another process may have been faster.
      await requireEmpty(path);
      folder.#made = isNew ? 'all' : 'contents';
      await writeFileAtomic(join(path, configFile), `${JSON.stringify(config, null, 2)}\n`);
      if (split !== null) await writeFileAtomic(join(path, splitFile), split);
      await folder.writePictures(pictures);
      return folder;
    });
  }

  /**
   * Reads a folder.
   *
   * @throws {FileError} naming the file that is missing, cut, altered or not what it should be
   */
  static async open(path: string): Promise<RunFolder> {
    const folder = await RunFolder.begun(path);
    await folder.read();
    return folder;
  }

  /**
   * Reads `config.json` alone. A run that is resumed reads the state after it has locked the folder, and a
   * run that was killed early has no state.
   *
   * @throws {FileError} naming the file if it is missing or not what it should be
   */
  static async begun(path: string): Promise<RunFolder> {
    if (typeof path !== 'string') throw new InputError(`[run] path: expected text, got ${typeof path}`);
    const configPath = join(path, configFile);
    const text = await configText(path).catch((error: unknown) => {
      if (existsSync(join(path, foldsFile))) {
        throw new FileError(
          `[run] ${path}: expected the folder of a training, got a cross-validation; give one of its folds, such as ` +
            join(path, 'fold-1'),
          { cause: error },
        );
      }
      throw new FileError(
        `[run] ${configPath}: expected the folder of a training (made by fovea train), got ${reasonOf(error)}`,
        { cause: error },
      );
    });
    return new RunFolder(path, parseRecord(runConfig, 'config', text, configPath));
  }

  /** Whether a report was written. */
  get hasReport(): boolean {
    return existsSync(join(this.path, reportFile));
  }

  /** The folder for the event files of TensorBoard. */
  get tensorBoardPath(): string {
    return join(this.path, tensorBoardFolder);
  }

  /**
   * Removes the files that {@link create} has made, unless anything was added since.
   *
   * @returns whether another training can be made there
   */
  async discard(): Promise<boolean> {
    const names = await readdir(this.path).catch(() => []);
    if (this.#made === null || names.some((name) => !begun.includes(name))) return false;
    await rm(join(this.path, configFile));
    for (const name of [picturesFile, splitFile]) await rm(join(this.path, name), { force: true });
    if (this.#made === 'all') await rmdir(this.path);
    return true;
  }

  /** Changes the record of the run: more epochs, or another place of its data. */
  async reconfigure(config: RunConfig): Promise<void> {
    // A finished run is no longer finished if it gets more epochs.
    const hasMoreEpochs = config.recipe.epochs > this.#config.recipe.epochs;
    await this.replace(configFile, `${JSON.stringify(config, null, 2)}\n`, hasMoreEpochs ? { finished: false } : {});
    this.#config = config;
  }

  /** Stores threshold and calibration, which are chosen after the training. */
  async writeDecisions(choices: readonly DecisionChoice[]): Promise<void> {
    await writeFileAtomic(join(this.path, decisionFile), `${JSON.stringify({ format: 1, choices }, null, 2)}\n`);
  }

  /**
   * Threshold and calibration for some weights of the run.
   *
   * @returns null if nothing was chosen for these weights
   * @throws {FileError} for a file that is not what it should be
   */
  async readDecision(weightsSha256: string): Promise<DecisionChoice | null> {
    const path = join(this.path, decisionFile);
    const text = await this.#optional(decisionFile);
    if (text !== null) {
      const { choices } = parseRecord(runDecisions, 'decisions', text, path);
      const own = choices.find((choice) => choice.weightsSha256 === weightsSha256);
      if (own !== undefined) return own;
    }
    const { operatingPoint } = this.state;
    if (operatingPoint === null || weightsSha256 !== this.weightsSha256) return null;
    const images = operatingPoint.chosenOn.accuracy.total;
    return { weights: 'last', weightsSha256, part: 'train', images, operatingPoint, calibration: null };
  }

  /** Whether all work is done that needs the optimizer's state, including the work after the last epoch. */
  async isFinished(): Promise<boolean> {
    if (!this.state.finished) return false;
    return !wantsChoice(this.config) || (await this.readDecision(this.weightsSha256)) !== null;
  }

  /** Marks a run that was stopped early because it did not improve. */
  async saveFinished(): Promise<void> {
    if (!this.state.finished) await this.amend({ finished: true });
  }

  /** Stores the checksums of the pictures of the run. */
  async writePictures(pictures: PicturesRecord): Promise<void> {
    await writeFileAtomic(join(this.path, picturesFile), `${JSON.stringify(pictures)}\n`);
  }

  /**
   * The checksums of the pictures of the run.
   *
   * @returns null if there are none, as in folders of older versions
   * @throws {FileError} for a file that is not what it should be
   */
  async readPictures(): Promise<PicturesRecord | null> {
    const text = await this.#optional(picturesFile);
    return text === null ? null : parseRecord(pictures, 'pictures', text, join(this.path, picturesFile));
  }

  /** Stores the metrics of the finished training. */
  async writeResults(results: RunResults): Promise<void> {
    await writeFileAtomic(join(this.path, resultsFile), `${JSON.stringify(results, null, 2)}\n`);
  }

  /**
   * The metrics of the finished training.
   *
   * @returns null if there are none: the training has not finished, or an older version has made the folder
   * @throws {FileError} for a file that is not what it should be
   */
  async readResults(): Promise<RunResults | null> {
    const text = await this.#optional(resultsFile);
    return text === null ? null : parseRecord(runResults, 'results', text, join(this.path, resultsFile));
  }

  /**
   * The split of the data of the run.
   *
   * @returns null for data that are no single pictures, and in folders of older versions
   * @throws {FileError} for a table that was changed
   */
  async readSplit(): Promise<KnownSplit['pictures'] | null> {
    const { splitSha256 } = this.config.data;
    if (splitSha256 === undefined) return null;
    const path = join(this.path, splitFile);
    return readSplitTable(path, (await this.#optional(splitFile)) ?? '', splitSha256);
  }

  async #optional(name: string): Promise<string | null> {
    const path = join(this.path, name);
    return readText(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new FileError(`[run] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
    });
  }

  /** @throws {FileError} if it cannot be read */
  async readReport(): Promise<string> {
    const path = join(this.path, reportFile);
    return readText(path).catch((error: unknown) => {
      throw new FileError(`[run] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
    });
  }

  async writeReport(html: string): Promise<void> {
    await writeFileAtomic(join(this.path, reportFile), html);
  }
}

/**
 * The record of a run. If the process was killed before the new record was renamed, the state refers to the
 * new file.
 */
async function configText(path: string): Promise<string> {
  const fresh = join(path, `${configFile}.new`);
  const expected = await readText(join(path, stateFile))
    .then((text) => JSON.parse(text).files[configFile].sha256 as string)
    .catch(() => null);
  const renamed = expected === null || (await fingerprint(fresh).catch(() => null))?.sha256 !== expected;
  return readText(renamed ? join(path, configFile) : fresh);
}

/** Makes a folder; false if something of that name is there. */
async function isMade(path: string): Promise<boolean> {
  try {
    await makeFolder(dirname(resolve(path)));
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new FileError(
      `[run] ${path}: expected to make the folder, got ${reasonOf(error)}; choose another ${option('out')}`,
      {
        cause: error,
      },
    );
  }
}

async function requireEmpty(path: string): Promise<void> {
  const entries = await readdir(path).catch((error: unknown) => {
    throw new InputError(
      `[run] ${path}: expected a new or empty folder, got ${reasonOf(error)}; choose another ${option('out')}`,
      {
        cause: error,
      },
    );
  });
  // A run that was killed at its start has left nothing else.
  if (entries.every((name) => isTemporary(name) || name.startsWith(lockFile))) return;
  throw new InputError(
    `[run] ${path}: expected a new or empty folder, got one with ${entries.length === 1 ? 'a file' : `${entries.length} files`} ` +
      `(nothing is ever overwritten); ${entries.includes(configFile) ? `resume that training (${option('resume')}), or ` : ''}choose another ${option('out')}`,
  );
}
