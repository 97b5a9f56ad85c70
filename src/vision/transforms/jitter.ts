import * as z from 'zod/mini';
import type { RandomGenerator } from '../../random.js';
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from './color.js';
import * as option from './options.js';
import type { Raster } from './raster.js';
import { sample } from './sample.js';
import { NamedTransform } from './transform.js';

/** Random changes of colours. They need bytes, so they come before ToTensor and Normalize. */

/**
 * The largest distance of the factor from 1, in both directions but not below 0; or the range of the factor.
 */
export type JitterFactor = number | readonly [least: number, most: number];

type Adjust = typeof adjustBrightness;

const factorOptions = z.strictObject({ value: option.factor });
const hueOptions = z.strictObject({ value: option.hue });

/** Changes one property of the colours by a random factor. */
abstract class AdjustTransform extends NamedTransform<z.output<typeof factorOptions>> {
  override readonly isRandom = true;
  readonly #adjust: Adjust;

  constructor(name: string, schema: typeof factorOptions, value: JitterFactor, adjust: Adjust) {
    super(name, schema, { value });
    this.#adjust = adjust;
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    return this.#adjust(image, sample(random, this.options.value));
  }
}

/** Makes pictures brighter or darker by a random factor. */
export class BrightnessTransform extends AdjustTransform {
  static readonly schema = factorOptions;

  constructor(value: JitterFactor) {
    super('BrightnessTransform', factorOptions, value, adjustBrightness);
  }
}

/** Changes the contrast by a random factor. */
export class ContrastTransform extends AdjustTransform {
  static readonly schema = factorOptions;

  constructor(value: JitterFactor) {
    super('ContrastTransform', factorOptions, value, adjustContrast);
  }
}

/** Changes the saturation of colours by a random factor. */
export class SaturationTransform extends AdjustTransform {
  static readonly schema = factorOptions;

  constructor(value: JitterFactor) {
    super('SaturationTransform', factorOptions, value, adjustSaturation);
  }
}

/** Rotates hues by a random part of their circle. */
export class HueTransform extends AdjustTransform {
  static readonly schema = hueOptions;

  /**
   * @param value largest part of the circle in both directions, from 0 to 0.5; or the range, from −0.5 to 0.5
   */
  constructor(value: JitterFactor) {
    super('HueTransform', hueOptions, value, adjustHue);
  }
}

const jitterOptions = z.strictObject({
  brightness: option.usually(option.factor, 0),
  contrast: option.usually(option.factor, 0),
  saturation: option.usually(option.factor, 0),
  hue: option.usually(option.hue, 0),
});

export interface ColorJitterOptions {
  /** Factor as in {@link BrightnessTransform} (0: none). */
  readonly brightness?: JitterFactor;
  /** Factor as in {@link ContrastTransform} (0: none). */
  readonly contrast?: JitterFactor;
  /** Factor as in {@link SaturationTransform} (0: none). */
  readonly saturation?: JitterFactor;
  /** Part of the circle as in {@link HueTransform} (0: none). */
  readonly hue?: JitterFactor;
}

/**
 * Changes brightness, contrast, saturation and hue at random, in random order.
 *
 * @example
 * ```ts
 * const jitter = new vision.transforms.ColorJitter({ brightness: 0.2, hue: 0.05 });
 * ```
 */
export class ColorJitter extends NamedTransform<z.output<typeof jitterOptions>> {
  static readonly schema = jitterOptions;
  override readonly isRandom = true;

  constructor(options: ColorJitterOptions = {}) {
    super('ColorJitter', jitterOptions, options);
  }

  apply(image: Raster, random: RandomGenerator): Raster {
    const { brightness, contrast, saturation, hue } = this.options;
    const steps: readonly (readonly [Adjust, neutral: number, readonly [number, number]])[] = [
      [adjustBrightness, 1, brightness],
      [adjustContrast, 1, contrast],
      [adjustSaturation, 1, saturation],
      [adjustHue, 0, hue],
    ];
    let result = image;
    for (const i of random.permutation(steps.length)) {
      const [adjust, neutral, range] = steps[i];
      if (range[0] !== neutral || range[1] !== neutral) result = adjust(result, sample(random, range));
    }
    return result;
  }
}
