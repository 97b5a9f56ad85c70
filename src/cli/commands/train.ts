import { join } from 'node:path';
import { engineInfo } from '../../engine/select.js';
import { FileError, InputError } from '../../errors.js';
import { outputFolder } from '../../io/files/outputs.js';
import { screeningFacts } from '../../report/screeningFacts.js';
import { noMedicalDevice } from '../../report/wording.js';
import { dataFor, findData, namedDataset } from '../../run/catalog/datasets.js';
import { namedModel, namedModels } from '../../run/catalog/models.js';
import { compareRuns, type RunComparison } from '../../run/compare.js';
import { isScreening } from '../../run/config.js';
import { screeningOf } from '../../run/decision.js';
import { recipeLine } from '../../run/describe.js';
import { RunFolder } from '../../run/folder.js';
import { unreadableOf } from '../../run/imageLoading.js';
import { describeInputs, fixedNames } from '../../run/inputPipeline.js';
import { namedValues, type TrainingOption } from '../../run/option.js';
import { describePositive, positiveOf } from '../../run/positive.js';
import { Run } from '../../run/run.js';
import type { RunOptions } from '../../run/runOptions.js';
import {
  beginningOptions,
  imageOptions,
  recipeOptions,
  type TrainingOptions,
  techniqueOptions,
  trainingOptions,
} from '../../run/trainingOptions.js';
import { weightsRecordOf } from '../../run/weightsRecord.js';
import { formatCount, formatDuration, formatMetric, formatPercent, formatRate } from '../../text/numbers.js';
import { visibleLine } from '../../text/visible.js';
import type { EpochRecord, TrainOutcome } from '../../train/history.js';
import { readConfiguration } from '../config.js';
import { DownloadDisplay, ReadingDisplay, TrainingDisplay } from '../display.js';
import { flagOf, inFlags, type OptionKey } from '../flags.js';
import { Interruption } from '../interrupt.js';
import { applyEngine, type EngineOptions, imageLoadingOf } from '../options.js';
import { accuracyFact, hashFacts, printConfusion } from '../results.js';
import { complain, ownCommand, print, printFacts, printJson, quoted, type Terminal } from '../terminal.js';
import { understoodFacts } from '../understood.js';

interface TrainCommandOptions extends TrainingOptions {
  readonly config?: string;
  readonly resume?: string;
  readonly repeat?: string;
  readonly json?: boolean;
}

/** The folder of runs without --out. */
const runsFolder = 'runs';

/** @param given the options on the command line */
export async function train(
  name: string | undefined,
  called: TrainCommandOptions,
  given: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { model, options } = await configured(name, called, given);
  const open = openingOf(model, options, given);
  const { json = false, saveSteps, tensorBoard = false } = options;
  applyEngine(options);
  const download = new DownloadDisplay(terminal);
  const reading = new ReadingDisplay(terminal);
  const interruption = new Interruption(terminal);
  let display: TrainingDisplay | null = null;
  try {
    const run = await open({ onDownload: download.show, onProgress: reading.show }).catch((error: unknown) => {
      throw inFile(error, options.config);
    });
    download.end();
    reading.end();
    const { config } = run.folder;
    const { evalName } = namedDataset(config.data.name);
    const report = json ? new JsonReport(run, terminal) : new TextReport(run, terminal, evalName);
    report.begin(tensorBoard);
    display = new TrainingDisplay(terminal, {
      logEvery: options.logEvery ?? config.recipe.logEvery,
      batchSize: config.recipe.batchSize,
      onLine: json ? (line) => printJson(terminal, { event: 'batch', ...line }) : undefined,
      onEpoch: (record) => report.epoch(record),
    });
    const outcome = await run.train({
      callbacks: [display],
      signal: interruption.signal,
      saveSteps,
      tensorBoard,
      onNote: (note) => {
        display?.end();
        complain(terminal, note);
      },
    });
    const { repeat } = options;
    const comparison = repeat === undefined || !outcome.completed ? null : await compared(repeat, run);
    report.end(outcome, comparison);
    return interruption.exitCode;
  } finally {
    download.end();
    reading.end();
    display?.end();
    interruption.end();
  }
}

