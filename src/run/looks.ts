import type { Shape } from '../graph/shape.js';

/**
 * The look of a picture: a tiny grey version, by which a picture is found again that was saved with loss or
 * resized. Its bytes and pixels are others then.
 */

const side = 8;
const cells = side * side;

/** Most pictures whose looks a run keeps, with 64 bytes each. */
export const mostLooks = 200_000;

/**
 * Largest difference of a cell, and of all cells on average, in 256 grey levels. JPEG of quality 60 at 28
 * pixels, or half the size at 224, changes them by less; other pictures differ five times as much.
 */
const cellTolerance = 8;
const meanTolerance = 2;
/** Pictures that are flat at this scale all look the same: least standard deviation of the cells. */
const leastContrast = 8;

/**
 * Mean grey values of 8×8 cells, from 0 to 255.
 *
 * @param image values from −1 to 1, `[channels, height, width]`
 */
export function lookOf(image: Float32Array, [channels, height, width]: Shape): Uint8Array {
  const look = new Uint8Array(cells);
  for (let row = 0; row < side; row++) {
    const [top, bottom] = rangeOf(row, height);
    for (let column = 0; column < side; column++) {
      const [left, right] = rangeOf(column, width);
      let sum = 0;
      for (let c = 0; c < channels; c++) {
        for (let y = top; y < bottom; y++) {
          const line = (c * height + y) * width;
          for (let x = left; x < right; x++) sum += image[line + x];
        }
      }
      const mean = sum / (channels * (bottom - top) * (right - left));
      look[row * side + column] = Math.round(127.5 * (Math.min(1, Math.max(-1, mean)) + 1));
    }
  }
  return look;
}

/** The pixels of a cell; at least one, which small pictures share between cells. */
function rangeOf(cell: number, length: number): [from: number, to: number] {
  const from = Math.min(length - 1, Math.round((cell * length) / side));
  return [from, Math.max(from + 1, Math.round(((cell + 1) * length) / side))];
}

/** Looks as a run folder keeps them. */
export function packLooks(looks: readonly Uint8Array[]): string {
  return Buffer.concat(looks).toString('base64');
}

/** Looks that can be asked whether one is among them. */
export class LookIndex {
  readonly #looks: Uint8Array;
  /** Places in the order of {@link #sums}. */
  readonly #places: Uint32Array;
  readonly #sums: Uint32Array;

  /** @param looks one after another */
  constructor(looks: Uint8Array) {
    this.#looks = looks;
    const count = Math.floor(looks.length / cells);
    const sums = Uint32Array.from({ length: count }, (_, i) => sumOf(looks.subarray(i * cells, (i + 1) * cells)));
    this.#places = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => sums[a] - sums[b]);
    this.#sums = this.#places.map((place) => sums[place]);
  }

  /** Reads what {@link packLooks} has made. */
  static unpack(packed: string): LookIndex {
    return new LookIndex(Buffer.from(packed, 'base64'));
  }

  /** The number of the first picture that looks the same; null if there is none. */
  find(look: Uint8Array): number | null {
    if (isFlat(look)) return null;
    const [sum, most] = [sumOf(look), meanTolerance * cells];
    let first: number | null = null;
    for (let i = this.#from(sum - most); i < this.#sums.length && this.#sums[i] <= sum + most; i++) {
      const place = this.#places[i];
      if ((first === null || place < first) && this.#isAlike(place, look)) first = place;
    }
    return first;
  }

  #isAlike(place: number, look: Uint8Array): boolean {
    let total = 0;
    for (let c = 0, at = place * cells; c < cells; c++, at++) {
      const difference = Math.abs(this.#looks[at] - look[c]);
      if (difference > cellTolerance) return false;
      total += difference;
    }
    return total <= meanTolerance * cells;
  }

  /** The first entry with at least this sum. */
  #from(sum: number): number {
    let [low, high] = [0, this.#sums.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sums[middle] < sum) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function sumOf(look: Uint8Array): number {
  return look.reduce((sum, value) => sum + value, 0);
}

function isFlat(look: Uint8Array): boolean {
  const mean = sumOf(look) / cells;
  const variance = look.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cells;
  return variance < leastContrast ** 2;
}
