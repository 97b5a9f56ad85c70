import type { Pool2dParams } from '../../../graph/op.js';
import type { Assembler, Integer, Pointer, Vector } from '../../kernels/assembler.js';
import { clearRow } from '../../kernels/rows.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { float } from '../../kernels/tile.js';
import type { AxisGather } from './axis.js';
import { type ChannelVector, groupBytes, groupsOf, ofGroup, overGroups } from './channels.js';
import { columnRuns } from './columns.js';

/** Pooling of features with their channels last. */
export interface PoolShape extends Pick<Pool2dParams, 'kernel' | 'stride' | 'padding'> {
  readonly images: number;
  readonly channels: number;
  /** Height, width. */
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
}

/** A place of the window. */
interface Tap {
  /** Number of the place within the window. */
  readonly index: number;
  /** The row of the input, at the leftmost column under the window. */
  readonly row: Pointer;
  /** From there to the place. */
  readonly bytes: number;
}

const columnsOf = ({ kernel, stride, padding, output }: PoolShape): AxisGather => ({
  ...{ start: 0, step: 1, count: output[1], stride: stride[1], taps: kernel[1], offset: -padding[2], tapStep: 1 },
  ...{ weight: 0, weightStep: 1 },
});

/** The window of one result: all of its places that are inside of the input. */
interface Window {
  /** The first row of the image, at the leftmost column under the window. */
  readonly image: Pointer;
  /** The first row under the window, which may be above the image. */
  readonly row: Integer;
  /** The columns of the window that are inside. */
  readonly columns: readonly number[];
}

/** Calls `body` for all places of a window. */
function overTaps(to: Assembler, shape: PoolShape, window: Window, body: (tap: Tap) => void): void {
  const { kernel, stride, padding, input, output, channels } = shape;
  const leaves = padding[0] > 0 || (output[0] - 1) * stride[0] + kernel[0] > input[0];
  for (let kh = 0; kh < kernel[0]; kh++) {
    to.scope(() => {
      const place = to.plus(window.row, kh);
      const ofRow = () => {
        const row = to.pointer(window.image);
        to.advanceBy(row, place, input[1] * channels * float);
        for (const kw of window.columns) {
          const bytes = (kw - window.columns[0]) * channels * float;
          to.scope(() => body({ index: kh * kernel[1] + kw, row, bytes }));
        }
      };
      // A place above the image is a large number, since integers have no sign.
      if (leaves) to.ifLess(place, input[0], ofRow);
      else ofRow();
    });
  }
}

/** Calls `body` for all results of one row of an image, with pointers that move from result to result. */
function overResults(
  to: Assembler,
  shape: PoolShape,
  row: Integer,
  image: Pointer,
  results: readonly Pointer[],
  body: (window: Window, results: readonly Pointer[]) => void,
): void {
  const { input, channels, stride, padding } = shape;
  const first = to.plus(to.times(row, stride[0]), -padding[0]);
  const axis = columnsOf(shape);
  const moved = results.map((pointer) => to.pointer(pointer));
  for (const { first: column, count, taps: columns } of columnRuns(axis, input[1])) {
    to.scope(() => {
      const left = Math.max(0, column * axis.stride + axis.offset);
      const window = to.pointer(image, left * channels * float);
      to.repeat(count, () => {
        body({ image: window, row: first, columns }, moved);
        to.advance(window, axis.stride * channels * float);
        for (const pointer of moved) to.advance(pointer, channels * float);
      });
    });
  }
}

/** A kernel with a task for each row of results. Operands: x, then arrays of results. */
function forwardKernel(
  shape: PoolShape,
  body: (
    to: Assembler,
    results: readonly Pointer[],
    vectors: readonly ChannelVector[],
    taps: (body: (tap: Tap) => void) => void,
  ) => void,
): TaskKernel {
  const { images, input, output, channels } = shape;
  return {
    tasks: images * output[0],
    scratch: 0,
    emit: (to, [x, ...results], firstTask, endTask) => {
      to.range(firstTask, endTask, (task) => {
        const image = to.pointer(x);
        to.advanceBy(image, to.quotient(task, output[0]), input[0] * input[1] * channels * float);
        const rows = results.map((result) => {
          const pointer = to.pointer(result);
          to.advanceBy(pointer, task, output[1] * channels * float);
          return pointer;
        });
        overResults(to, shape, to.remainder(task, output[0]), image, rows, (window, places) => {
          const moved = [window.image, ...places].map((pointer) => to.pointer(pointer));
          overGroups(
            to,
            channels,
            (vectors) => {
              const [image, ...targets] = moved;
              body(to, targets, vectors, (tap) => overTaps(to, shape, { ...window, image }, tap));
            },
            (bytes) => {
              for (const pointer of moved) to.advance(pointer, bytes);
            },
          );
        });
      });
    },
  };
}

