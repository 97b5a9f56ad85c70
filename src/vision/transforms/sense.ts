import { InputError } from '../../errors.js';
import { Normalize, ToTensor } from './fixed.js';
import { isBuiltIn } from './registry.js';
import { Compose, NamedTransform, type Transform, type TransformFunction } from './transform.js';

/** Transforms that need bytes, since they change colours. */
const coloursOnly = [
  'BrightnessTransform',
  'ContrastTransform',
  'SaturationTransform',
  'HueTransform',
  'ColorJitter',
  'Grayscale',
];

/** Kind of values before a transform: bytes, bytes divided by 255, or something else. */
type Values = 'bytes' | 'unit' | 'other';

/** The largest value of each scale, and the values of a mean or a standard deviation that do not fit it. */
const scales = {
  bytes: { largest: 255, isOff: (mean: number, std: number) => (mean > 0 && mean <= 1 && std <= 1) || std < 1 },
  unit: { largest: 1, isOff: (mean: number, std: number) => mean > 2 || std > 20 },
} as const;

/**
 * Refuses transforms of bytes that do not fit together: a mean and standard deviation for another scale than
 * that of the values, and changes of colours after a transform that makes floats. After a function or a
 * transform of the user nothing is checked, since the values are unknown.
 *
 * @throws {InputError} naming the transform and a remedy
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