/** Null if there is no earlier run left to compare with. */
async function compared(path: string, { folder }: Run): Promise<Comparison | null> {
  const before = await RunFolder.open(path).catch((error: unknown) => {
    if (error instanceof FileError) return null;
    throw error;
  });
  return before === null ? null : { ...(await compareRuns(before, folder)), run: path };
}

interface Comparison extends RunComparison {
  /** The run that was repeated. */
  readonly run: string;
}

/** Adds the options of the file of --config. The command line wins. */
async function configured(name: string | undefined, asked: TrainCommandOptions, given: readonly string[]) {
  const [model, called] = withModel(name, asked);
  if (called.config === undefined || called.resume !== undefined || called.repeat !== undefined) {
    return { model, options: called };
  }
  const written = await readConfiguration(called.config);
  const typed = Object.fromEntries(Object.entries(called).filter(([key]) => given.includes(key)));
  const options: TrainCommandOptions = { ...called, ...written, ...typed };
  return { model: model ?? written.model, options };
}

/** In `train --pretrained zoo-resnet18`, the name of a network is in the place of a file. */
function withModel(
  model: string | undefined,
  called: TrainCommandOptions,
): [model: string | undefined, called: TrainCommandOptions] {
  const { pretrained } = called;
  const swallowed = model === undefined && typeof pretrained === 'string' && Object.hasOwn(namedModels, pretrained);
  return swallowed ? [pretrained, { ...called, pretrained: true }] : [model, called];
}

/** Adds the name of the file to errors that are found only when data and network are known. */
function inFile(error: unknown, path: string | undefined): unknown {
  if (path === undefined || !(error instanceof InputError)) return error;
  if (!/^\[(schedule|lr|classWeight|sampler|transforms)\]/.test(error.message)) return error;
  return new InputError(`[config] ${path}: ${error.message}`, { cause: error });
}

function openingOf(model: string | undefined, options: TrainCommandOptions, given: readonly string[]): Opening {
  const { resume, repeat } = options;
  if (resume !== undefined) return resuming(model, resume, options, given);
  return repeat === undefined ? opening(model, options) : repeating(model, repeat, options, given);
}

type Opening = (displays: Pick<RunOptions, 'onDownload' | 'onProgress'>) => Promise<Run>;

function opening(model: string | undefined, options: TrainCommandOptions): Opening {
  if (model === undefined) {
    throw new InputError('[train] model: expected a network such as lenet, --resume RUN or --repeat RUN, got none');
  }
  const { data = dataFor(model), dataDir, seed } = options;
  const { name } = findData(data);
  const techniques = namedValues(techniqueOptions, options);
  return async (displays) => {
    if (options.out === undefined) await outputFolder(runsFolder, 'run');
    return Run.create({
      ...namedValues(beginningOptions, options),
      model,
      data,
      out: options.out ?? newFolders(`${model}-${name}`),
      seed,
      dataDir,
      images: namedValues(imageOptions, options),
      imageLoading: imageLoadingOf(options),
      changes: {
        ...namedValues(recipeOptions, options),
        ...(Object.keys(techniques).length > 0 && { techniques }),
      },
      ...displays,
    });
  };
}

function resuming(
  model: string | undefined,
  path: string,
  options: TrainCommandOptions,
  given: readonly string[],
): Opening {
  requireOwnRecipe('resume', model, given);
  const { data, dataDir, epochs } = options;
  return async (displays) => {
    const { config } = await RunFolder.begun(path);
    applyEngine(options, engineOf(config));
    return Run.resume(path, { data, dataDir, epochs, imageLoading: imageLoadingOf(options), ...displays });
  };
}

