import { InputError } from '../errors.js';
import { formatShape, type Shape, sameShape } from '../graph/shape.js';
import { RandomGenerator } from '../random.js';
import { type Preprocessing, preprocessing } from '../vision/images/preprocess.js';
import { transformImages } from '../vision/transforms/batch.js';
import type { ByteRange, ChannelOrder } from '../vision/transforms/image.js';
import { parseTransforms } from '../vision/transforms/parse.js';
import { makesFloats } from '../vision/transforms/registry.js';
import { requireSense } from '../vision/transforms/sense.js';
import { Compose, type TransformFunction, type TransformSpec } from '../vision/transforms/transform.js';
import type { OpenedData, OpenedSplit, PreparedImage } from './catalog/datasets.js';
import type { NamedModel } from './catalog/models.js';
import type { RunConfig } from './config.js';
import type { Recipe } from './recipe.js';

/** How the images of a data set become the inputs of a network, in training, evaluation and prediction. */

type Specs = readonly TransformSpec[];

/** The inputs that some weights were trained on. */
export interface TrainedInputs {
  /** `[channels, height, width]` */
  readonly inputShape: [channels: number, height: number, width: number];
  /** How photographs were resized, and the order of their colors; null for images of one size. */
  readonly images: Preprocessing | null;
  /** Range of the inputs, unless a transform makes floats. */
  readonly range: ByteRange;
  /** The transforms that are not random. */
  readonly transforms: Specs;
}

/** The inputs of Paddle's weights: mean and standard deviation of ImageNet's bytes, red first. */
export const imageNetInputs: TrainedInputs = {
  images: preprocessing({ size: 224, order: 'RGB' }),
  inputShape: [3, 224, 224],
  range: 'signed',
  transforms: [{ Normalize: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } }],
};

/** The order of the colours. Images of one size come with red first. */
export function orderOf({ images }: Pick<TrainedInputs, 'images'>): ChannelOrder {
  return images?.order ?? 'RGB';
}

function isFloatMaker(spec: TransformSpec): boolean {
  return makesFloats(Object.keys(spec)[0]);
}

/** Whether transforms set the range of the inputs. */
export function setsValues(transforms: Specs): boolean {
  return transforms.some(isFloatMaker);
}

/** The values of bytes as inputs: photographs become −1 to 1, images of one size 0 to 1. */
export function rangeOf(images: Preprocessing | null): ByteRange {
  return images === null ? 'unit' : 'signed';
}

/** The transforms that are not random; null if there are none. */
function fixedOf(transforms: Specs): Compose | null {
  const fixed = parseTransforms(transforms).transforms.filter((one) => typeof one !== 'function' && !one.isRandom);
  return fixed.length === 0 ? null : new Compose(fixed);
}

/** The transforms that evaluation and prediction apply too. */
export function fixedSpecs(transforms: Specs): Specs {
  return fixedOf(transforms)?.toJSON() ?? [];
}

/** Their names. */
export function fixedNames({ techniques }: RunConfig['recipe']): string[] {
  return fixedSpecs(techniques?.transforms ?? []).flatMap((spec) => Object.keys(spec));
}

/** `3×224×224, BGR, values from −1 to 1`: inputs for people, with the transforms that are not random. */
export function describeInputs({ inputShape, images, range, transforms }: TrainedInputs): string {
  const bytes = range === 'unit' ? 'values from 0 to 1' : 'values from −1 to 1';
  return [
    inputShape.join('×'),
    ...(inputShape[0] === 3 ? [orderOf({ images })] : []),
    ...(images?.antialias ? ['antialiased'] : []),
    ...(images == null || images.fit === 'squash' ? [] : [`fit ${images.fit}`]),
    ...(setsValues(transforms) ? [] : [bytes]),
    ...transforms.map((spec) => Object.entries(spec).map(([name, options]) => `${name}${valuesOf(options)}`)[0]),
  ].join(', ');
}

function valuesOf(options: Readonly<Record<string, unknown>>): string {
  const values = Object.values(options).filter((value) => typeof value === 'number' || Array.isArray(value));
  return values.length === 0 ? '' : `(${values.map((value) => JSON.stringify(value)).join(' ')})`;
}

/** The shape `[channels, height, width]` after a transform. */
function shapeAfter([channels, height, width]: Shape, transform: Compose | null): Shape {
  const image = { data: new Uint8Array(channels * height * width), height, width, channels, layout: 'HWC' } as const;
  const made = transform?.apply(image, new RandomGenerator(0)) ?? image;
  return [made.channels, made.height, made.width];
}

