import { InputError } from '../../errors.js';

/** One map of numbers for each image: how much each place counts. */
export interface AttributionMaps {
  /** Row by row, image after image. */
  readonly values: Float32Array;
  /** `[N, height, width]` */
  readonly shape: readonly [number, number, number];
}

/**
 * Maps at another size, by bilinear interpolation between the centres of pixels, as OpenCV and PyTorch
 * (`align_corners=False`) do it.
 */
export function resizeMaps(
  { values, shape: [count, height, width] }: AttributionMaps,
  to: readonly [number, number],
): AttributionMaps {
  const [newHeight, newWidth] = to;
  const rows = positions(height, newHeight);
  const columns = positions(width, newWidth);
  const resized = new Float32Array(count * newHeight * newWidth);
  for (let n = 0, out = 0; n < count; n++) {
    const map = values.subarray(n * height * width, (n + 1) * height * width);
    for (const row of rows) {
      const [above, below] = [row.low * width, row.high * width];
      for (const { low, high, part } of columns) {
        const top = map[above + low] + part * (map[above + high] - map[above + low]);
        const bottom = map[below + low] + part * (map[below + high] - map[below + low]);
        resized[out++] = top + row.part * (bottom - top);
      }
    }
  }
  return { values: resized, shape: [count, newHeight, newWidth] };
}

interface Position {
  readonly low: number;
  readonly high: number;
  readonly part: number;
}

function positions(size: number, newSize: number): Position[] {
  return Array.from({ length: newSize }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * size) / newSize - 0.5, 0), size - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, size - 1), part: at - low };
  });
}

/** Each map between 0 and 1: less its minimum, by its range. A constant map becomes 0. */
export function normalizeMaps({ values, shape }: AttributionMaps): AttributionMaps {
  const size = shape[1] * shape[2];
  const normal = new Float32Array(values.length);
  for (let begin = 0; begin < values.length; begin += size) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = begin; i < begin + size; i++) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
    if (!(high > low)) continue;
    for (let i = begin; i < begin + size; i++) normal[i] = (values[i] - low) / (high - low);
  }
  return { values: normal, shape };
}

/** The map of one image. @throws {InputError} for an image that there is not */
export function mapOf({ values, shape: [count, height, width] }: AttributionMaps, index: number): Float32Array {
  if (!(Number.isInteger(index) && index >= 0 && index < count)) {
    throw new InputError(`[explain] image: expected a number from 0 to ${count - 1}, got ${index}`);
  }
  return values.subarray(index * height * width, (index + 1) * height * width);
}