function repeating(
  model: string | undefined,
  path: string,
  options: TrainCommandOptions,
  given: readonly string[],
): Opening {
  requireOwnRecipe('repeat', model, given);
  const { data, dataDir } = options;
  return async (displays) => {
    const { config } = await RunFolder.begun(path);
    if (options.out === undefined) await outputFolder(runsFolder, 'run');
    applyEngine(options, engineOf(config));
    return Run.repeat(path, {
      data,
      dataDir,
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

class TextReport {
  readonly #run: Run;
  readonly #terminal: Terminal;
  readonly #evalName: string;

  constructor(run: Run, terminal: Terminal, evalName: string) {
    this.#run = run;
    this.#terminal = terminal;
    this.#evalName = evalName;
  }

  begin(tensorBoard: boolean): void {
    const { folder, from } = this.#run;
    const { model, data, recipe, engine, seed } = folder.config;
    const { train, eval: evaluated } = data;
    print(this.#terminal, `${namedModel(model.name).title} on ${data.title}`);
    printFacts(this.#terminal, [
      ['parameters', formatCount(model.parameters)],
      ['data', `${formatCount(train.images)} training and ${formatCount(evaluated.images)} ${this.#evalName} images`],
      ['classes', classLine(data.classNames, train.classCounts)],
      ['source', train.source],
      ...understoodFacts(this.#run.understood, data),
      ...unreadableFacts(unreadableOf(data)),
      ...(model.pretrained === undefined ? [] : [['weights', model.pretrained.path] as const]),
      ...inputFacts(folder.config),
      ...positiveFacts(folder.config),
      ['recipe', recipeLine(recipe)],
      ['seed', String(seed)],
      ['engine', `${engine.description}, ${engine.threads === 1 ? 'one thread' : `up to ${engine.threads} threads`}`],
      ['run folder', folder.path],
      ...(tensorBoard ? [['TensorBoard', `tensorboard --logdir ${quoted(folder.tensorBoardPath)}`] as const] : []),
      ...(from === null ? [] : [['continues', `epoch ${from.epoch}, after batch ${formatCount(from.batch)}`] as const]),
    ]);
    for (const note of this.#run.notes()) print(this.#terminal, `note: ${inFlags(note)}`);
    print(this.#terminal, '');
  }

  epoch(record: EpochRecord): void {
    const { epoch, trainLoss, trainAccuracy, evalLoss, evalAccuracy, imagesPerSecond, seconds } = record;
    const isEvaluated = evalLoss !== null && evalAccuracy !== null;
    const parts = [
      `epoch ${epoch}/${this.#run.folder.config.recipe.epochs}`,
      `training loss ${formatMetric(trainLoss)}`,
      ...(trainAccuracy === undefined ? [] : [`accuracy ${formatPercent(trainAccuracy)}`]),
      ...(isEvaluated
        ? [`${this.#evalName} loss ${formatMetric(evalLoss)}`, `accuracy ${formatPercent(evalAccuracy)}`]
        : []),
      formatDuration(seconds),
      `${formatRate(imagesPerSecond).replace('/s', '')} images/s`,
    ];
    print(this.#terminal, parts.join('  '));
  }

  end({ completed, evaluation, history }: TrainOutcome, comparison: Comparison | null): void {
    const { folder } = this.#run;
    const { training } = folder.state;
    const notice = this.#run.notice(history);
    if (notice !== null) print(this.#terminal, `\n${inFlags(notice)}`);
    const command = ownCommand();
    const path = quoted(folder.path);
    const result =
      evaluation === null
        ? ''
        : `: ${formatPercent(evaluation.accuracy)} of ${formatCount(evaluation.samples)} ${this.#evalName} images right, ` +
          `loss ${formatMetric(evaluation.loss)}`;
    const { epochs, techniques } = folder.config.recipe;
    const early =
      history.length < epochs ? ` after epoch ${history.length} of ${epochs}, for it had got no better` : '';
    print(
      this.#terminal,
      completed
        ? `\nDone${early}${result}.`
        : `\nStopped in epoch ${training.epoch} after ${formatCount(training.batch)} batches; the state is saved. ` +
            `Continue with:\n  ${command} train --resume ${path}\n`,
    );
    const positive = positiveOf(folder.config);
    if (completed && evaluation !== null && positive !== null) {
      const screening = screeningOf(evaluation, positive, folder.state.operatingPoint);
      const { classNames, eval: evaluated } = folder.config.data;
      const isTest = isScreening(folder.config);
      const about = { positive, screening: isTest, unreadable: unreadableOf(folder.config.data).eval };
      printFacts(this.#terminal, [
        accuracyFact(evaluation.confusion),
        ...(screening === null ? [] : screeningFacts(screening, about)),
        ...hashFacts(evaluated.sha256, folder.weightsSha256),
      ]);
      print(this.#terminal, '');
      printConfusion(this.#terminal, classNames, evaluation.confusion);
      print(this.#terminal, '');
      if (isTest) print(this.#terminal, `${noMedicalDevice}\n`);
    }
    if (comparison !== null) print(this.#terminal, `${comparisonLine(comparison)}\n`);
    print(this.#terminal, `Weights, optimizer, metrics and report.html are in ${folder.path}. Continue with:`);
    print(this.#terminal, `  ${command} eval ${path}${techniques?.saveBest === undefined ? '' : ' --best'}`);
    print(this.#terminal, `  ${command} predict ${path} IMAGE…`);
  }
}

function positiveFacts(config: RunFolder['config']): [string, string][] {
  const positive = positiveOf(config);
  return positive === null ? [] : [['positive class', describePositive(positive)]];
}

function inputFacts(config: RunFolder['config']): [string, string][] {
  const fixed = fixedNames(config.recipe).length > 0;
  if (!fixed && config.model.pretrained === undefined) return [];
  const inputs = describeInputs(weightsRecordOf(config));
  return [['inputs', `${inputs}${fixed ? '; in evaluation and prediction too' : ''}`]];
}

const mostClasses = 6;

/** The training images of each class, or of the smallest and the largest one where there are many. */
function classLine(names: readonly string[], counts: readonly number[]): string {
  if (names.length <= mostClasses)
    return names.map((name, i) => `${visibleLine(name)} ${formatCount(counts[i])}`).join(', ');
  const extreme = (count: number) => `${formatCount(count)} (${visibleLine(names[counts.indexOf(count)])})`;
  return `${names.length}, of ${extreme(Math.min(...counts))} to ${extreme(Math.max(...counts))} training images`;
}

function unreadableFacts({ train, eval: evaluated }: ReturnType<typeof unreadableOf>): [string, string][] {
  if (train + evaluated === 0) return [];
  const count = train + evaluated === 1 ? '1 picture' : `${formatCount(train + evaluated)} pictures`;
  const where = `${formatCount(train)} for training, ${formatCount(evaluated)} for validation`;
  return [['unreadable', `${count}, left out (${where}); config.json lists them`]];
}

function comparisonLine({ run, equal, differences }: Comparison): string {
  const what = `Repeated ${run}`;
  if (equal === true) return `${what}: all weights are equal, bit by bit.`;
  const why = differences.length === 0 ? '' : ` (${differences.join('; ')})`;
  if (equal === null) return `${what}, which has not done the same epochs: the weights cannot be compared${why}.`;
  return differences.length > 0
    ? `${what}: the weights are others${why}.`
    : `${what}: the weights are others, although seed, version, engine and machine are the same.`;
}

class JsonReport {
  readonly #run: Run;
  readonly #terminal: Terminal;

  constructor(run: Run, terminal: Terminal) {
    this.#run = run;
    this.#terminal = terminal;
  }

  begin(tensorBoard: boolean): void {
    const { folder, from } = this.#run;
    const notes = this.#run.notes().map(inFlags);
    printJson(this.#terminal, {
      event: 'start',
      run: folder.path,
      config: folder.config,
      understood: this.#run.understood,
      ...(tensorBoard && { tensorBoard: folder.tensorBoardPath }),
      ...(from !== null && { from: { epoch: from.epoch, batch: from.batch } }),
      ...((from !== null || notes.length > 0) && { notes }),
    });
  }

  epoch(record: EpochRecord): void {
    printJson(this.#terminal, { event: 'epoch', ...record });
  }

  end({ completed, evaluation, history }: TrainOutcome, comparison: Comparison | null): void {
    const { folder } = this.#run;
    const { epoch, batch, steps } = folder.state.training;
    const notice = this.#run.notice(history);
    const positive = positiveOf(folder.config);
    printJson(this.#terminal, {
      event: 'end',
      run: folder.path,
      completed,
      epoch,
      batch,
      steps,
      evalLoss: evaluation?.loss ?? null,
      evalAccuracy: evaluation?.accuracy ?? null,
      confusion: evaluation?.confusion ?? null,
      positiveClass: positive?.name ?? null,
      screening:
        completed && evaluation !== null ? screeningOf(evaluation, positive, folder.state.operatingPoint) : null,
      notice: notice && inFlags(notice),
      ...(comparison !== null && { repeated: comparison }),
    });
  }
}