/**
 * The transforms of a training, and the shape of its inputs. Missing transforms are added: images get the
 * size and the channels of a network that takes no others, and initial weights get inputs as they had them,
 * unless `transforms` sets them.
 *
 * @param trained how the inputs of the initial weights were made; null for new weights
 * @throws {InputError} if training and evaluation would have images of different sizes, or transforms do not
 * fit together
 */
export function inputsFor(
  { imageShape, images }: Pick<OpenedData, 'imageShape' | 'images'>,
  { inputShape, anySize, weights }: NamedModel,
  transforms: Specs,
  trained: TrainedInputs | null,
): { readonly transforms: Specs; readonly shape: Shape } {
  const [channels, height, width] = inputShape;
  const known = trained === null ? transforms : asTrained(transforms, trained, images, channels);
  requireSense(parseTransforms(known).transforms);
  const fixed = fixedOf(known);
  const shape = shapeAfter(imageShape, fixed);
  const inTraining = shapeAfter(imageShape, parseTransforms(known));
  if (!sameShape(shape, inTraining)) {
    const [, rows, columns] = inTraining;
    throw new InputError(
      `[transforms] size: expected images of one size for training and evaluation, got ${formatShape(inTraining)} and ` +
        `${formatShape(shape)}; an evaluation leaves random transforms out: add CenterCrop([${rows},${columns}]) or ` +
        `Resize([${rows},${columns}])`,
    );
  }
  // The networks of the tutorial take one size, of photographs or digits, or any size. Photographs have the
  // size of the network already, and may only have too many channels.
  const adapts = weights !== undefined || (anySize !== true && (images === null || channels === 1));
  const added: TransformSpec[] = [];
  if (adapts && anySize !== true && (shape[1] !== height || shape[2] !== width)) {
    added.push({ Resize: { size: [height, width] } });
  }
  if (adapts && shape[0] !== channels) added.push({ Grayscale: { numOutputChannels: channels } });
  const floats = known.findIndex(isFloatMaker);
  const place = floats < 0 ? known.length : floats;
  const all = [...known.slice(0, place), ...added, ...known.slice(place)];
  return { transforms: all, shape: shapeAfter(imageShape, fixedOf(all)) };
}

/** Adds transforms of the weights to those of a training that has none of the same kind. */
function asTrained(
  transforms: Specs,
  { images: imagesBefore, range, transforms: before }: TrainedInputs,
  images: Preprocessing | null,
  channels: number,
): Specs {
  if (setsValues(transforms)) return transforms;
  const geometry = fixedOf(transforms) === null ? before.filter((spec) => !isFloatMaker(spec)) : [];
  const values = before.filter(isFloatMaker);
  // Images of one size come with red first and cannot be read in another order.
  const turned = images === null && orderOf({ images: imagesBefore }) === 'BGR' && channels === 3;
  if (values.length === 0 && range === 'unit' && (images !== null || turned)) values.push({ ToTensor: {} });
  if (values.length === 0 && range === 'signed' && images === null) {
    values.push({ Normalize: { mean: 127.5, std: 127.5, toRgb: turned } });
  } else if (turned) values.push({ Normalize: { mean: 0, std: 1, toRgb: true } });
  return [...transforms, ...geometry, ...values];
}

/**
 * Images for an evaluation: with the transforms that are not random.
 *
 * @param first transforms before them, such as flips
 */
export function forEvaluation(
  split: OpenedSplit,
  { techniques }: Pick<Recipe, 'techniques'>,
  first: readonly (TransformSpec | TransformFunction)[] = [],
): OpenedSplit {
  const fixed = fixedOf(techniques?.transforms ?? []);
  if (first.length > 0) {
    const all = new Compose([
      ...first.flatMap((one) => (typeof one === 'function' ? [one] : parseTransforms([one]).transforms)),
      ...(fixed?.transforms ?? []),
    ]);
    return { ...split, dataset: split.dataset.withTransform(all) };
  }
  return fixed === null ? split : { ...split, dataset: split.dataset.withTransform(fixed) };
}

/** A picture to predict: with the transforms that are not random. */
export function forPrediction(picture: PreparedImage, { recipe, data }: RunConfig): PreparedImage {
  const fixed = fixedOf(recipe.techniques?.transforms ?? []);
  if (fixed === null) return picture;
  const made = transformImages(
    {
      pixels: picture.pixels,
      shape: picture.shape as [number, number, number],
      order: orderOf(data),
      range: rangeOf(data.images),
      states: [new RandomGenerator(0).state()],
    },
    fixed,
  );
  return { ...picture, image: made.images, shape: made.shape };
}
