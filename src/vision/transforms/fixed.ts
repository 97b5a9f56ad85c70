import * as z from 'zod/mini';
import { ShapeError } from '../../errors.js';
import { normalize, toGrayscale, toTensor } from './color.js';
import { centerCrop, type ImageSize, type Padding, type PadOptions, pad, resize } from './geometry.js';
import * as option from './options.js';
import { blank, type Layout, type Raster, stridesOf } from './raster.js';
import type { Interpolation } from './resample.js';
import { NamedTransform } from './transform.js';

/** Transforms without randomness. */

const toTensorOptions = z.strictObject({
  dataFormat: option.usually(z.enum(['CHW', 'HWC']), 'CHW', "'CHW' or 'HWC'"),
});

/**
 * Converts bytes to float32 from 0 to 1, with the channels first. Floats keep their values.
 *
 * @example
 * ```ts
 * const { Compose, Normalize, Resize, ToTensor } = vision.transforms;
 * const transform = new Compose([new Resize([32, 32]), new ToTensor(), new Normalize(0.5, 0.5)]);
 * const photos = await vision.datasets.DatasetFolder.open('photos', { transform });
 * ```
 */
export class ToTensor extends NamedTransform<z.output<typeof toTensorOptions>> {
  static readonly schema = toTensorOptions;

  constructor(dataFormat?: Layout) {
    super('ToTensor', toTensorOptions, { dataFormat });
  }

  apply(image: Raster): Raster {
    return toTensor(image, this.options.dataFormat);
  }
}

const transposeOptions = z.strictObject({
  order: option.usually(
    z.array(option.integer(0, 2)).check(
      z.length(3),
      z.refine((order) => new Set(order).size === 3),
    ),
    [2, 0, 1],
    'the axes 0, 1 and 2 in some order',
  ),
});

/** Changes the order of the axes; by default it moves the channels from the last to the first place. */
export class Transpose extends NamedTransform<z.output<typeof transposeOptions>> {
  static readonly schema = transposeOptions;

  /**
   * @param order for each axis of the result, the number of the image's axis that it was: by default [2, 0,
   *   1]
   */
  constructor(order?: readonly [number, number, number]) {
    super('Transpose', transposeOptions, { order });
  }

  /** @throws {ShapeError} if the channels would be in the middle */
  apply(image: Raster): Raster {
    const { order } = this.options;
    const axes = Array.from(image.layout);
    const result = order.map((axis) => axes[axis]);
    if (result[1] === 'C') {
      throw new ShapeError(
        `[transforms] Transpose: expected an order with the channels first or last, got [${order}] of ${image.layout}`,
      );
    }
    const layout: Layout = result[0] === 'C' ? 'CHW' : 'HWC';
    const turned = result.indexOf('H') > result.indexOf('W');
    const { height, width, channels } = image;
    const [rows, columns] = turned ? [width, height] : [height, width];
    const sizes = { height: rows, width: columns, channels, layout };
    const [from, to] = [stridesOf(image), stridesOf(sizes)];
    const [down, right] = turned ? [from.right, from.down] : [from.down, from.right];
    const data = blank(image.data, image.data.length);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        for (let c = 0; c < channels; c++) {
          data[y * to.down + x * to.right + c * to.deep] = image.data[y * down + x * right + c * from.deep];
        }
      }
    }
    return { data, ...sizes };
  }
}

const normalizeOptions = z.strictObject({
  mean: option.usually(option.perChannel, 0, 'a number, or one a channel'),
  std: option.usually(
    option.perChannel.check(z.refine((std) => ![std].flat().includes(0))),
    1,
    'a number other than 0, or one a channel',
  ),
  toRgb: option.flag,
});

export interface NormalizeOptions {
  /** Reverse the order of the channels first (false). */
  readonly toRgb?: boolean;
}

/**
 * Computes (x − mean) / std in float32. It recognizes from the image whether channels are first or last.
 *
 * @example
 * ```ts
 * // After ToTensor: mean and standard deviation of ImageNet.
 * const normalize = new vision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
 * ```
 */
export class Normalize extends NamedTransform<z.output<typeof normalizeOptions>> {
  static readonly schema = normalizeOptions;

  /**
   * @param mean one value, or one for each channel (0)
   * @param std one value, or one for each channel (1); on the scale of the values, so up to 255 for bytes
   */
  constructor(mean?: number | readonly number[], std?: number | readonly number[], options: NormalizeOptions = {}) {
    super('Normalize', normalizeOptions, { mean, std, ...options });
  }

  apply(image: Raster): Raster {
    const { mean, std, toRgb } = this.options;
    return normalize(image, mean, std, { toRgb });
  }
}

const resizeOptions = z.strictObject({ size: option.imageSize, interpolation: option.interpolation });

export interface ResizeTransformOptions {
  /** 'bilinear' by default; also 'nearest', 'bicubic', 'box', 'hamming', 'lanczos'. */
  readonly interpolation?: Interpolation;
}

/**
 * Resizes as Pillow does: when a picture becomes smaller, each new pixel averages all the pixels it covers.
 *
 * @example
 * ```ts
 * const squashed = new vision.transforms.Resize([224, 224]); // height, width
 * const proportional = new vision.transforms.Resize(256); // the shorter edge
 * ```
 */
export class Resize extends NamedTransform<z.output<typeof resizeOptions>> {
  static readonly schema = resizeOptions;

  /** @param size `[height, width]`, or the length of the shorter edge, which keeps the proportions */
  constructor(size: ImageSize, options: ResizeTransformOptions = {}) {
    super('Resize', resizeOptions, { size, ...options });
  }

  apply(image: Raster): Raster {
    return resize(image, this.options.size, this.options.interpolation);
  }
}

const centerCropOptions = z.strictObject({ size: option.imageSize });

/** Cuts out the middle of a picture. A smaller picture gets a black border. */
export class CenterCrop extends NamedTransform<z.output<typeof centerCropOptions>> {
  static readonly schema = centerCropOptions;

  /** @param size edge of a square, or `[height, width]` */
  constructor(size: ImageSize) {
    super('CenterCrop', centerCropOptions, { size });
  }

  apply(image: Raster): Raster {
    return centerCrop(image, this.options.size);
  }
}

const padOptions = z.strictObject({
  padding: option.padding,
  fill: option.fill,
  paddingMode: option.paddingMode,
});

/** Adds a border to pictures. */
export class Pad extends NamedTransform<z.output<typeof padOptions>> {
  static readonly schema = padOptions;

  constructor(padding: Padding, options: PadOptions = {}) {
    super('Pad', padOptions, { padding, ...options });
  }

  apply(image: Raster): Raster {
    return pad(image, this.options.padding, this.options);
  }
}

const grayscaleOptions = z.strictObject({
  numOutputChannels: option.usually(z.union([z.literal(1), z.literal(3)]), 1, '1 or 3'),
});

/** Converts to grey by the luma of ITU-R BT.601. */
export class Grayscale extends NamedTransform<z.output<typeof grayscaleOptions>> {
  static readonly schema = grayscaleOptions;

  /** @param numOutputChannels 1 (default), or 3 equal ones */
  constructor(numOutputChannels?: 1 | 3) {
    super('Grayscale', grayscaleOptions, { numOutputChannels });
  }

  apply(image: Raster): Raster {
    return toGrayscale(image, this.options.numOutputChannels);
  }
}
