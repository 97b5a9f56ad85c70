import { InvalidArgumentError, Option } from 'commander';
import type { Precision } from '../compiler/precision.js';
import { type Effects, requireEffect } from '../effect.js';
import type { ConvolutionName } from '../engine/engine.js';
import {
  askForPrecision,
  convolutionNames,
  engineNames,
  fixedSetting,
  precisionNames,
  setConvolution,
  setEngine,
  setThreads,
} from '../engine/select.js';
import { EngineError, InputError } from '../errors.js';
import type { OperatingRule } from '../metric/index.js';
import type { OpenOptions, Split } from '../run/catalog/datasets.js';
import { splitRole, usualSplitNames } from '../vision/datasets/splits.js';
import type { TableOptions } from '../vision/datasets/tableColumns.js';

/** Text of an option as a number; commander says which option it was. */
export function positiveInteger(text: string): number {
  return checked(text, /^\d+$/, (n) => n >= 1 && Number.isSafeInteger(n), 'expected a positive integer');
}

export function naturalNumber(text: string): number {
  return checked(text, /^\d+$/, Number.isSafeInteger, 'expected an integer from 0 to 2^53 - 1');
}

export function nonNegative(text: string): number {
  return checked(text, /^[\d.]+(e[+-]?\d+)?$/i, (x) => x >= 0, 'expected a number of at least 0');
}

/** From 0 up to but not including 1. */
export function share(text: string): number {
  return checked(text, /^[\d.]+(e[+-]?\d+)?$/i, (x) => x < 1, 'expected a number from 0 up to, but not including, 1');
}

function checked(text: string, form: RegExp, holds: (n: number) => boolean, expected: string): number {
  const n = form.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(n) || !holds(n)) {
    throw new InvalidArgumentError(expected);
  }
  return n;
}

/** One edge, or height and width with a comma between them. */
export function imageSize(text: string): readonly [height: number, width: number] {
  const [height, width = height] = sizes(text.includes(',') ? 2 : 1, 'edge, or height,width')(text);
  return [height, width];
}

/** `sensitivity=0.95`, `specificity=0.9` or `youden`. */
export function operatingRule(text: string): OperatingRule {
  if (text === 'youden') return text;
  const [, name, value] = /^(sensitivity|specificity)=([\d.]+)$/.exec(text) ?? [];
  const share = Number(value);
  if (!(share > 0 && share <= 1)) {
    throw new InvalidArgumentError('expected sensitivity=0.95, specificity=0.95 (or other shares), or youden');
  }
  return name === 'sensitivity' ? { sensitivity: share } : { specificity: share };
}

/** Sizes with commas between them. */
export function sizes(count: number, form: string) {
  return (text: string): number[] => {
    const parts = text.split(',');
    const numbers = parts.map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
    if (parts.length !== count || numbers.some((n) => !(n >= 1 && n < 2 ** 31))) {
      throw new InvalidArgumentError(`expected ${count} positive integers: ${form}`);
    }
    return numbers;
  };
}

/** Name of a part of the data, in any usual form, or `all`. */
export function splitName(text: string): Split {
  if (text.toLowerCase() === 'all') return 'all';
  const role = splitRole(text);
  if (role === null) throw new InvalidArgumentError(`expected ${usualSplitNames}, or all`);
  return role;
}

export interface EngineOptions {
  readonly engine?: (typeof engineNames)[number] | undefined;
  readonly threads?: number | undefined;
  readonly conv?: ConvolutionName | undefined;
  readonly precision?: Precision | undefined;
}

/** How photographs, and a table that lists them, are read. */
export interface ReadingOptions extends TableOptions {
  readonly workers?: number;
  /** False after --no-cache. */
  readonly cache: boolean;
  readonly onBadImage?: 'fail' | 'skip';
}

export const workersOption = () =>
  new Option(
    '--workers <n>',
    'threads that decode pictures and apply transforms (default: one a processor, at most 4)',
  ).argParser(naturalNumber);
export const noCacheOption = () => new Option('--no-cache', 'do not keep decoded pictures on disk');
export const onBadImageOption = () =>
  new Option('--on-bad-image <choice>', 'pictures that cannot be decoded: an error, or left out and listed').choices([
    'fail',
    'skip',
  ]);

