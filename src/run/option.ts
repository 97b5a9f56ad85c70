import { z } from 'zod';
import type { ConvolutionName } from '../engine/engine.js';
import { messageOf } from '../errors.js';
import type { Json } from '../text/json.js';

/**
 * An option of a training. Its types, its flag on the command line with the help, its key in a file of YAML,
 * its check and its row in the guide all come from here.
 */
export interface TrainingOption<Type extends z.ZodType = z.ZodType> {
  /** Check of the value in a file of YAML, and its type after that. */
  readonly type: Type;
  /** Check of the value in the record of a run, where that is written in another form. */
  readonly record?: z.ZodType<z.output<Type>>;
  /** Meaning, for help and guide. Code stands between backticks. */
  readonly help: string;
  /** Default, for help and guide. Without it, `usual` is shown. */
  readonly default?: string;
  /** Value without the option, where it is known before data are opened; other choices may decide it. */
  readonly usual?: Json | ((choices: TrainingChoices) => unknown);
  /** Writes a value as a file has it, where that is another form. */
  write?(value: z.output<Type>): unknown;
  /** Stands for the value in help: `<n>`. Null for an option that only files can give. */
  readonly placeholder: string | null;
  /** Flag on the command line, without hyphens before it. Default: the key with hyphens between its words. */
  readonly flag?: string;
  /** Help of the flag, if it says something other than the key. */
  readonly flagHelp?: string;
  /** Makes the value of a text on the command line. Default: by the type. @throws {InputError} */
  readonly parse?: (text: string) => z.output<Type>;
  /** Name in the options of `Run.create`, if it is another one. */
  readonly as?: string;
  /** Runs that exist already take it too: on being resumed, on being repeated, or both. */
  readonly existing?: 'resume' | 'repeat' | 'both';
}

/** The choices of a training that defaults of other options depend on. */
export interface TrainingChoices {
  readonly data: string;
  /** The recipe of the network, with the changes that are asked for. */
  readonly recipe: {
    readonly batchSize: number;
    readonly epochs: number;
    readonly logEvery: number;
    readonly optimizer: {
      readonly name: string;
      readonly learningRate: number;
      readonly weightDecay: number;
      readonly momentum?: number | undefined;
    };
    readonly techniques?: { readonly schedule?: { readonly name: string } | undefined } | undefined;
  };
  /** Whether pictures are decoded from files. */
  readonly isPhotographs: boolean;
  /** How photographs become inputs; null for images of one size, and where initial weights decide it. */
  readonly images: { readonly size: readonly [number, number]; readonly order: string | undefined } | null;
  /** Engine in use; the kernels of convolutions are undefined where it has no choice. */
  readonly engine: { readonly name: string; readonly precision: string; readonly convolution?: ConvolutionName };
}

type OptionTable = Readonly<Record<string, TrainingOption>>;

/** The values of the options of a table, by key. */
export type Values<T extends OptionTable> = { readonly [K in keyof T]?: z.output<T[K]['type']> | undefined };

/** The same, by the names in the options of `Run.create`. */
export type NamedValues<T extends OptionTable> = {
  readonly [K in keyof T as T[K] extends { readonly as: infer Name extends string } ? Name : K]?: z.output<
    T[K]['type']
  >;
};

/** Picks the options of a table from all options of a training. Options that are left out stay so. */
export function namedValues<T extends OptionTable>(table: T, values: Values<T>): NamedValues<T> {
  const pairs = Object.entries(table).flatMap(([key, { as = key }]) =>
    values[key] === undefined ? [] : [[as, values[key]]],
  );
  return Object.fromEntries(pairs) as NamedValues<T>;
}

/** The default of an option, for help and guide. */
export function describeDefault({ default: words, usual }: TrainingOption): string {
  return words ?? `\`${usual}\``;
}

// Types, with descriptions that complete "expected …".
export const text = z.string();
export const flag = z.boolean();
export const count = z.int().min(1).describe('a positive integer');
export const natural = z.int().min(0).describe('an integer from 0 to 2^53 - 1');
/** Steps compute in float32, which holds no larger number. */
export const maxFloat32 = 3.4e38;
export const rate = z.number().min(0).max(maxFloat32).describe('a number of at least 0');
export const share = z.number().min(0).lt(1).describe('a number from 0 up to, but not including, 1');

/** A type whose values a function makes; the errors that it throws become issues. */
export function made<In, Out>(make: (value: In) => Out) {
  return (value: In, context: z.RefinementCtx<In>): Out => {
    try {
      return make(value);
    } catch (error) {
      context.addIssue(messageOf(error));
      return z.NEVER;
    }
  };
}

type Recorded<T extends OptionTable> = {
  readonly [K in keyof T]: z.ZodOptional<
    T[K] extends { readonly record: infer R extends z.ZodType } ? R : T[K]['type']
  >;
};

/** The shape of a record with the options of a table, all of which may be missing. */
export function recordShape<T extends OptionTable>(table: T): Recorded<T> {
  const fields = Object.entries(table).map(([key, { type, record = type }]) => [key, record.optional()]);
  return Object.fromEntries(fields) as Recorded<T>;
}
