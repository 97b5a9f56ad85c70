import { InputError } from '../../errors.js';
import { Normalize, ToTensor } from './fixed.js';
import { isBuiltIn } from './registry.js';
import { Compose, NamedTransform, type Transform, type TransformFunction } from './transform.js';

/** Transforms that know colours of bytes alone. */
const coloursOnly = [
  'BrightnessTransform',
  'ContrastTransform',
  'SaturationTransform',
  'HueTransform',
  'ColorJitter',
  'Grayscale',
];

/** What values are before a transform: bytes, their 255th parts, or something else. */
type Values = 'bytes' | 'unit' | 'other';

/** Largest value, and what a mean or a standard deviation on this scale is not. */
const scales = {
  bytes: { largest: 255, isOff: (mean: number, std: number) => (mean > 0 && mean <= 1 && std <= 1) || std < 0.5 },
  unit: { largest: 1, isOff: (mean: number, std: number) => mean > 2 || std > 20 },
} as const;

/**
 * Refuses transforms of bytes that do not fit together: a mean and standard deviation of another scale than
 * the values have, and changes of colours behind what makes floats. The values that a function or a transform
 * of the user's makes are not known, so nothing behind it is checked.
 *
 * @throws InputError naming the transform, and what to do
 */
export function requireSense(transforms: readonly (Transform | TransformFunction)[]): void {
  let values: Values | null = 'bytes';
  for (const transform of flat(transforms)) {
    if (!(transform instanceof NamedTransform) || !isBuiltIn(transform)) return;
    if (values !== 'bytes' && coloursOnly.includes(transform.name)) {
      throw new InputError(
        `[transforms] ${transform.name}: expected bytes, got floats; put it before ToTensor and Normalize`,
      );
    }
    if (transform instanceof ToTensor && values === 'bytes') values = 'unit';
    if (!(transform instanceof Normalize)) continue;
    if (values !== 'other') requireScale(transform, values);
    values = 'other';
  }
}

function requireScale({ options: { mean, std } }: Normalize, values: 'bytes' | 'unit'): void {
  const { largest, isOff } = scales[values];
  const [means, deviations] = [[mean].flat(), [std].flat()];
  const count = Math.max(means.length, deviations.length);
  const pairs = Array.from({ length: count }, (_, i) => [
    means[i] ?? means[0],
    Math.abs(deviations[i] ?? deviations[0]),
  ]);
  const off = pairs.find(([m, s]) => isOff(Math.abs(m), s));
  if (off === undefined) return;
  const [m, s] = off;
  const [low, high] = [-m / s, (largest - m) / s].map((value) => String(Number(value.toPrecision(4))));
  const got = `mean ${JSON.stringify(mean)} and std ${JSON.stringify(std)}, which make ${low} to ${high} of them`;
  throw new InputError(
    values === 'bytes'
      ? `[transforms] Normalize: expected mean and std of bytes, 0 to 255, got ${got}; put ToTensor before it`
      : `[transforms] Normalize: expected mean and std of values from 0 to 1, as they are behind ToTensor, got ${got}; ` +
          'divide them by 255, or leave ToTensor out',
  );
}

function flat(transforms: readonly (Transform | TransformFunction)[]): (Transform | TransformFunction)[] {
  return transforms.flatMap((transform) => (transform instanceof Compose ? flat(transform.transforms) : [transform]));
}