export const fileColumnOption = () =>
  new Option('--file-column <name>', 'of csv:FILE: the column with the pictures (default: file, image, path …)');
export const labelColumnOption = () =>
  new Option('--label-column <name>', 'of csv:FILE: the column with the classes (default: label, class, target …)');
export const splitColumnOption = () =>
  new Option(
    '--split-column <name>',
    'of csv:FILE: the column that says which images are for judging (default: split, or one of train, val …)',
  );
export const rootOption = () =>
  new Option('--root <dir>', 'of csv:FILE: the folder that its paths start from (default: that of the table)');

export function readingOf(options: ReadingOptions): OpenOptions['reading'] {
  const { workers, cache, onBadImage, fileColumn, labelColumn, splitColumn, root } = options;
  const named = Object.entries({ fileColumn, labelColumn, splitColumn, root }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...(named.length > 0 && { table: Object.fromEntries(named) }),
    ...(!cache && { cache }),
    ...(workers !== undefined && { numWorkers: workers }),
    ...(onBadImage && { onBadImage }),
  };
}

export const engineOption = () =>
  new Option('--engine <name>', 'what computes (default: onednn if installed)').choices(engineNames);
export const threadsOption = () =>
  new Option('--threads <n>', 'most threads to use (default: all processors)').argParser(positiveInteger);
export const convOption = () =>
  new Option(
    '--conv <kernels>',
    "kernels of convolutions: auto takes Winograd's where they are faster (default: auto)",
  ).choices(convolutionNames);
export const precisionOption = () =>
  new Option(
    '--precision <precision>',
    'bf16 keeps features in 16 bits, where the processor gains by it (default: float32)',
  ).choices(precisionNames);
export const jsonOption = () => new Option('--json', 'print JSON, one object a line');
export const bestOption = () => new Option('--best', 'take the weights of the best epoch, kept by train --save-best');
export const positiveOption = (usual: string) =>
  new Option(
    '--positive <class>',
    `of two classes, the one that sensitivity, precision and AUC speak of (default: ${usual})`,
  );
export const screeningOption = () =>
  new Option('--screening', 'speak of a screening test, with what has to be said of one; with palm always so');

/** Its key is `tensorBoard`, as in the callback's name. */
class TensorBoardOption extends Option {
  override attributeName(): string {
    return 'tensorBoard';
  }
}

export const tensorBoardOption = () =>
  new TensorBoardOption('--tensorboard', 'write the figures of each epoch for TensorBoard too, to RUN/tensorboard');
export const dataDirOption = () => new Option('--data-dir <dir>', "folder with the data set's files");

/** Who judges a network computes as its training did, unless told otherwise. */
export function applyPrecision(asked: Precision | undefined, trained: Precision): void {
  if (asked === undefined) askForPrecision(trained);
}

/**
 * Conditions under which the options have an effect on an engine that was named. An engine that stands in for a missing one
 * refuses nothing.
 */
const engineEffects: Effects<EngineOptions> = {
  threads: ({ engine, threads }) => (engine && threads !== 1 ? fixedSetting(engine, 'threads') : null),
  conv: ({ engine }) => (engine ? fixedSetting(engine, 'convolution') : null),
  precision: ({ engine, precision }) => (engine && precision !== 'float32' ? fixedSetting(engine, 'precision') : null),
};

/**
 * @param usual what counts where nothing is asked for
 * @throws {InputError} if an engine is asked for that is not there, or something that it does not do
 */
export function applyEngine(asked: EngineOptions, usual: EngineOptions = {}): void {
  const engine = asked.engine ?? usual.engine;
  requireEffect('engine', { ...asked, engine }, engineEffects);
  if (engine !== undefined) {
    try {
      setEngine(engine);
    } catch (error) {
      // To ask for what is not installed is a wrong call, not a failure of the work.
      if (error instanceof EngineError) throw new InputError(error.message, { cause: error });
      throw error;
    }
  }
  const threads = asked.threads ?? usual.threads;
  const conv = asked.conv ?? usual.conv;
  const precision = asked.precision ?? usual.precision;
  if (threads !== undefined) setThreads(threads);
  if (conv !== undefined) setConvolution(conv);
  if (precision !== undefined) askForPrecision(precision);
}
