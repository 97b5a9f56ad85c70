import { InputError } from '../errors.js';
import { formatShape, type Shape, sameShape } from '../graph/shape.js';
import { Generator } from '../random.js';
import type { OpenedData, OpenedSplit, PreparedImage } from '../vision/datasets/registry.js';
import type { ModelKind } from '../vision/models/registry.js';
import { transformImages } from '../vision/transforms/batch.js';
import { inputsOf } from '../vision/transforms/image.js';
import { parseTransforms } from '../vision/transforms/parse.js';
import { Compose, type TransformSpec } from '../vision/transforms/transform.js';
import type { RunConfig } from './records.js';

/** How the images of a data set become the inputs of a network, in training, judging and prediction. */

type Specs = readonly TransformSpec[];

/** Mean and standard deviation of ImageNet's colours, which Paddle's weights want to be taken off: bytes, red first. */
const imageNet: TransformSpec = {
  Normalize: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
};
const makesFloats = ['ToTensor', 'Normalize', 'Transpose'];

/** The transforms that draw nothing: they make other images of all, not more of some. */
function fixedOf(transforms: Specs): Compose | null {
  const fixed = parseTransforms(transforms).transforms.filter((one) => typeof one !== 'function' && !one.isRandom);
  return fixed.length === 0 ? null : new Compose(fixed);
}

/** Names of the transforms that judging and prediction have too. */
export function fixedNames({ techniques }: RunConfig['recipe']): string[] {
  return (fixedOf(techniques?.transforms ?? [])?.toJSON() ?? []).flatMap((spec) => Object.keys(spec));
}

/** What `[channels, height, width]` becomes. */
function shapeAfter([channels, height, width]: Shape, transform: Compose | null): Shape {
  const image = { data: new Uint8Array(channels * height * width), height, width, channels, layout: 'HWC' } as const;
  const made = transform?.apply(image, new Generator(0)) ?? image;
  return [made.channels, made.height, made.width];
}

/**
 * The transforms of a training, and the shape of the inputs that come of them. Those that are missing are added: images
 * of another size or in colour are made to fit a network that takes one size alone, or as many colours, and what
 * ImageNet's weights see is normalized as they were trained.
 *
 * @throws {InputError} if images for training and for judging would differ in size
 */
export function inputsFor(
  { imageShape, images }: Pick<OpenedData, 'imageShape' | 'images'>,
  { inputShape, anySize, weights }: ModelKind,
  transforms: Specs,
  pretrained: boolean,
): { readonly transforms: Specs; readonly shape: Shape } {
  const fixed = fixedOf(transforms);
  const shape = shapeAfter(imageShape, fixed);
  const trained = shapeAfter(imageShape, parseTransforms(transforms));
  if (!sameShape(shape, trained)) {
    const [, height, width] = trained;
    throw new InputError(
      `[transforms] size: expected images of one size for training and judging, got ${formatShape(trained)} and ` +
        `${formatShape(shape)}; what is random is left out in judging: add CenterCrop([${height},${width}]) or ` +
        `Resize([${height},${width}])`,
    );
  }
  // Of the tutorial's networks those for one size are made for photographs or digits, and others take any size.
  const adapts = weights !== undefined || (images === null && anySize !== true);
  const [channels, height, width] = inputShape;
  const added: TransformSpec[] = [];
  if (adapts && anySize !== true && (shape[1] !== height || shape[2] !== width)) {
    added.push({ Resize: { size: [height, width] } });
  }
  if (adapts && shape[0] !== channels) added.push({ Grayscale: { numOutputChannels: channels } });
  const floats = transforms.findIndex((spec) => makesFloats.includes(Object.keys(spec)[0]));
  const place = floats < 0 ? transforms.length : floats;
  const normalizes = pretrained && weights !== undefined && channels === 3 && floats < 0;
  const all = [...transforms.slice(0, place), ...added, ...transforms.slice(place), ...(normalizes ? [imageNet] : [])];
  return { transforms: all, shape: shapeAfter(imageShape, fixedOf(all)) };
}

/** Images for judging: with the transforms that draw nothing. */
export function judgedAs(split: OpenedSplit, { techniques }: RunConfig['recipe']): OpenedSplit {
  const fixed = fixedOf(techniques?.transforms ?? []);
  return fixed === null ? split : { ...split, dataset: split.dataset.withTransform(fixed) };
}

/** The same for somebody's picture. */
export function preparedAs(picture: PreparedImage, { recipe, data }: RunConfig): PreparedImage {
  const fixed = fixedOf(recipe.techniques?.transforms ?? []);
  if (fixed === null) return picture;
  const range = data.images === null ? 'unit' : 'signed';
  const [low, high] = [inputsOf[range][0], inputsOf[range][255]];
  const pixels = Uint8Array.from(picture.image, (x) => Math.round((255 * (x - low)) / (high - low)));
  const shape = picture.shape as [number, number, number];
  const states = [new Generator(0).state()];
  const made = transformImages({ pixels, shape, order: data.images?.order ?? 'RGB', range, states }, fixed);
  return { ...picture, image: made.images, shape: made.shape };
}
