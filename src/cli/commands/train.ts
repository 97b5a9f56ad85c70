import { FileError, InputError, messageOf } from '../../errors.js';
import { dryRun } from '../../measure/dryRun.js';
import { namedModels } from '../../run/catalog/models.js';
import { compareRuns } from '../../run/compare.js';
import { RunFolder } from '../../run/folder.js';
import { CrossValidation } from '../../run/folds/crossValidation.js';
import type { Run } from '../../run/run.js';
import { readConfiguration } from '../config.js';
import { DownloadDisplay, ReadingDisplay } from '../display.js';
import { Interruption } from '../interrupt.js';
import { applyEngine } from '../options.js';
import { complain, type Terminal } from '../terminal.js';
import { newRunOptions, openingOf, type TrainCommandOptions } from '../training/open.js';
import { printConfiguration } from '../training/printConfiguration.js';
import { printDryRun } from '../training/printDryRun.js';
import type { Comparison } from '../training/report.js';
import { trainFolds } from '../training/trainFolds.js';
import { trainRun } from '../training/trainRun.js';

/** @param given the options on the command line */
export async function train(
  name: string | undefined,
  called: TrainCommandOptions,
  given: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { model, options } = await configured(name, called, given);
  const open = openingOf(model, options, given);
  applyEngine(options);
  if (options.printConfig) {
    printConfiguration(model, options, terminal);
    return 0;
  }
  const interruption = new Interruption(terminal, 'ending');
  const download = new DownloadDisplay(terminal, interruption.signal);
  const reading = new ReadingDisplay(terminal);
  try {
    const onProgress: typeof reading.show = (progress) => {
      interruption.signal.throwIfAborted();
      reading.show(progress);
    };
    const orNull = (error: unknown) => {
      if (interruption.signal.aborted && error === interruption.signal.reason) return null;
      throw inFile(error, options.config);
    };
    if (options.dryRun && model !== undefined) {
      const asked = { ...(await newRunOptions(model, options)), onProgress };
      const found = await dryRun(asked, { folds: options.folds, signal: interruption.signal }).catch(orNull);
      reading.end();
      if (found === null) complain(terminal, 'stopped; nothing was written');
      else printDryRun(found, terminal, options.json ?? false);
      return interruption.exitCode;
    }
    const run = await open({ onDownload: download.show, onProgress }).catch(orNull);
    if (run === null) {
      reading.end();
      complain(terminal, 'stopped before the training began; nothing was saved');
      return interruption.exitCode;
    }
    interruption.doing = 'saving the state';
    download.end();
    reading.end();
    const shown = { terminal, interruption, reading };
    if (run instanceof CrossValidation) return await trainFolds(run, options, shown);
    const { outcome, report } = await trainRun(run, options, shown);
    const { repeat } = options;
    try {
      const comparison = repeat === undefined || !outcome.completed ? null : await compared(repeat, run);
      report.end(outcome, comparison);
    } catch (error) {
      complain(terminal, `[train] results: ${messageOf(error)}; the training is saved in ${run.folder.path}`);
    }
    return interruption.exitCode;
  } finally {
    download.end();
    reading.end();
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

/** Adds the options of the file of --config. The command line wins. */
export async function configured(name: string | undefined, asked: TrainCommandOptions, given: readonly string[]) {
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
