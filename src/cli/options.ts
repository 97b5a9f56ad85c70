import { InvalidArgumentError, Option } from 'commander';
import type { Precision } from '../compiler/precision.js';
import { type Effects, requireEffect } from '../effect.js';
import { askForPrecision, fixedSetting, setConvolution, setEngine, setThreads } from '../engine/select.js';
import { EngineError, InputError } from '../errors.js';
import type { Split } from '../run/catalog/datasets.js';
import { count, natural, type Values } from '../run/option.js';
import type { ImageLoadingOptions } from '../run/runOptionsOf.js';
import type { engineOptions } from '../run/trainingOptions.js';
import type { TestTimeAugmentation } from '../run/tta.js';
import { suggestion } from '../text/suggest.js';
import { splitRole, usualSplitNames } from '../vision/datasets/splits.js';
import { numberOf, type OptionKey, trainingFlag } from './flags.js';

export const positiveInteger = numberOf(count);
export const naturalNumber = numberOf(natural);

/** Sizes with commas between them. */
export function sizes(number: number, form: string) {
  return (text: string): number[] => {
    const parts = text.split(',');
    const numbers = parts.map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
    if (parts.length !== number || numbers.some((n) => !(n >= 1 && n < 2 ** 31))) {
      throw new InvalidArgumentError(`expected ${number} positive integers: ${form}`);
    }
    return numbers;
  };
}

/** Name of a part of the data, in any usual form, or `all`. */
export function splitName(text: string): Split {
  if (text.toLowerCase() === 'all') return 'all';
  const role = splitRole(text);
  if (role === null) {
    const near = suggestion(text, ['train', 'validation', 'test', 'all']);
    throw new InvalidArgumentError(`expected ${usualSplitNames}, or all${near}`);
  }
  return role;
}

export type EngineOptions = Values<typeof engineOptions>;

const flags = (...keys: readonly OptionKey[]) => keys.map((key) => trainingFlag(key));

/** A share between 0 and 1. */
export function shareOption(text: string): number {
  const value = /^[\d.]+(e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('expected a share between 0 and 1, such as 0.03');
  return value;
}

export const thresholdOption = () =>
  new Option(
    '--threshold <p>',
    'with two classes: probability of the positive one from which on it is predicted (default: that of the run)',
  ).argParser(shareOption);

/** Flags of the commands that load images. */
export const imageFlags = () =>
  flags('workers', 'cache', 'onBadImage', 'fileColumn', 'labelColumn', 'splitColumn', 'root');
/** Flags of the commands that compute. */
export const engineFlags = () => flags('engine', 'threads', 'conv', 'precision');
export const jsonOption = () => new Option('--json', 'print JSON, one object a line');
export const bestOption = () =>
  new Option('--best', 'use the weights of the best epoch, which train --save-best keeps');

/** An evaluation or prediction computes with the precision of the training by default. */
export function applyPrecision(asked: Precision | undefined, trained: Precision): void {
  if (asked === undefined) askForPrecision(trained);
}

/**
 * Conditions under which the options have an effect on an engine that was named. An engine that stands in for
 * a missing one refuses nothing.
 */
const engineEffects: Effects<EngineOptions> = {
  threads: ({ engine, threads }) => (engine && threads !== 1 ? fixedSetting(engine, 'threads') : null),
  conv: ({ engine }) => (engine ? fixedSetting(engine, 'convolution') : null),
  precision: ({ engine, precision }) => (engine && precision !== 'float32' ? fixedSetting(engine, 'precision') : null),
};

/**
 * @param usual used for options that are left out
 * @throws {InputError} for an engine that is not installed, or an option that the engine does not support
 */
export function applyEngine(asked: EngineOptions, usual: EngineOptions = {}): void {
  const engine = asked.engine ?? usual.engine;
  requireEffect('engine', { ...asked, engine }, engineEffects);
  if (engine !== undefined) {
    try {
      setEngine(engine);
    } catch (error) {
      // An engine that is not installed is a wrong call, not a failure of the work.
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

/** Options of `eval`. */
export interface EvalCommandOptions extends EngineOptions, ImageLoadingOptions {
  readonly data?: string;
  readonly split?: Split;
  readonly dataDir?: string;
  readonly batchSize?: number;
  readonly best?: boolean;
  readonly fixes?: string;
  readonly tta?: TestTimeAugmentation;
  readonly intervals?: boolean;
  readonly positive?: string;
  readonly threshold?: number;
  readonly screening?: boolean;
  readonly report?: string;
  readonly predictions?: string;
  readonly json?: boolean;
}