/** A kernel with a task for each group of channels of an image. Operands: arrays of results, dx. */
function backwardKernel(
  shape: PoolShape,
  body: (
    to: Assembler,
    results: readonly Pointer[],
    vectors: readonly ChannelVector[],
    taps: (body: (tap: Tap) => void) => void,
  ) => void,
): TaskKernel {
  const { images, input, output, channels } = shape;
  const groups = groupsOf(channels);
  return {
    tasks: images * groups,
    scratch: 0,
    emit: (to, operands, firstTask, endTask) => {
      to.range(firstTask, endTask, (task) => {
        const [image, group] = [to.quotient(task, groups), to.remainder(task, groups)];
        const at = operands.map((operand, i) => {
          const size = i === operands.length - 1 ? input : output;
          const pointer = to.pointer(operand);
          to.advanceBy(pointer, image, size[0] * size[1] * channels * float);
          to.advanceBy(pointer, group, groupBytes(to));
          return pointer;
        });
        const [dx] = at.splice(-1);
        ofGroup(to, channels, group, (vectors) => {
          const cleared = to.pointer(dx);
          to.repeat(input[0] * input[1], () => {
            clearRow(
              to,
              cleared,
              vectors.reduce((sum, { lanes }) => sum + lanes, 0),
            );
            to.advance(cleared, channels * float);
          });
          const rows = at.map((pointer) => to.pointer(pointer));
          to.repeat(output[0], (turn) => {
            overResults(to, shape, turn, dx, rows, (window, places) => {
              body(to, places, vectors, (tap) => overTaps(to, shape, window, tap));
            });
            for (const pointer of rows) to.advance(pointer, output[1] * channels * float);
          });
        });
      });
    },
  };
}

/** Operands: x, y, and if wanted the number of the largest element within each window. */
export function maxPoolKernel(shape: PoolShape, places: boolean): TaskKernel {
  return forwardKernel(shape, (to, [y, positions], vectors, taps) => {
    const best = vectors.map(() => to.constant(Number.NEGATIVE_INFINITY));
    const found = vectors.map(() => to.zero());
    taps(({ index, row, bytes }) => {
      const number = places ? to.constant(index) : null;
      vectors.forEach((vector, v) => {
        to.scope(() => {
          const value = to.loadPart(row, bytes + vector.bytes, vector.lanes);
          // The first NaN wins: a number is not greater than it.
          const isNew = to.apply('or', to.compare('greater', value, best[v]), to.compare('notEqual', value, value));
          if (number !== null) to.assign(found[v], to.select(isNew, number, found[v]));
          to.assign(best[v], to.select(isNew, value, best[v]));
        });
      });
    });
    vectors.forEach((vector, v) => {
      to.storePart(best[v], y, vector.bytes, vector.lanes);
      if (places) to.storePart(found[v], positions, vector.bytes, vector.lanes);
    });
  });
}

/** Operands: dy, the numbers of the largest elements, dx. */
export function maxPoolBackwardKernel(shape: PoolShape): TaskKernel {
  return backwardKernel(shape, (to, [dy, positions], vectors, taps) => {
    const gradients = vectors.map(({ bytes, lanes }) => to.loadPart(dy, bytes, lanes));
    const places = vectors.map(({ bytes, lanes }) => to.loadPart(positions, bytes, lanes));
    taps(({ index, row, bytes }) => {
      const number = to.constant(index);
      addAt(to, row, bytes, vectors, (v) => to.apply('and', gradients[v], to.compare('equal', places[v], number)));
    });
  });
}

/** Adds to the gradients of one pixel. */
function addAt(
  to: Assembler,
  row: Pointer,
  place: number,
  vectors: readonly ChannelVector[],
  value: (v: number) => Vector,
): void {
  vectors.forEach(({ bytes, lanes }, v) => {
    to.scope(() => {
      const sum = to.apply('add', to.loadPart(row, place + bytes, lanes), value(v));
      to.storePart(sum, row, place + bytes, lanes);
    });
  });
}

/** The number of elements that a mean divides by. */
function divisorOf(
  to: Assembler,
  { kernel }: PoolShape,
  includesPadding: boolean,
  taps: (body: (tap: Tap) => void) => void,
): Vector {
  if (includesPadding) return to.constant(kernel[0] * kernel[1]);
  const count = to.zero();
  taps(() => to.applyTo(count, 'add', count, to.constant(1)));
  return count;
}

/** Operands: x, y. */
export function avgPoolKernel(shape: PoolShape, includesPadding: boolean): TaskKernel {
  return forwardKernel(shape, (to, [y], vectors, taps) => {
    const divisor = divisorOf(to, shape, includesPadding, taps);
    const sums = vectors.map(() => to.zero());
    taps(({ row, bytes }) => {
      vectors.forEach((vector, v) => {
        to.scope(() => {
          to.applyTo(sums[v], 'add', sums[v], to.loadPart(row, bytes + vector.bytes, vector.lanes));
        });
      });
    });
    vectors.forEach((vector, v) => {
      to.storePart(to.apply('div', sums[v], divisor), y, vector.bytes, vector.lanes);
    });
  });
}

/** Operands: dy, dx. */
export function avgPoolBackwardKernel(shape: PoolShape, includesPadding: boolean): TaskKernel {
  return backwardKernel(shape, (to, [dy], vectors, taps) => {
    const divisor = divisorOf(to, shape, includesPadding, taps);
    const shares = vectors.map(({ bytes, lanes }) => to.apply('div', to.loadPart(dy, bytes, lanes), divisor));
    taps(({ row, bytes }) => addAt(to, row, bytes, vectors, (v) => shares[v]));
  });
}
