import * as z from 'zod/mini';
import { InputError } from '../../errors.js';
import type { RandomGenerator } from '../../random.js';
import { suggestion } from '../../text/suggest.js';
import { descriptionOf } from './options.js';
import { type Raster, requireRaster } from './raster.js';

/**
 * The name of a transform and its options as plain data: `{ "RandomCrop": { "size": 32, "padding": 4 } }`.
 */
export type TransformSpec = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A transform of your own. It must not write to the given image. */
export type TransformFunction = (image: Raster, random: RandomGenerator) => Raster;

/**
 * A change of an image: a pure function of the image and of the numbers that it samples from the generator.
 *
 * Extend it for a transform of your own. Data sets run such a transform, and all that stand in one
 * {@link Compose} with it, in the main thread, since other threads do not have your code.
 *
 * @example
 * ```ts
 * class Invert extends vision.transforms.Transform {
 *   override readonly isRandom = false;
 *   apply(image: vision.transforms.Raster): vision.transforms.Raster {
 *     return { ...image, data: image.data.map((value) => 255 - value) };
 *   }
 * }
 * const photos = await vision.datasets.DatasetFolder.open('photos', { transform: new Invert() });
 * ```
 */
export abstract class Transform {
  /**
   * Whether it samples from the generator; true by default. Data sets refuse a transform that says false but
   * samples.
   */
  readonly isRandom: boolean = true;

  /**
   * The changed image. It may have another size; all images of a batch need the same size.
   *
   * @param image must not be changed
   * @param random the only source of random numbers, so that results depend neither on batches nor on threads
   */
  abstract apply(image: Raster, random: RandomGenerator): Raster;

  /**
   * Plain data from which `parseTransforms` makes the same transform; null if that is impossible, as for your
   * own transforms.
   */
  toJSON(): readonly TransformSpec[] | null {
    return null;
  }
}

/**
 * Transforms one after the other. With a function or a transform of your own among them, all run in the main
 * thread.
 *
 * @example
 * ```ts
 * const { Compose, RandomHorizontalFlip, RandomRotation } = vision.transforms;
 * const transform = new Compose([new RandomHorizontalFlip(), new RandomRotation(15)]);
 * const photos = await vision.datasets.ImageFolder.open('photos', { transform });
 * ```
 */
export class Compose extends Transform {
  readonly transforms: readonly (Transform | TransformFunction)[];
  override readonly isRandom: boolean;

  constructor(transforms: readonly (Transform | TransformFunction)[]) {
    super();
    this.transforms = transforms;
    // A function may sample; there is no way to know.
    this.isRandom = transforms.some((transform) => typeof transform === 'function' || transform.isRandom);
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    requireRaster('image', image);
    return this.transforms.reduce((result, transform) => {
      const isFunction = !(transform instanceof Transform);
      const changed = isFunction ? transform(result, random) : transform.apply(result, random);
      const name = isFunction ? `function ${transform.name || '(without name)'}` : transform.constructor.name;
      requireRaster(`result of ${name}`, changed);
      return changed;
    }, image);
  }

  override toJSON(): readonly TransformSpec[] | null {
    const parts = this.transforms.map((transform) => (transform instanceof Transform ? transform.toJSON() : null));
    return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
  }
}

/** A transform with a name and options that are plain data. */
export abstract class NamedTransform<Options extends object> extends Transform {
  override readonly isRandom: boolean = false;
  readonly name: string;
  /** Options with defaults. */
  readonly options: Readonly<Options>;

  /** @throws {InputError} for options that the schema refuses */
  protected constructor(name: string, schema: OptionSchema<Options>, given: object) {
    super();
    this.name = name;
    this.options = checkedOptions(name, schema, given);
  }

  override toJSON(): readonly TransformSpec[] {
    return [{ [this.name]: { ...this.options } }];
  }
}

/** Options in Paddle's order; each has a description of valid values. */
export type OptionSchema<Options> = z.ZodMiniObject<Readonly<Record<string, z.ZodMiniType>>, z.core.$strict> &
  z.ZodMiniType<Options>;

function checkedOptions<Options>(name: string, schema: OptionSchema<Options>, given: object): Options {
  const values = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  requireKnown(name, schema, values);
  const result = z.safeParse(schema, values);
  if (result.success) return result.data;
  const option = String(result.error.issues[0].path[0]);
  const value: unknown = values[option];
  throw new InputError(
    `[transforms] ${name}: ${option}: expected ${descriptionOf(schema.shape[option])}, ` +
      `got ${value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))}`,
  );
}

/** @throws {InputError} for an unknown option, with the nearest name */
export function requireKnown(name: string, { shape }: { readonly shape: object }, given: object): void {
  const known = Object.keys(shape);
  const strange = Object.keys(given).find((option) => !known.includes(option));
  if (strange === undefined) return;
  throw new InputError(
    `[transforms] ${name}: expected options ${known.join(', ')}, got '${strange}'${suggestion(strange, known)}`,
  );
}
