import { InvalidArgumentError, Option } from 'commander';
import { engineNames, setEngine, setThreads } from '../engine/select.js';
import { EngineError, InputError } from '../errors.js';

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

export interface EngineOptions {
  readonly engine?: (typeof engineNames)[number];
  readonly threads?: number;
}

export const engineOption = () =>
  new Option('--engine <name>', 'what computes (default: onednn if installed)').choices(engineNames);
export const threadsOption = () =>
  new Option('--threads <n>', 'most threads to use (default: all processors)').argParser(positiveInteger);
export const jsonOption = () => new Option('--json', 'print JSON, one object a line');
export const dataDirOption = () => new Option('--data-dir <dir>', "folder with the data set's files");

/** @throws {InputError} if an engine is asked for that is not there */
export function applyEngine({ engine, threads }: EngineOptions): void {
  if (engine !== undefined) {
    try {
      setEngine(engine);
    } catch (error) {
      // To ask for what is not installed is a wrong call, not a failure of the work.
      if (error instanceof EngineError) throw new InputError(error.message, { cause: error });
      throw error;
    }
  }
  if (threads !== undefined) setThreads(threads);
}
