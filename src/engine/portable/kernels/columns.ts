import type { Assembler } from '../../kernels/assembler.js';
import type { AxisGather } from './axis.js';

/** Neighbouring outputs of an axis whose windows have the same taps inside of the input. */
export interface ColumnRun {
  readonly first: number;
  readonly count: number;
  readonly taps: readonly number[];
}

/** The outputs of an axis in runs: those at the edges have fewer taps. */
export function columnRuns(col: AxisGather, size: number): ColumnRun[] {
  const runs: { first: number; count: number; taps: number[] }[] = [];
  for (let i = 0; i < col.count; i++) {
    const taps = Array.from({ length: col.taps }, (_, t) => t).filter((t) => {
      const place = i * col.stride + col.offset + t * col.tapStep;
      return place >= 0 && place < size;
    });
    const last = runs.at(-1);
    if (last !== undefined && String(last.taps) === String(taps)) last.count++;
    else runs.push({ first: i, count: 1, taps });
  }
  return runs;
}

/** The place of the leftmost tap, from the first one on. */
export function leftmost({ tapStep }: AxisGather, taps: readonly number[]): number {
  return taps.length === 0 ? 0 : Math.min(...taps.map((t) => t * tapStep));
}

/** An input of a row, by its place from the {@link leftmost} tap of the first pixel on, and its sums. */
export interface RowInput {
  readonly place: number;
  /** `tap` is an index of the taps that were given. */
  readonly uses: readonly { readonly pixel: number; readonly tap: number }[];
}

/** All inputs of a row that some neighbouring pixels use, each once. */
export function inRow(pixels: number, col: AxisGather, taps: readonly number[]): RowInput[] {
  const first = leftmost(col, taps);
  const uses = new Map<number, { pixel: number; tap: number }[]>();
  for (let pixel = 0; pixel < pixels; pixel++) {
    taps.forEach((t, tap) => {
      const place = pixel * col.stride + t * col.tapStep - first;
      uses.set(place, [...(uses.get(place) ?? []), { pixel, tap }]);
    });
  }
  return [...uses].map(([place, ofPlace]) => ({ place, uses: ofPlace })).sort((a, b) => a.place - b.place);
}

/** Pixels whose vectors stay in registers beside those of a row of the window, one input and one product. */
export function widest({ registers }: Assembler, taps: number, most: number): number {
  return Math.max(1, Math.min(most, registers - taps - 2));
}
