import { InputError } from '../../errors.js';
import { suggestion } from '../../text/suggest.js';
import { CenterCrop, Grayscale, Normalize, Pad, Resize, ToTensor, Transpose } from './fixed.js';
import { BrightnessTransform, ColorJitter, ContrastTransform, HueTransform, SaturationTransform } from './jitter.js';
import { RandomAffine, RandomHorizontalFlip, RandomRotation, RandomVerticalFlip } from './randomMoves.js';
import { RandomCrop, RandomErasing, RandomResizedCrop } from './randomParts.js';
import { Compose, requireKnown, type Transform, type TransformFunction, type TransformSpec } from './transform.js';

/** Options before any check: the constructors check them. */
type Given = Readonly<Record<string, never>>;

interface TransformKind {
  /** The keys of its schema are the options, in the order of values without names. */
  readonly type: { readonly schema: { readonly shape: object } };
  /** It samples nothing from the generator, so that evaluation and prediction apply it too. Default false. */
  readonly isFixed?: boolean;
  /** Its result is float32, so it determines the values of the inputs. Default false. */
  readonly makesFloats?: boolean;
  make(given: Given): Transform;
}

/** The transforms that have a name in texts and lists. */
const kinds: Readonly<Record<string, TransformKind>> = {
  ToTensor: { type: ToTensor, isFixed: true, makesFloats: true, make: ({ dataFormat }) => new ToTensor(dataFormat) },
  Transpose: { type: Transpose, isFixed: true, makesFloats: true, make: ({ order }) => new Transpose(order) },
  Normalize: { type: Normalize, isFixed: true, makesFloats: true, make: (o) => new Normalize(o.mean, o.std, o) },
  Resize: { type: Resize, isFixed: true, make: (o) => new Resize(o.size, o) },
  CenterCrop: { type: CenterCrop, isFixed: true, make: ({ size }) => new CenterCrop(size) },
  RandomCrop: { type: RandomCrop, make: (o) => new RandomCrop(o.size, o) },
  RandomResizedCrop: { type: RandomResizedCrop, make: (o) => new RandomResizedCrop(o.size, o) },
  RandomHorizontalFlip: { type: RandomHorizontalFlip, make: ({ prob }) => new RandomHorizontalFlip(prob) },
  RandomVerticalFlip: { type: RandomVerticalFlip, make: ({ prob }) => new RandomVerticalFlip(prob) },
  RandomRotation: { type: RandomRotation, make: (o) => new RandomRotation(o.degrees, o) },
  RandomAffine: { type: RandomAffine, make: (o) => new RandomAffine(o.degrees, o) },
  Pad: { type: Pad, isFixed: true, make: (o) => new Pad(o.padding, o) },
  Grayscale: { type: Grayscale, isFixed: true, make: (o) => new Grayscale(o.numOutputChannels) },
  BrightnessTransform: { type: BrightnessTransform, make: ({ value }) => new BrightnessTransform(value) },
  ContrastTransform: { type: ContrastTransform, make: ({ value }) => new ContrastTransform(value) },
  SaturationTransform: { type: SaturationTransform, make: ({ value }) => new SaturationTransform(value) },
  HueTransform: { type: HueTransform, make: ({ value }) => new HueTransform(value) },
  ColorJitter: { type: ColorJitter, make: (o) => new ColorJitter(o) },
  RandomErasing: { type: RandomErasing, make: (o) => new RandomErasing(o.prob, o) },
};

export const transformNames: readonly string[] = Object.keys(kinds);

/** Names of the transforms that sample nothing. */
export const fixedTransformNames: readonly string[] = transformNames.filter((name) => kinds[name].isFixed);

/**
 * Whether the result of a transform is float32, so that it determines the values of the inputs. @throws
 * InputError for an unknown name
 */
export function makesFloats(name: string): boolean {
  return kindOf(name).makesFloats ?? false;
}

/**
 * The options of a transform, in Paddle's order.
 *
 * @throws {InputError} for an unknown name, with the nearest one
 */
export function optionNames(name: string): readonly string[] {
  return Object.keys(kindOf(name).type.schema.shape);
}

/** @throws {InputError} for invalid names and options */
export function makeTransform(name: string, given: Readonly<Record<string, unknown>>): Transform {
  const { type, make } = kindOf(name);
  requireKnown(name, type.schema, given);
  return make(given as Given);
}

/**
 * Plain data from which other threads make the same transform. Null if a function or a class of the user
 * takes part: the names and options of the class that it extends would make another transform.
 */
export function portableSpec(transform: Transform | TransformFunction): readonly TransformSpec[] | null {
  if (typeof transform === 'function') return null;
  if (transform.constructor === Compose) {
    const parts = (transform as Compose).transforms.map(portableSpec);
    return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
  }
  return isBuiltIn(transform) ? transform.toJSON() : null;
}

/** Whether it is one of the transforms with a name, and not of a subclass. */
export function isBuiltIn(transform: Transform | TransformFunction): boolean {
  return Object.values(kinds).some(({ type }) => (type as unknown) === transform.constructor);
}

function kindOf(name: string): TransformKind {
  if (Object.hasOwn(kinds, name)) return kinds[name];
  throw new InputError(
    `[transforms] '${name}': expected one of ${transformNames.join(', ')}${suggestion(name, transformNames)}`,
  );
}
