import * as z from 'zod/mini';
import { fitsInMemory, maxPixelsAtOnce } from './image.js';

/**
 * Options that several transforms share, each with a description of valid values. `zod/mini` is the part of
 * zod that browsers load quickly.
 */

export const integer = (least: number, most: number) => z.int().check(z.minimum(least), z.maximum(most));
export const within = (least: number, most: number) => z.number().check(z.minimum(least), z.maximum(most));
/** A value, or one a channel. */
export const perChannel = z.union([z.number(), z.array(z.number()).check(z.minLength(1), z.maxLength(4))]);
const positive = z.number().check(z.minimum(0));
const edge = integer(1, 65_535);
const breadth = integer(0, 65_535);
const pair = z.tuple([z.number(), z.number()]);
const ascending = pair.check(z.refine(([low, high]) => low <= high));

/** The default is `usual`. */
export function usually<T extends z.ZodMiniType>(schema: T, usual: z.input<T>, description = descriptionOf(schema)) {
  return z.prefault(schema, usual as never).check(z.describe(description));
}

/** The default is null. */
export function orNull<T extends z.ZodMiniType>(schema: T) {
  return z._default(z.nullable(schema), null).check(z.describe(`${descriptionOf(schema)}, or null`));
}

/** The description of an option's valid values. */
export function descriptionOf(schema: z.ZodMiniType): string {
  return z.globalRegistry.get(schema)?.description ?? '';
}

export const imageSize = z.union([edge, z.tuple([edge, edge])]).check(
  z.refine((size) => (typeof size === 'number' ? fitsInMemory(size, size) : fitsInMemory(...size))),
  z.describe(`an edge in pixels, or [height, width], of at most ${maxPixelsAtOnce / 1e6} million pixels`),
);

export const probability = usually(within(0, 1), 0.5, 'a probability from 0 to 1');

export const interpolation = usually(
  z.enum(['nearest', 'bilinear', 'bicubic', 'box', 'hamming', 'lanczos']),
  'bilinear',
  "'nearest', 'bilinear', 'bicubic', 'box', 'hamming' or 'lanczos'",
);

export const warpInterpolation = usually(
  z.enum(['nearest', 'bilinear', 'bicubic']),
  'nearest',
  "'nearest', 'bilinear' or 'bicubic'",
);

export const fill = usually(perChannel, 0, 'a value, or one a channel');

export const padding = z
  .union([breadth, z.tuple([breadth, breadth]), z.tuple([breadth, breadth, breadth, breadth])])
  .check(z.describe('a breadth in pixels, [leftRight, topBottom] or [left, top, right, bottom]'));

export const paddingMode = usually(
  z.enum(['constant', 'edge', 'reflect', 'symmetric']),
  'constant',
  "'constant', 'edge', 'reflect' or 'symmetric'",
);

export const center = usually(z.nullable(pair), null, '[x, y], or null for the middle');

export const flag = usually(z.boolean(), false, 'true or false');

/** Angles: a number means both directions. (0 − d, since JSON has no −0.) */
export const degrees = z
  .union([
    z.pipe(
      positive,
      z.transform((d: number): [number, number] => [0 - d, d]),
    ),
    ascending,
  ])
  .check(z.describe('degrees from 0 on, or [least, most]'));

/** Two shares, the smaller one first. */
export const shares = (usual: readonly [number, number]) =>
  usually(ascending.check(z.refine(([low, high]) => low >= 0 && high <= 1)), [...usual], '[least, most] from 0 to 1');

/** Two numbers above 0, the smaller one first. */
export const positiveRange = ascending.check(
  z.refine(([low]) => low > 0),
  z.describe('[least, most], both above 0'),
);

/** A factor around 1: a number gives the distance from it. */
export const factor = z
  .union([
    z.pipe(
      positive,
      z.transform((x: number): [number, number] => [Math.max(0, 1 - x), 1 + x]),
    ),
    ascending.check(z.refine(([low]) => low >= 0)),
  ])
  .check(z.describe('a number from 0 on, or [least, most] of the factor'));

/** A rotation of the circle of hues, around 0. */
export const hue = z
  .union([
    z.pipe(
      within(0, 0.5),
      z.transform((x: number): [number, number] => [0 - x, x]),
    ),
    ascending.check(z.refine(([low, high]) => low >= -0.5 && high <= 0.5)),
  ])
  .check(z.describe('a number from 0 to 0.5, or [least, most] from -0.5 to 0.5'));
