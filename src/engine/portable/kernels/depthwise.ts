import type { Assembler, Integer, Pointer, Vector } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { balanced, float } from '../../kernels/tile.js';
import { activate } from './activation.js';
import type { AxisGather, GatherSizes } from './axis.js';
import { columnRuns, inRow, leftmost, widest } from './columns.js';

/**
 * A convolution of each channel by itself, in either direction, as sums over places of the input. Features
 * have their channels last; the weights are `[kh][kw][channels]`.
 */
export interface DepthwiseGather extends GatherSizes {
  readonly channels: number;
}

/** Pixels of a tile: enough to use each input and each weight several times. */
const mostPixels = 6;

/**
 * Operands: input, weights, bias if there is one, summand if there is one, output. A task is a row of the
 * output for every phase of the rows.
 */
export function depthwiseKernel(shape: DepthwiseGather): TaskKernel {
  const { images, channels, input, output, rows, cols } = shape;
  const most = Math.max(...rows.map(({ count }) => count));
  const pixelBytes = channels * float;
  return {
    tasks: images * most,
    scratch: 0,
    emit: (to, operands, first, end) => {
      const list = [...operands];
      const take = (exists = true) => (exists ? (list.shift() as Pointer) : null);
      const [x, weights] = [take() as Pointer, take() as Pointer];
      const [bias, summand, y] = [take(shape.bias), take(shape.summand), take() as Pointer];
      to.range(first, end, (task) => {
        const [image, turn] = [to.quotient(task, most), to.remainder(task, most)];
        const from = to.pointer(x);
        to.advanceBy(from, image, input[0] * input[1] * pixelBytes);
        for (const row of rows) {
          const ofRow = () => {
            const firstInput = to.plus(to.times(turn, row.stride), row.offset);
            const targets = [y, summand].map((start) => {
              if (start === null) return null;
              const pointer = to.pointer(start, row.start * output[1] * pixelBytes);
              to.advanceBy(pointer, image, output[0] * output[1] * pixelBytes);
              to.advanceBy(pointer, turn, row.step * output[1] * pixelBytes);
              return pointer;
            });
            for (const col of cols)
              overColumns(to, shape, { row, col, firstInput, input: from, targets, weights, bias });
          };
          if (row.count === most) to.scope(ofRow);
          else to.ifLess(turn, row.count, ofRow);
        }
      });
    },
  };
}

interface Row {
  readonly row: AxisGather;
  readonly col: AxisGather;
  /** Number of the input row under the first tap, which may be outside. */
  readonly firstInput: Integer;
  /** The image; within a row, the first column that a tile uses. */
  readonly input: Pointer;
  /** The beginning of the row of the output, and of the summand if there is one. */
  readonly targets: readonly (Pointer | null)[];
  readonly weights: Pointer;
  readonly bias: Pointer | null;
}

/** All pixels of a row. */
function overColumns(to: Assembler, shape: DepthwiseGather, at: Row): void {
  const { col, input, targets } = at;
  const pixelBytes = shape.channels * float;
  for (const { first, count, taps } of columnRuns(col, shape.input[1])) {
    to.scope(() => {
      const from = to.pointer(input, (first * col.stride + col.offset + leftmost(col, taps)) * pixelBytes);
      const moved = targets.map((target) =>
        target === null ? null : to.pointer(target, (col.start + first * col.step) * pixelBytes),
      );
      for (const { size, times } of balanced(count, widest(to, taps.length, mostPixels))) {
        to.repeat(times, () => {
          overChannels(to, shape, { ...at, input: from, targets: moved }, taps, size);
          to.advance(from, size * col.stride * pixelBytes);
          for (const pointer of moved) if (pointer !== null) to.advance(pointer, size * col.step * pixelBytes);
        });
      }
    });
  }
}

/** All channels of some neighbouring pixels, whose columns of the window are `taps`. */
function overChannels(to: Assembler, shape: DepthwiseGather, at: Row, taps: readonly number[], pixels: number): void {
  const { channels, kernel, input } = shape;
  const { row, col, targets, firstInput } = at;
  const pixelBytes = channels * float;
  const [x, w, bias, ...results] = [at.input, at.weights, at.bias, ...targets].map((pointer) =>
    pointer === null ? null : to.pointer(pointer),
  );
  const step = (lanes: number) => {
    const sums = Array.from({ length: pixels }, () => (bias === null ? to.zero() : to.loadPart(bias, 0, lanes)));
    for (let t = 0; t < row.taps; t++) {
      const place = to.plus(firstInput, t * row.tapStep);
      // A place above the image is a large number, since integers have no sign.
      to.ifLess(place, input[0], () => {
        const from = to.pointer(x as Pointer);
        to.advanceBy(from, place, input[1] * pixelBytes);
        const weightRow = (row.weight + t * row.weightStep) * kernel[1] + col.weight;
        const factors = taps.map((tap) =>
          to.loadPart(w as Pointer, (weightRow + tap * col.weightStep) * pixelBytes, lanes),
        );
        for (const { place, uses } of inRow(pixels, col, taps)) {
          to.scope(() => {
            const value = to.loadPart(from, place * pixelBytes, lanes);
            for (const { pixel, tap } of uses) to.addProduct(sums[pixel], value, factors[tap]);
          });
        }
      });
    }
    const [target, added] = results;
    sums.forEach((sum: Vector, pixel) => {
      to.scope(() => {
        const bytes = pixel * col.step * pixelBytes;
        if (added !== null) to.applyTo(sum, 'add', sum, to.loadPart(added, bytes, lanes));
        const result = shape.activation === undefined ? sum : activate(to, shape.activation, sum);
        to.storePart(result, target as Pointer, bytes, lanes);
      });
    });
  };
  to.repeat(Math.floor(channels / to.lanes), () => {
    step(to.lanes);
    for (const pointer of [x, w, bias, ...results]) if (pointer !== null) to.advance(pointer, to.lanes * float);
  });
  if (channels % to.lanes > 0) to.scope(() => step(channels % to.lanes));
}
