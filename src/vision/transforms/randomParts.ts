import * as z from 'zod/mini';
import { ShapeError } from '../../errors.js';
import type { RandomGenerator } from '../../random.js';
import { bothSizes, crop, erase, type ImageSize, type Padding, type PadOptions, pad, resize } from './geometry.js';
import * as option from './options.js';
import type { Raster } from './raster.js';
import type { Interpolation } from './resample.js';
import { roundHalfEven } from './resize.js';
import { type Range, sample, sampleRatio, sampleUpTo } from './sample.js';
import { NamedTransform } from './transform.js';

/** Transforms that cut out or erase a random part. */

const cropOptions = z.strictObject({
  size: option.imageSize,
  padding: option.orNull(option.padding),
  padIfNeeded: option.flag,
  fill: option.fill,
  paddingMode: option.paddingMode,
});

export interface RandomCropOptions extends PadOptions {
  /** Border that the picture gets first (null: none). */
  readonly padding?: Padding | null;
  /** Enlarge pictures that are too small, on both sides (false: an error). */
  readonly padIfNeeded?: boolean;
}

/**
 * Cuts out a random part; all places are equally likely. With `padding`, it shifts the whole picture a
 * little.
 *
 * @example
 * ```ts
 * const shifted = new vision.transforms.RandomCrop(32, { padding: 4 }); // for CIFAR's images of 32×32
 * ```
 */
export class RandomCrop extends NamedTransform<z.output<typeof cropOptions>> {
  static readonly schema = cropOptions;
  override readonly isRandom = true;

  /** @param size edge of a square, or `[height, width]` */
  constructor(size: ImageSize, options: RandomCropOptions = {}) {
    super('RandomCrop', cropOptions, { size, ...options });
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    const { padding, padIfNeeded } = this.options;
    const [height, width] = bothSizes(this.options.size);
    let source = padding === null ? image : pad(image, padding, this.options);
    if (padIfNeeded) {
      const across = Math.max(0, width - source.width);
      const down = Math.max(0, height - source.height);
      if (across > 0 || down > 0) source = pad(source, [across, down], this.options);
    }
    if (source.height < height || source.width < width) {
      throw new ShapeError(
        `[transforms] RandomCrop: expected a picture of at least ${width}×${height}, got ${source.width}×` +
          `${source.height}; set padding or padIfNeeded, or put Resize in front`,
      );
    }
    const top = sampleUpTo(random, source.height - height);
    return crop(source, top, sampleUpTo(random, source.width - width), height, width);
  }
}

const resizedCropOptions = z.strictObject({
  size: option.imageSize,
  scale: option.usually(option.positiveRange, [0.08, 1]),
  ratio: option.usually(option.positiveRange, [3 / 4, 4 / 3]),
  interpolation: option.interpolation,
});

export interface RandomResizedCropOptions {
  /** Area of the part, as a share of the picture's ([0.08, 1]). */
  readonly scale?: Range;
  /** Width over height of the part ([3/4, 4/3]). */
  readonly ratio?: Range;
  /** 'bilinear' by default. */
  readonly interpolation?: Interpolation;
}

/**
 * Cuts out a part of random area, proportions and place, and resizes it. Szegedy et al., "Going deeper with
 * convolutions", 2015, section 6.
 */
export class RandomResizedCrop extends NamedTransform<z.output<typeof resizedCropOptions>> {
  static readonly schema = resizedCropOptions;
  override readonly isRandom = true;

  /** @param size edge of the square result, or its `[height, width]` */
  constructor(size: ImageSize, options: RandomResizedCropOptions = {}) {
    super('RandomResizedCrop', resizedCropOptions, { size, ...options });
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    const [top, left, height, width] = this.#part(image, random);
    const part = crop(image, top, left, height, width);
    return resize(part, bothSizes(this.options.size), this.options.interpolation);
  }

  #part({ height, width }: Raster, random: RandomGenerator): readonly [number, number, number, number] {
    const { scale, ratio } = this.options;
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = sample(random, scale) * height * width;
      const aspect = sampleRatio(random, ratio);
      const w = roundHalfEven(Math.sqrt(area * aspect));
      const h = roundHalfEven(Math.sqrt(area / aspect));
      if (w < 1 || w > width || h < 1 || h > height) continue;
      return [sampleUpTo(random, height - h), sampleUpTo(random, width - w), h, w];
    }
    // Otherwise it takes the largest part in the middle whose proportions are allowed.
    const own = width / height;
    const h = own < ratio[0] ? Math.max(1, roundHalfEven(width / ratio[0])) : height;
    const w = own > ratio[1] ? Math.max(1, roundHalfEven(height * ratio[1])) : width;
    return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w];
  }
}

const erasingOptions = z.strictObject({
  prob: option.probability,
  scale: option.shares([0.02, 0.33]),
  ratio: option.usually(option.positiveRange, [0.3, 3.3]),
  value: option.usually(z.union([option.perChannel, z.literal('random')]), 0, "a value, one a channel, or 'random'"),
});

export interface RandomErasingOptions {
  /** Area of the rectangle, as a share of the picture's ([0.02, 0.33]). */
  readonly scale?: Range;
  /** Height over width of the rectangle ([0.3, 3.3]). */
  readonly ratio?: Range;
  /**
   * Contents of the rectangle: a value, one for each channel, or 'random' for noise, uniform in bytes and
   * normal in floats (0).
   */
  readonly value?: number | readonly number[] | 'random';
}

/** Replaces a rectangle, with a given probability. Zhong et al., "Random erasing data augmentation", 2020. */
export class RandomErasing extends NamedTransform<z.output<typeof erasingOptions>> {
  static readonly schema = erasingOptions;
  override readonly isRandom = true;

  /** @param prob probability of a rectangle (0.5) */
  constructor(prob?: number, options: RandomErasingOptions = {}) {
    super('RandomErasing', erasingOptions, { prob, ...options });
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    const { prob, scale, ratio, value } = this.options;
    if (random.uniform() >= prob) return image;
    const noise = image.data instanceof Uint8Array ? () => random.int(256) : () => random.normal();
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = sample(random, scale) * image.height * image.width;
      const aspect = sampleRatio(random, ratio);
      const height = roundHalfEven(Math.sqrt(area * aspect));
      const width = roundHalfEven(Math.sqrt(area / aspect));
      if (height >= image.height || width >= image.width) continue;
      const top = sampleUpTo(random, image.height - height);
      const left = sampleUpTo(random, image.width - width);
      return erase(image, top, left, height, width, value === 'random' ? noise : value);
    }
    return image;
  }
}
