import { InputError, ShapeError } from './errors.js';
import { kindOf, kindOfClass } from './kind.js';
import { suggestion } from './text/suggest.js';

/**
 * The values that an argument or an option may have. All public constructors and functions check theirs with
 * these rules at run time, for callers without TypeScript and for numbers that no type excludes.
 */
export interface Check<T = unknown> {
  /** The valid values, as a message names them. */
  readonly expected: string;
  is(value: unknown): value is T;
  /** The class of the error. Default: {@link InputError}. */
  readonly Kind?: typeof InputError;
}

/** The check with a {@link ShapeError}, for sizes and axes. */
export function ofShape<T>(inner: Check<T>): Check<T> {
  return { ...inner, Kind: ShapeError };
}

/** One check for every option; an option that is left out (`undefined`) is valid. */
export type OptionChecks<T> = { readonly [K in keyof T]-?: Check };

function check<T>(expected: string, is: (value: unknown) => boolean): Check<T> {
  return { expected, is: is as Check<T>['is'] };
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** An integer from `least` to `most`. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Check<number> {
  const above = least === 1 ? 'a positive integer' : `an integer from ${least} on`;
  const expected = most === Number.MAX_SAFE_INTEGER ? above : `an integer from ${least} to ${most}`;
  return check(expected, (x) => Number.isSafeInteger(x) && (x as number) >= least && (x as number) <= most);
}

/** A number, which may be infinite. */
export const anyNumber = check<number>('a number', (x) => isNumber(x) && !Number.isNaN(x));
export const finite = check<number>('a finite number', Number.isFinite);
/** A finite number of at least 0. */
export const nonNegative = check<number>('a finite number of at least 0', (x) => finite.is(x) && x >= 0);
export const positive = check<number>('a finite number above 0', (x) => finite.is(x) && x > 0);
/** A number from 0 to 1. */
export const share = check<number>('a number from 0 to 1', (x) => isNumber(x) && x >= 0 && x <= 1);
/** A number from 0 up to but not including 1. */
export const shareBelowOne = check<number>('0 <= x < 1', (x) => isNumber(x) && x >= 0 && x < 1);
/** A number between 0 and 1, neither of them. */
export const betweenZeroAndOne = check<number>('a number between 0 and 1', (x) => isNumber(x) && x > 0 && x < 1);

export const text = check<string>('text', (x) => typeof x === 'string');
export const flag = check<boolean>('true or false', (x) => typeof x === 'boolean');

/** One of a few values. */
export function oneOf<T extends string | number | boolean | null>(values: readonly T[]): Check<T> {
  const shown = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value)));
  const last = shown[shown.length - 1];
  const expected = shown.length === 1 ? last : `${shown.slice(0, -1).join(', ')} or ${last}`;
  return check(expected, (x) => (values as readonly unknown[]).includes(x));
}

/** A function that can be called without `new`. */
export const callable = check<(...args: never[]) => unknown>(
  'a function',
  (x) => typeof x === 'function' && !isClass(x),
);

/** An instance of a class. */
export function instanceOf<T>(kind: abstract new (...args: never[]) => T, expected = named(kind)): Check<T> {
  return check(expected, (x) => x instanceof kind);
}

/** An object that has these methods. */
export function withMethods<T>(expected: string, ...methods: readonly string[]): Check<T> {
  return check(expected, (x) => {
    return typeof x === 'object' && x !== null && methods.every((m) => callable.is((x as Record<string, unknown>)[m]));
  });
}

/** An array of valid items, of at least `least`. */
export function listOf<T>({ expected, is }: Check<T>, { least = 0, of = expected } = {}): Check<readonly T[]> {
  const list = least === 0 ? 'an array' : 'an array that is not empty';
  return check(`${list}, each item ${of}`, (x) => Array.isArray(x) && x.length >= least && x.every((item) => is(item)));
}

/** A value that one of the checks takes. */
export function either<A, B>(a: Check<A>, b: Check<B>, expected = `${a.expected} or ${b.expected}`): Check<A | B> {
  return check(expected, (x) => a.is(x) || b.is(x));
}

/** A valid value, or null. */
export function orNull<T>(inner: Check<T>): Check<T | null> {
  return check(`${inner.expected} or null`, (x) => x === null || inner.is(x));
}

/** An object with properties, such as options; no array. */
export const record = check<object>('an object', (x) => typeof x === 'object' && x !== null && !Array.isArray(x));

/** A rule of one module. */
export function rule<T>(expected: string, is: (value: unknown) => boolean): Check<T> {
  return check(expected, is);
}

/**
 * Throws unless a value is valid; else returns it.
 *
 * @param where names the caller in the message
 * @throws {InputError} `[where] what: expected …, got …`
 */
export function requireValue<T>(where: string, what: string, value: unknown, { expected, is, Kind }: Check<T>): T {
  if (is(value)) return value;
  throw new (Kind ?? InputError)(`[${where}] ${what}: expected ${expected}, got ${shown(value)}`);
}

/**
 * Throws unless the options are an object whose options are known and valid; else returns it. Options that
 * are left out (`undefined`) are valid.
 *
 * @throws {InputError} naming the first wrong option
 */
export function requireOptions<T extends object>(where: string, options: T, checks: OptionChecks<T>): T {
  requireValue(where, 'options', options, record);
  for (const name of Object.keys(options) as (keyof T & string)[]) {
    if (!Object.hasOwn(checks, name)) throw unknownOption(where, name, Object.keys(checks));
    if (options[name] !== undefined) requireValue(where, name, options[name], checks[name]);
  }
  return options;
}

function unknownOption(where: string, name: string, names: readonly string[]): InputError {
  return new InputError(`[${where}] '${name}': expected one of ${names.join(', ')}${suggestion(name, names)}`);
}

/** Any value, in a few words for a message: `'text'`, `NaN`, `a Linear`, `the class Linear`, `3 items`. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value.length > 60 ? `text of ${value.length} characters` : `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') {
    const name = isClass(value) ? kindOfClass(value as unknown as abstract new () => object) : value.name;
    if (!isClass(value)) return name === '' ? 'a function' : `the function ${name}`;
    return `the class ${name}; make an object of it with new`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value))
    return value.length <= 8 && value.every(isPlainItem) ? `[${value}]` : `${value.length} items`;
  const kind = kindOf(value);
  if (kind === 'Object') {
    const keys = Object.keys(value);
    return keys.length === 0 ? 'an empty object' : `an object with ${keys.slice(0, 5).join(', ')}`;
  }
  return named({ name: kind });
}

function isPlainItem(item: unknown): boolean {
  return typeof item === 'number' || (typeof item === 'string' && item.length < 20);
}

/** `a Layer`, `an Optimizer`. */
function named(kind: { readonly name: string }): string {
  return `${/^[AEIOU]/.test(kind.name) ? 'an' : 'a'} ${kind.name}`;
}

/** Whether a function is a class, which cannot be called. */
function isClass(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

const filePath = check<string>('the path of a file', (x) => typeof x === 'string' && x !== '' && !x.includes('\0'));

/** Throws unless a value is a text that can name a file. */
export function checkPath(where: string, path: unknown): asserts path is string {
  requireValue(where, 'path', path, filePath);
}
