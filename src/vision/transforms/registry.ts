import { InputError } from '../../errors.js';
import { nearestName } from '../../text/suggest.js';
import { CenterCrop, Grayscale, Normalize, Pad, Resize, ToTensor, Transpose } from './fixed.js';
import { BrightnessTransform, ColorJitter, ContrastTransform, HueTransform, SaturationTransform } from './jitter.js';
import {
  RandomAffine,
  RandomCrop,
  RandomErasing,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  RandomVerticalFlip,
} from './random.js';
import { requireKnown, type Transform } from './transform.js';

/** Options that nobody has looked at yet: the constructors check them. */
type Given = Readonly<Record<string, never>>;

interface TransformKind {
  /** Its keys are the options, in the order in which they are given without names. */
  readonly schema: { readonly shape: object };
  make(given: Given): Transform;
}

/** The transforms that can be asked for by name. */
const kinds: Readonly<Record<string, TransformKind>> = {
  ToTensor: { schema: ToTensor.schema, make: ({ dataFormat }) => new ToTensor(dataFormat) },
  Transpose: { schema: Transpose.schema, make: ({ order }) => new Transpose(order) },
  Normalize: { schema: Normalize.schema, make: (o) => new Normalize(o.mean, o.std, o) },
  Resize: { schema: Resize.schema, make: (o) => new Resize(o.size, o) },
  CenterCrop: { schema: CenterCrop.schema, make: ({ size }) => new CenterCrop(size) },
  RandomCrop: { schema: RandomCrop.schema, make: (o) => new RandomCrop(o.size, o) },
  RandomResizedCrop: { schema: RandomResizedCrop.schema, make: (o) => new RandomResizedCrop(o.size, o) },
  RandomHorizontalFlip: { schema: RandomHorizontalFlip.schema, make: ({ prob }) => new RandomHorizontalFlip(prob) },
  RandomVerticalFlip: { schema: RandomVerticalFlip.schema, make: ({ prob }) => new RandomVerticalFlip(prob) },
  RandomRotation: { schema: RandomRotation.schema, make: (o) => new RandomRotation(o.degrees, o) },
  RandomAffine: { schema: RandomAffine.schema, make: (o) => new RandomAffine(o.degrees, o) },
  Pad: { schema: Pad.schema, make: (o) => new Pad(o.padding, o) },
  Grayscale: { schema: Grayscale.schema, make: (o) => new Grayscale(o.numOutputChannels) },
  BrightnessTransform: { schema: BrightnessTransform.schema, make: ({ value }) => new BrightnessTransform(value) },
  ContrastTransform: { schema: ContrastTransform.schema, make: ({ value }) => new ContrastTransform(value) },
  SaturationTransform: { schema: SaturationTransform.schema, make: ({ value }) => new SaturationTransform(value) },
  HueTransform: { schema: HueTransform.schema, make: ({ value }) => new HueTransform(value) },
  ColorJitter: { schema: ColorJitter.schema, make: (o) => new ColorJitter(o) },
  RandomErasing: { schema: RandomErasing.schema, make: (o) => new RandomErasing(o.prob, o) },
};

export const transformNames: readonly string[] = Object.keys(kinds);

/** The options of a transform, in Paddle's order. @throws InputError for a name that is none, with the nearest one */
export function optionNames(name: string): readonly string[] {
  return Object.keys(kindOf(name).schema.shape);
}

/** @throws InputError for names and options that are wrong */
export function makeTransform(name: string, given: Readonly<Record<string, unknown>>): Transform {
  const { schema, make } = kindOf(name);
  requireKnown(name, schema, given);
  return make(given as Given);
}

function kindOf(name: string): TransformKind {
  if (Object.hasOwn(kinds, name)) return kinds[name];
  const near = nearestName(name, transformNames);
  throw new InputError(
    `[transforms] '${name}': expected one of ${transformNames.join(', ')}${near === null ? '' : `; did you mean ${near}?`}`,
  );
}
