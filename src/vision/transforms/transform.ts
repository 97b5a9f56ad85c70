import { z } from 'zod';
import { InputError } from '../../errors.js';
import type { Generator } from '../../random.js';
import { nearestName } from '../../text/suggest.js';
import { type Raster, requireRaster } from '../images/raster.js';

/** The name of a transform and its options, as plain data: `{ "RandomCrop": { "size": 32, "padding": 4 } }`. */
export type TransformSpec = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A transform of one's own. It must not write to the image that it is given. */
export type TransformFunction = (image: Raster, random: Generator) => Raster;

/** A change of an image: a pure function of the image and of what is drawn from the generator. */
export abstract class Transform {
  /** Whether it draws from the generator. */
  readonly isRandom: boolean = false;

  abstract apply(image: Raster, random: Generator): Raster;

  /** Plain data of which `parseTransforms` makes the same again, in another thread, say; null if there is none. */
  abstract toJSON(): readonly TransformSpec[] | null;
}

/** Transforms one after the other. With functions among them, all of them run in the main thread. */
export class Compose extends Transform {
  readonly transforms: readonly (Transform | TransformFunction)[];
  override readonly isRandom: boolean;

  constructor(transforms: readonly (Transform | TransformFunction)[]) {
    super();
    this.transforms = transforms;
    // Who writes a function may draw.
    this.isRandom = transforms.some((transform) => typeof transform === 'function' || transform.isRandom);
  }

  apply(image: Raster, random: Generator): Raster {
    requireRaster('image', image);
    return this.transforms.reduce((result, transform) => {
      if (transform instanceof Transform) return transform.apply(result, random);
      const own = transform(result, random);
      requireRaster(`result of function ${transform.name || '(without name)'}`, own);
      return own;
    }, image);
  }

  toJSON(): readonly TransformSpec[] | null {
    const parts = this.transforms.map((transform) => (transform instanceof Transform ? transform.toJSON() : null));
    return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
  }
}

/** A transform with a name and options that are plain data. */
export abstract class NamedTransform<Options extends object> extends Transform {
  readonly name: string;
  /** With defaults filled in. */
  readonly options: Readonly<Options>;

  /** @throws InputError for options that the schema refuses */
  protected constructor(name: string, schema: OptionSchema<Options>, given: object) {
    super();
    this.name = name;
    this.options = checkedOptions(name, schema, given);
  }

  toJSON(): readonly TransformSpec[] {
    return [{ [this.name]: { ...this.options } }];
  }
}

/** Options in Paddle's order; the description of each says what is expected. */
export type OptionSchema<Options> = z.ZodObject<Readonly<Record<string, z.ZodType>>, z.core.$strict> &
  z.ZodType<Options>;

function checkedOptions<Options>(name: string, schema: OptionSchema<Options>, given: object): Options {
  const values = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  requireKnown(name, schema, values);
  const result = z.safeParse(schema, values);
  if (result.success) return result.data;
  const option = String(result.error.issues[0].path[0]);
  const value: unknown = values[option];
  throw new InputError(
    `[transforms] ${name}: ${option}: expected ${schema.shape[option].description}, ` +
      `got ${value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))}`,
  );
}

/** @throws InputError for a name that is no option, with the nearest one */
export function requireKnown(name: string, { shape }: { readonly shape: object }, given: object): void {
  const known = Object.keys(shape);
  const strange = Object.keys(given).find((option) => !known.includes(option));
  if (strange === undefined) return;
  const near = nearestName(strange, known);
  throw new InputError(
    `[transforms] ${name}: expected options ${known.join(', ')}, got '${strange}'` +
      `${near === null ? '' : `; did you mean ${near}?`}`,
  );
}
