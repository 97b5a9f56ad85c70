import * as z from 'zod/mini';
import type { RandomGenerator } from '../../random.js';
import { affine, hflip, rotate, vflip } from './geometry.js';
import * as option from './options.js';
import type { Raster } from './raster.js';
import { type Range, sample } from './sample.js';
import { NamedTransform } from './transform.js';
import type { WarpOptions } from './warp.js';

/** Transforms that flip, turn and shift at random. */

const flipOptions = z.strictObject({ prob: option.probability });

abstract class RandomFlip extends NamedTransform<z.output<typeof flipOptions>> {
  override readonly isRandom = true;
  readonly #flip: typeof hflip;

  constructor(name: string, prob: number | undefined, flip: typeof hflip) {
    super(name, flipOptions, { prob });
    this.#flip = flip;
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    return random.uniform() < this.options.prob ? this.#flip(image) : image;
  }
}

/** Exchanges left and right, with a given probability. */
export class RandomHorizontalFlip extends RandomFlip {
  static readonly schema = flipOptions;

  /** @param prob probability of a change (0.5) */
  constructor(prob?: number) {
    super('RandomHorizontalFlip', prob, hflip);
  }
}

/** Exchanges top and bottom, with a given probability. */
export class RandomVerticalFlip extends RandomFlip {
  static readonly schema = flipOptions;

  /** @param prob probability of a change (0.5) */
  constructor(prob?: number) {
    super('RandomVerticalFlip', prob, vflip);
  }
}

const rotationOptions = z.strictObject({
  degrees: option.degrees,
  interpolation: option.warpInterpolation,
  expand: option.flag,
  center: option.center,
  fill: option.fill,
});

export interface RandomRotationOptions extends WarpOptions {
  /** Enlarge the result so that the whole turned picture fits (false); then its size is random, too. */
  readonly expand?: boolean;
  /** Point to turn about, `[x, y]` in pixels from the top left (null: the middle). */
  readonly center?: readonly [x: number, y: number] | null;
}

/** Turns by a random angle. */
export class RandomRotation extends NamedTransform<z.output<typeof rotationOptions>> {
  static readonly schema = rotationOptions;
  override readonly isRandom = true;

  /** @param degrees largest angle in both directions, or `[least, most]`, counterclockwise */
  constructor(degrees: number | Range, options: RandomRotationOptions = {}) {
    super('RandomRotation', rotationOptions, { degrees, ...options });
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    return rotate(image, sample(random, this.options.degrees), this.options);
  }
}

const affineOptions = z.strictObject({
  degrees: option.degrees,
  translate: option.orNull(
    z.tuple([option.within(0, 1), option.within(0, 1)]).check(z.describe('shares [x, y] from 0 to 1')),
  ),
  scale: option.orNull(option.positiveRange),
  shear: option.orNull(
    z
      .union([option.degrees, z.tuple([z.number(), z.number(), z.number(), z.number()])])
      .check(z.describe('degrees from 0 on, [least, most] along x, or [least, most] along x and along y')),
  ),
  interpolation: option.warpInterpolation,
  fill: option.fill,
  center: option.center,
});

export interface RandomAffineOptions extends WarpOptions {
  /** Largest shift in both directions, as shares of width and height (null: none). */
  readonly translate?: readonly [x: number, y: number] | null;
  /** Range of the scale (null: 1). */
  readonly scale?: Range | null;
  /**
   * Degrees: the largest angle along x in both directions, its range, or `[least, most]` along x and then
   * along y (null: none).
   */
  readonly shear?: number | Range | readonly [number, number, number, number] | null;
  /** Fixed point, `[x, y]` in pixels from the top left (null: the middle). */
  readonly center?: readonly [x: number, y: number] | null;
}

/** Turns, shifts, scales and shears at random; the size stays. */
export class RandomAffine extends NamedTransform<z.output<typeof affineOptions>> {
  static readonly schema = affineOptions;
  override readonly isRandom = true;

  /** @param degrees largest angle in both directions, or `[least, most]`, clockwise */
  constructor(degrees: number | Range, options: RandomAffineOptions = {}) {
    super('RandomAffine', affineOptions, { degrees, ...options });
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    const { degrees, translate, scale, shear, interpolation, fill, center } = this.options;
    const angle = sample(random, degrees);
    // Shifts are whole pixels, as in Paddle.
    const shift = (share: number, length: number) => Math.trunc(sample(random, [-share * length, share * length]));
    return affine(image, angle, {
      translate: translate === null ? [0, 0] : [shift(translate[0], image.width), shift(translate[1], image.height)],
      scale: scale === null ? 1 : sample(random, scale),
      shear: [
        shear === null ? 0 : sample(random, [shear[0], shear[1]]),
        shear?.length === 4 ? sample(random, [shear[2], shear[3]]) : 0,
      ],
      interpolation,
      fill,
      center,
    });
  }
}
