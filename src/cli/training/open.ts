import { join } from 'node:path';
import { engineInfo } from '../../engine/select.js';
import { InputError } from '../../errors.js';
import { outputFolder } from '../../io/files/outputs.js';
import { dataFor, findData } from '../../run/catalog/datasets.js';
import { RunFolder } from '../../run/folder.js';
import { CrossValidation } from '../../run/folds/crossValidation.js';
import type { TrainingOption } from '../../run/option.js';
import { Run } from '../../run/run.js';
import type { RunOptions } from '../../run/runOptions.js';
import { imageLoadingOf, runOptionsOf } from '../../run/runOptionsOf.js';
import { type TrainingOptions, trainingOptions } from '../../run/trainingOptions.js';
import { flagOf, type OptionKey } from '../flags.js';
import { applyEngine, type EngineOptions } from '../options.js';

export interface TrainCommandOptions extends TrainingOptions {
  readonly config?: string;
  readonly resume?: string;
  readonly repeat?: string;
  readonly printConfig?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** The folder of runs without --out. */
const runsFolder = 'runs';

/** How the options begin a run or a cross-validation: new, resumed or repeated. */
export function openingOf(model: string | undefined, options: TrainCommandOptions, given: readonly string[]): Opening {
  const { resume, repeat } = options;
  if (resume !== undefined) return resuming(model, resume, options, given);
  return repeat === undefined ? opening(model, options) : repeating(model, repeat, options, given);
}

type Opening = (displays: Pick<RunOptions, 'onDownload' | 'onProgress'>) => Promise<Run | CrossValidation>;

function opening(model: string | undefined, options: TrainCommandOptions): Opening {
  if (model === undefined) {
    throw new InputError('[train] model: expected a network such as lenet, --resume RUN or --repeat RUN, got none');
  }
  findData(options.data ?? dataFor(model));
  return async (displays) => {
    const asked = { ...(await newRunOptions(model, options)), ...displays };
    return options.folds === undefined ? Run.create(asked) : CrossValidation.create(asked, options.folds);
  };
}

/** Options of a new run, in the folder that is asked for or in a new one below `runs`. */
export async function newRunOptions(model: string, options: TrainCommandOptions): Promise<RunOptions> {
  const { data = dataFor(model) } = options;
  const { name } = findData(data);
  if (options.out === undefined) await outputFolder(runsFolder, 'run');
  return runOptionsOf(options, { model, data, out: options.out ?? newFolders(`${model}-${name}`) });
}

function resuming(
  model: string | undefined,
  path: string,
  options: TrainCommandOptions,
  given: readonly string[],
): Opening {
  requireOwnRecipe('resume', model, given);
  const { data, dataDir, testData, epochs } = options;
  return async (displays) => {
    const how = { data, dataDir, testData, epochs, imageLoading: imageLoadingOf(options), ...displays };
    if (CrossValidation.is(path)) {
      if (epochs !== undefined) {
        throw new InputError(
          '[train] --epochs: expected none when a cross-validation is resumed, got it; leave it out',
        );
      }
      const { config } = await RunFolder.begun(join(path, 'fold-1'));
      applyEngine(options, engineOf(config));
      return CrossValidation.resume(path, how);
    }
    const { config } = await RunFolder.begun(path);
    applyEngine(options, engineOf(config));
    return Run.resume(path, how);
  };
}

function repeating(
  model: string | undefined,
  path: string,
  options: TrainCommandOptions,
  given: readonly string[],
): Opening {
  requireOwnRecipe('repeat', model, given);
  const { data, dataDir, testData } = options;
  return async (displays) => {
    const { config } = await RunFolder.begun(path);
    if (options.out === undefined) await outputFolder(runsFolder, 'run');
    applyEngine(options, engineOf(config));
    return Run.repeat(path, {
      data,
      dataDir,
      testData,
      seed: options.seed,
      out: options.out ?? newFolders(`${config.model.name}-${config.data.name}`),
      imageLoading: imageLoadingOf(options),
      ...displays,
    });
  };
}

/** Refuses options that belong to the recipe of a run that exists. */
function requireOwnRecipe(option: 'resume' | 'repeat', model: string | undefined, given: readonly string[]): void {
  const goesWith = (key: string) => {
    const { existing }: Partial<TrainingOption> = trainingOptions[key as OptionKey] ?? {};
    return key === option || key === 'json' || existing === 'both' || existing === option;
  };
  const names = given.filter((key) => !goesWith(key)).map(flagOf);
  const strange = [...(model === undefined ? [] : [`the model ${model}`]), ...names];
  if (strange.length === 0) return;
  throw new InputError(
    `[train] --${option}: expected the run's own recipe, got ${strange.join(', ')} as well; leave that out, or start a new training`,
  );
}

/** The engine settings of the run, as options: the same settings give the same bits. */
function engineOf({ engine }: RunFolder['config']): EngineOptions {
  const { name, threads, precision, convolution: conv } = engine;
  // To set the usual number would make a difference: small programs use one thread unless a number was set.
  return { engine: name, precision, conv, ...(threads !== engineInfo().threads && { threads }) };
}

/** Trainings that may begin in the same second. */
const mostInASecond = 1000;

/** `runs/lenet-mnist-20250102-030405`, with -2 and so on at the end if several begin at once. */
function newFolders(name: string): readonly string[] {
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const path = join(runsFolder, `${name}-${date}-${time}`);
  return Array.from({ length: mostInASecond }, (_, i) => (i === 0 ? path : `${path}-${i + 1}`));
}
