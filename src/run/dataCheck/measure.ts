import type { SmallPicture } from '../../vision/images/pictureFacts.js';

/** Edge of the look, by which copies are found, and of the finer version that confirms them. */
export const lookSide = 8;
export const fineSide = 32;

/** Values that are computed from the small version of a picture. */
export interface Measured {
  /** Mean grey values of 8×8 cells, from 0 to 255. */
  readonly look: Float32Array;
  /** The same of 32×32 cells. */
  readonly fine: Float32Array;
  /** Size of the small version. */
  readonly width: number;
  readonly height: number;
  /** All grey values of a picture smaller than the finer version; else null. */
  readonly grey: Float32Array | null;
  /** Means of red, green and blue, from 0 to 255. */
  readonly colour: readonly [red: number, green: number, blue: number];
  readonly brightness: number;
  /** Standard deviation of the grey values. */
  readonly contrast: number;
  /** Mean grey value of the frame, a twentieth of the shorter edge. */
  readonly border: number;
  /** Variance of the Laplacian of the grey values: low where the picture is blurred. */
  readonly sharpness: number;
}

export function measure({ data, width, height }: SmallPicture): Measured {
  const pixels = width * height;
  const grey = new Float32Array(pixels);
  const sums = [0, 0, 0];
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [data[3 * i], data[3 * i + 1], data[3 * i + 2]];
    sums[0] += r;
    sums[1] += g;
    sums[2] += b;
    grey[i] = 0.299 * r + 0.587 * g + 0.114 * b;
  }
  const brightness = mean(grey);
  let square = 0;
  for (const value of grey) square += (value - brightness) ** 2;
  return {
    look: cellsBetween(grey, width, height, lookSide),
    fine: cellsBetween(grey, width, height, fineSide),
    width,
    height,
    grey: Math.min(width, height) < fineSide ? grey : null,
    colour: [sums[0] / pixels, sums[1] / pixels, sums[2] / pixels],
    brightness,
    contrast: Math.sqrt(square / pixels),
    border: borderOf(grey, width, height),
    sharpness: sharpnessOf(grey, width, height),
  };
}

function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * Means of cells, weighted by the part of each pixel within: the same for a picture and a resized copy.
 *
 * @param offset of all cells, as shares of the edges; cells end at the edges. Default: none
 */
export function cellsBetween(
  grey: Float32Array,
  width: number,
  height: number,
  side: number,
  { down, right }: { readonly down: number; readonly right: number } = { down: 0, right: 0 },
): Float32Array {
  const rows = new Float32Array(side * width);
  for (let cell = 0; cell < side; cell++) {
    eachPart(cell + down * side, side, height, (y, weight) => {
      for (let x = 0; x < width; x++) rows[cell * width + x] += weight * grey[y * width + x];
    });
  }
  const cells = new Float32Array(side * side);
  for (let column = 0; column < side; column++) {
    eachPart(column + right * side, side, width, (x, weight) => {
      for (let row = 0; row < side; row++) cells[row * side + column] += weight * rows[row * width + x];
    });
  }
  return cells;
}

/** The pixels of a cell with their weights, which add up to 1. */
function eachPart(cell: number, cells: number, length: number, use: (at: number, weight: number) => void): void {
  const from = Math.max(0, (cell * length) / cells);
  const to = Math.min(length, ((cell + 1) * length) / cells);
  for (let at = Math.floor(from); at < Math.min(length, Math.ceil(to)); at++) {
    const part = Math.min(to, at + 1) - Math.max(from, at);
    if (part > 0) use(at, part / (to - from));
  }
}

function borderOf(grey: Float32Array, width: number, height: number): number {
  const frame = Math.max(1, Math.round(Math.min(width, height) / 20));
  let [sum, count] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (x >= frame && x < width - frame && y >= frame && y < height - frame) continue;
      sum += grey[y * width + x];
      count++;
    }
  }
  return sum / count;
}

function sharpnessOf(grey: Float32Array, width: number, height: number): number {
  let [sum, square, count] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const value = grey[at - 1] + grey[at + 1] + grey[at - width] + grey[at + width] - 4 * grey[at];
      sum += value;
      square += value * value;
      count++;
    }
  }
  return count === 0 ? 0 : square / count - (sum / count) ** 2;
}
