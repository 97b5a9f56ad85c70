import { join } from 'node:path';
import { FileError, FoveaError, InputError, messageOf } from '../../errors.js';
import { freshSeeds } from '../../sweep/decide.js';
import { plainValues, type SweepDefinition, sweepOf } from '../../sweep/definition.js';
import { type Estimate, estimateOf, workOf } from '../../sweep/estimate.js';
import { SweepFolder } from '../../sweep/folder.js';
import type { Job } from '../../sweep/journal.js';
import { writeResults } from '../../sweep/results.js';
import type { SweepSummary } from '../../sweep/summary.js';
import { type JobOutcome, newRunOf, runJob } from '../../sweep/trial.js';
import { findings, shownMetric, shownValues } from '../../sweep/wording.js';
import { work } from '../../sweep/work.js';
import type { Json } from '../../text/json.js';
import { formatCount, formatDuration } from '../../text/numbers.js';
import { readYaml } from '../config.js';
import { Interruption } from '../interrupt.js';
import { applyEngine, type EngineOptions } from '../options.js';
import { complain, ownCommand, print, printJson, printSentences, quoted, type Terminal } from '../terminal.js';

interface SweepCommandOptions extends EngineOptions {
  readonly config?: string;
  readonly resume?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Searches the values of a recipe, and says what is noise. */
export async function sweep(options: SweepCommandOptions, terminal: Terminal): Promise<number> {
  applyEngine(options);
  const { json = false } = options;
  const folder = await folderFor(options, json, terminal);
  const { definition } = folder;
  const interruption = new Interruption(terminal, 'saving the training that is under way');
  try {
    let done = 0;
    const finished = await work(folder, {
      signal: interruption.signal,
      run: (job) => runJob(folder.path, definition, job, { signal: interruption.signal }),
      onJob: (job) => {
        if (json) printJson(terminal, 'sweep.begin', { event: 'begin', ...jobFacts(job) });
      },
      onDone: (job, outcome, seconds) => {
        done++;
        if (json) printJson(terminal, 'sweep.end', { event: 'end', ...jobFacts(job), ...outcome, seconds });
        else print(terminal, lineOf(definition, job, outcome, seconds));
      },
    });
    if (!finished) {
      if (!json) {
        printSentences(
          terminal,
          `\nStopped after ${done} ${done === 1 ? 'training' : 'trainings'}; the states are saved. Continue with:`,
        );
        print(terminal, `  ${ownCommand()} sweep --resume ${quoted(folder.path)}`);
      }
      return interruption.exitCode;
    }
    const summary = await writeResults(folder);
    if (json) printJson(terminal, 'sweep.summary', { event: 'summary', ...summary });
    else report(folder, summary, terminal);
    requireResult(folder, summary);
    return interruption.exitCode;
  } finally {
    interruption.end();
  }
}

/** Opens the folder to resume, or makes a new one once it is clear that the sweep can begin. */
async function folderFor(
  { config, resume, out }: SweepCommandOptions,
  json: boolean,
  terminal: Terminal,
): Promise<SweepFolder> {
  if (resume !== undefined) {
    if (config !== undefined || out !== undefined) {
      throw new InputError(
        '[sweep] --resume: expected no --config and --out beside it, got one; a sweep keeps its own',
      );
    }
    const folder = await SweepFolder.open(resume);
    const isNew = (await folder.journal.read()).length === 0;
    if (isNew) await announce(folder, json, terminal);
    return folder;
  }
  if (config === undefined) {
    throw new InputError(
      '[sweep] --config: expected a file of YAML that describes the sweep, or --resume FOLDER, got none',
    );
  }
  const value = (await readYaml(config)) as Json;
  const path = out ?? newName();
  const definition = sweepOf(value, config);
  await SweepFolder.check(path);
  await announce({ path, definition }, json, terminal);
  return SweepFolder.create(path, value, config);
}

function newName(): string {
  return join('runs', `sweep-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}`);
}

/** Says what will be done, and about how long it takes. */
async function announce(
  { definition, path }: Pick<SweepFolder, 'definition' | 'path'>,
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  const estimate = await costOf(definition, terminal);
  if (json) {
    printJson(terminal, 'sweep.start', {
      event: 'sweep',
      folder: path,
      epochs: workOf(definition).epochs,
      ...(estimate !== null && { ...estimate }),
    });
    return;
  }
  const { method, asha, seeds, best } = definition.settings;
  const keys = definition.parameters.map(({ key }) => key).join(', ');
  const halving =
    asha === null ? '' : `, stopped early by asha (from epoch ${asha.minEpochs} on, 1 of ${asha.reduction} continues)`;
  print(terminal, `Sweep of ${definition.model}: ${keys}, ${definition.epochs} epochs, folder ${path}`);
  printSentences(
    terminal,
    `First the plain recipe with ${seeds} seeds, for the noise; then the search by ${method}${halving}; then the best ${best} with the same ${seeds} seeds.`,
  );
  if (estimate !== null) {
    const { trials, epochs, secondsPerEpoch, seconds } = estimate;
    printSentences(
      terminal,
      `${formatCount(trials)} trials, about ${formatCount(epochs)} epochs together. An epoch of the plain recipe takes about ` +
        `${formatDuration(secondsPerEpoch)} here, the whole sweep about ${formatDuration(seconds)}; files and reports come on top, and other batch sizes take other times.`,
    );
  }
  print(terminal, '');
}

/**
 * Null if the plain recipe cannot be measured, but others may.
 *
 * @throws {FileError} for data that cannot be read, by any recipe
 */
async function costOf(definition: SweepDefinition, terminal: Terminal): Promise<Estimate | null> {
  const [seed] = freshSeeds(definition);
  const job: Job = { kind: 'plain', trial: 0, seed, epochs: definition.epochs, values: plainValues(definition) };
  try {
    return await estimateOf(definition, newRunOf(definition, job));
  } catch (error) {
    if (!(error instanceof FoveaError) || error instanceof FileError) throw error;
    complain(terminal, `[sweep] plain recipe: ${messageOf(error)}`);
    return null;
  }
}

function jobFacts({ kind, trial, seed, epochs, values }: Job) {
  return { kind, trial, seed, epochs, values };
}

function lineOf(definition: SweepDefinition, job: Job, outcome: JobOutcome, seconds: number): string {
  const { metric } = definition.settings;
  const name =
    job.kind === 'plain'
      ? `plain recipe, seed ${job.seed}`
      : `trial ${job.trial}${job.kind === 'repeat' ? `, seed ${job.seed}` : ''}`;
  const result =
    'value' in outcome
      ? `${metric} ${shownMetric(metric, outcome.value)}`
      : `${outcome.why}: ${outcome.reason.split('\n')[0]}`;
  const values = job.kind === 'trial' ? [shownValues(definition, job.values)] : [];
  return [name, ...values, `epoch ${job.epochs}/${definition.epochs}`, result, formatDuration(seconds)].join('  ');
}

function report(folder: SweepFolder, summary: SweepSummary, terminal: Terminal): void {
  print(terminal, '');
  for (const sentence of findings(summary, folder.definition)) printSentences(terminal, sentence);
  const [first] = summary.candidates;
  if (first !== undefined) {
    print(terminal, `\nbest.yaml, report.html and summary.json are in ${folder.path}. Train with it:`);
    print(terminal, `  ${ownCommand()} train --config ${quoted(join(folder.path, 'best.yaml'))}`);
  }
}

/** @throws {InputError} if no trial has a metric, with the first reason */
function requireResult(folder: SweepFolder, { trials, failures }: SweepSummary): void {
  if (trials.whole > 0 || trials.failed === 0) return;
  const [first] = failures;
  throw new InputError(
    `[sweep] ${folder.path}: expected a trial that finishes, got ${trials.failed} that failed; the first: ${first?.reason ?? 'unknown'}`,
  );
}
