import { ShapeError } from '../../errors.js';
import { formatShape, numel, type Shape, sameShape } from '../../graph/shape.js';
import { type GeneratorState, RandomGenerator } from '../../random.js';
import { type ByteRange, type ChannelOrder, inputsOf } from './image.js';
import { type Raster, stridesOf } from './raster.js';
import type { Transform } from './transform.js';

/** Images to be transformed, in a form that can be sent to another thread. */
export interface TransformJob {
  /** `[n, channels, height, width]` */
  readonly pixels: Uint8Array;
  /** `[channels, height, width]` */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Order of three channels, before and after the transforms, which always see red, green, blue. */
  readonly order: ChannelOrder;
  /** Range of the inputs that resulting bytes are converted to. */
  readonly range: ByteRange;
  /** State of the generator of each image. */
  readonly states: readonly GeneratorState[];
}

/** Inputs of a network. */
export interface TransformedImages {
  /** `[n, …shape]` */
  readonly images: Float32Array;
  /** `[channels, height, width]` */
  readonly shape: Shape;
}

/** @throws as the transform, and ShapeError if the results differ in size */
export function transformImages(job: TransformJob, transform: Pick<Transform, 'apply'>): TransformedImages {
  const { pixels, shape, order, range, states } = job;
  const size = numel(shape);
  return joined(
    states.map((state, i) => {
      const image = rasterOf(pixels.subarray(i * size, (i + 1) * size), shape, order);
      return inputOf(transform.apply(image, RandomGenerator.fromState(state)), order, range);
    }),
  );
}

/**
 * Joins several batches.
 *
 * @param memory for the result, if it has the right size
 * @throws {ShapeError} if they differ in size
 */
export function joined(parts: readonly TransformedImages[], memory?: Float32Array): TransformedImages {
  const [{ shape }] = parts;
  if (parts.length === 1) return parts[0];
  const odd = parts.find((part) => !sameShape(part.shape, shape));
  if (odd !== undefined) {
    throw new ShapeError(
      `[transforms] result: expected images of one size, got ${formatShape(shape)} and ${formatShape(odd.shape)}; ` +
        'end with Resize, RandomCrop or CenterCrop',
    );
  }
  const length = parts.reduce((sum, part) => sum + part.images.length, 0);
  const images = memory?.length === length ? memory : new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    images.set(part.images, at);
    at += part.images.length;
  }
  return { images, shape };
}

function rasterOf(planes: Uint8Array, [channels, height, width]: TransformJob['shape'], order: ChannelOrder): Raster {
  const data = new Uint8Array(planes.length);
  const plane = height * width;
  for (let c = 0; c < channels; c++) {
    const from = (channels === 3 && order === 'BGR' ? 2 - c : c) * plane;
    for (let p = 0, to = c; p < plane; p++, to += channels) data[to] = planes[from + p];
  }
  return { data, height, width, channels, layout: 'HWC' };
}

function inputOf(image: Raster, order: ChannelOrder, range: ByteRange): TransformedImages {
  const { data, height, width, channels } = image;
  const { right, deep } = stridesOf(image);
  const plane = height * width;
  const images = new Float32Array(data.length);
  const inputs = data instanceof Uint8Array ? inputsOf[range] : null;
  for (let c = 0; c < channels; c++) {
    const from = (channels === 3 && order === 'BGR' ? 2 - c : c) * deep;
    for (let p = 0, to = c * plane; p < plane; p++, to++) {
      const value = data[p * right + from];
      images[to] = inputs === null ? value : inputs[value];
    }
  }
  return { images, shape: [channels, height, width] };
}
