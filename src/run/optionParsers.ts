import { InputError } from '../errors.js';
import type { OperatingRule } from '../statistics/index.js';
import { suggestion } from '../text/suggest.js';
import { parseTransforms, type TransformEntry } from '../vision/transforms/parse.js';

/** Makes the values of options of a training from texts of the command line or a file. */

/** One edge, or height and width with a comma between them. */
export function parseSize(value: string): readonly [height: number, width: number] {
  const parts = value.split(',');
  const numbers = parts.map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
  if (parts.length > 2 || numbers.some((n) => !(n >= 1 && n < 2 ** 31))) {
    throw new InputError(`expected ${Math.min(2, parts.length)} positive integers: edge, or height,width`);
  }
  const [height, width = height] = numbers;
  return [height, width];
}

/** `0.2` for validation, or `0.15,0.15` for validation and test. */
export function parseHoldOut(value: string): number | readonly [validation: number, test: number] {
  const shares = value.split(',').map((part) => (/^\s*(\d+\.?\d*|\.\d+)\s*$/.test(part) ? Number(part) : Number.NaN));
  const [validation, test] = shares;
  if (shares.length > 2 || !shares.every((part) => part >= 0 && part < 1)) {
    throw new InputError('expected a number from 0 up to, but not including, 1, or two of them: validation,test');
  }
  return test === undefined ? validation : [validation, test];
}

/** `sensitivity=0.95`, `specificity=0.9` or `youden`. */
export function parseOperatingRule(value: string): OperatingRule {
  if (value === 'youden') return value;
  const [, name, number] = /^(sensitivity|specificity)=([\d.]+)$/.exec(value) ?? [];
  const aim = Number(number);
  if (!(aim > 0 && aim <= 1)) {
    const near =
      name === undefined ? suggestion(value.replace(/=.*/, ''), ['sensitivity', 'specificity', 'youden']) : '';
    throw new InputError(`expected sensitivity=0.95, specificity=0.95 (or other shares), or youden${near}`);
  }
  return name === 'sensitivity' ? { sensitivity: aim } : { specificity: aim };
}

/** The text of {@link parseOperatingRule}. */
export function writtenRule(rule: OperatingRule): string {
  return typeof rule === 'string' ? rule : Object.entries(rule).join().replace(',', '=');
}

/** Transforms as their options. */
export function transformsOf(entries: string | readonly unknown[]) {
  return parseTransforms(entries as readonly TransformEntry[]).toJSON() ?? [];
}
