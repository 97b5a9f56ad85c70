import * as z from 'zod';
import { fitsInMemory, maxPixelsAtOnce } from './image.js';

/** Options that several transforms share, each with a description of valid values. */

const edge = z.number().int().min(1).max(65_535);
const breadth = z.number().int().min(0).max(65_535);
const ascending = ([low, high]: readonly number[]) => low <= high;
const pair = z.tuple([z.number(), z.number()]);

export const imageSize = z
  .union([edge, z.tuple([edge, edge])])
  .refine((size) => (typeof size === 'number' ? fitsInMemory(size, size) : fitsInMemory(...size)))
  .describe(`an edge in pixels, or [height, width], of at most ${maxPixelsAtOnce / 1e6} million pixels`);

export const probability = z.number().min(0).max(1).prefault(0.5).describe('a probability from 0 to 1');

export const interpolation = z
  .enum(['nearest', 'bilinear', 'bicubic', 'box', 'hamming', 'lanczos'])
  .prefault('bilinear')
  .describe("'nearest', 'bilinear', 'bicubic', 'box', 'hamming' or 'lanczos'");

export const warpInterpolation = z
  .enum(['nearest', 'bilinear', 'bicubic'])
  .prefault('nearest')
  .describe("'nearest', 'bilinear' or 'bicubic'");

export const fill = z
  .union([z.number(), z.array(z.number()).min(1).max(4)])
  .prefault(0)
  .describe('a value, or one a channel');

export const padding = z
  .union([breadth, z.tuple([breadth, breadth]), z.tuple([breadth, breadth, breadth, breadth])])
  .describe('a breadth in pixels, [leftRight, topBottom] or [left, top, right, bottom]');

export const paddingMode = z
  .enum(['constant', 'edge', 'reflect', 'symmetric'])
  .prefault('constant')
  .describe("'constant', 'edge', 'reflect' or 'symmetric'");

export const center = pair.nullable().prefault(null).describe('[x, y], or null for the middle');

export const flag = z.boolean().prefault(false).describe('true or false');

/** Angles: a number means both directions. (0 − d, since JSON has no −0.) */
export const degrees = z
  .union([
    z
      .number()
      .min(0)
      .transform((d): [number, number] => [0 - d, d]),
    pair.refine(ascending),
  ])
  .describe('degrees from 0 on, or [least, most]');

/** Two shares, the smaller one first. */
export const shares = (usual: readonly [number, number]) =>
  pair
    .refine(ascending)
    .refine(([low, high]) => low >= 0 && high <= 1)
    .prefault([...usual])
    .describe('[least, most] from 0 to 1');

/** Two numbers above 0, the smaller one first. */
export const positiveRange = pair
  .refine(ascending)
  .refine(([low]) => low > 0)
  .describe('[least, most], both above 0');

/** A factor around 1: a number gives the distance from it. */
export const factor = z
  .union([
    z
      .number()
      .min(0)
      .transform((x): [number, number] => [Math.max(0, 1 - x), 1 + x]),
    pair.refine(ascending).refine(([low]) => low >= 0),
  ])
  .describe('a number from 0 on, or [least, most] of the factor');

/** A rotation of the circle of hues, around 0. */
export const hue = z
  .union([
    z
      .number()
      .min(0)
      .max(0.5)
      .transform((x): [number, number] => [0 - x, x]),
    pair.refine(ascending).refine(([low, high]) => low >= -0.5 && high <= 0.5),
  ])
  .describe('a number from 0 to 0.5, or [least, most] from -0.5 to 0.5');

/** The default is `usual`. */
export function usually<T extends z.ZodType>(schema: T, usual: z.input<T>) {
  return schema.prefault(usual as never).describe(schema.description ?? '');
}

/** The default is null. */
export function orNull<T extends z.ZodType>(schema: T) {
  return schema.nullable().default(null).describe(`${schema.description}, or null`);
}
