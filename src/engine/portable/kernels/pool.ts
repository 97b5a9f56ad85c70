import type { Pool2dParams } from '../../../graph/op.js';
import type { Assembler, Integer, Pointer, Vector } from '../assembler.js';
import { type ChannelVector, groupBytes, groupsOf, ofGroup, overGroups } from './channels.js';
import type { TaskKernel } from './conv.js';
import { clearRow } from './rows.js';
import { float } from './tile.js';

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
  /** From the first place of the window. */
  readonly bytes: number;
}

/** Calls `body` for all places of a window that are inside of the input, which begins at row and column. */
function overTaps(to: Assembler, shape: PoolShape, row: Integer, column: Integer, body: (tap: Tap) => void): void {
  const { kernel, stride, padding, input, output, channels } = shape;
  const leaves = (axis: 0 | 1) =>
    padding[2 * axis] > 0 || (output[axis] - 1) * stride[axis] + kernel[axis] > input[axis];
  // A negative place is a large one, since integers have no sign.
  const inside = (axis: 0 | 1, first: Integer, k: number, then: () => void) => {
    if (leaves(axis)) to.ifLess(to.plus(first, k), input[axis], then);
    else then();
  };
  for (let kh = 0; kh < kernel[0]; kh++) {
    to.scope(() =>
      inside(0, row, kh, () => {
        for (let kw = 0; kw < kernel[1]; kw++) {
          const tap = { index: kh * kernel[1] + kw, bytes: (kh * input[1] + kw) * channels * float };
          to.scope(() => inside(1, column, kw, () => to.scope(() => body(tap))));
        }
      }),
    );
  }
}

/** The first place of a window: `index·stride − padding`. */
function windowStart(to: Assembler, { stride, padding }: PoolShape, axis: 0 | 1, index: Integer): Integer {
  return to.plus(to.times(index, stride[axis]), -padding[2 * axis]);
}

/** Calls `body` for all results of one row of an image, with pointers that move from result to result. */
function overResults(
  to: Assembler,
  shape: PoolShape,
  row: Integer,
  image: Pointer,
  results: readonly Pointer[],
  body: (window: Pointer, results: readonly Pointer[], row: Integer, column: Integer) => void,
): void {
  const { input, output, channels, stride, padding } = shape;
  const first = windowStart(to, shape, 0, row);
  const window = to.pointer(image, -padding[2] * channels * float);
  to.advanceBy(window, first, input[1] * channels * float);
  const moved = results.map((pointer) => to.pointer(pointer));
  to.repeat(output[1], (turn) => {
    body(window, moved, first, windowStart(to, shape, 1, turn));
    to.advance(window, stride[1] * channels * float);
    for (const pointer of moved) to.advance(pointer, channels * float);
  });
}

/** A kernel with a task for each row of results. Operands: x, then arrays of results. */
function forwardKernel(
  shape: PoolShape,
  body: (
    to: Assembler,
    window: Pointer,
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
        overResults(to, shape, to.remainder(task, output[0]), image, rows, (window, places, row, column) => {
          const moved = [window, ...places].map((pointer) => to.pointer(pointer));
          overGroups(
            to,
            channels,
            (vectors) => {
              const [from, ...targets] = moved;
              body(to, from, targets, vectors, (tap) => overTaps(to, shape, row, column, tap));
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
    window: Pointer,
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
            overResults(to, shape, turn, dx, rows, (window, places, row, column) => {
              body(to, places, window, vectors, (tap) => overTaps(to, shape, row, column, tap));
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
  return forwardKernel(shape, (to, window, [y, positions], vectors, taps) => {
    const best = vectors.map(() => to.constant(Number.NEGATIVE_INFINITY));
    const found = vectors.map(() => to.zero());
    taps(({ index, bytes }) => {
      const number = places ? to.constant(index) : null;
      vectors.forEach((vector, v) => {
        to.scope(() => {
          const value = to.loadPart(window, bytes + vector.bytes, vector.lanes);
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
  return backwardKernel(shape, (to, [dy, positions], window, vectors, taps) => {
    const gradients = vectors.map(({ bytes, lanes }) => to.loadPart(dy, bytes, lanes));
    const places = vectors.map(({ bytes, lanes }) => to.loadPart(positions, bytes, lanes));
    taps(({ index, bytes }) => {
      const number = to.constant(index);
      addAt(to, window, bytes, vectors, (v) => to.apply('and', gradients[v], to.compare('equal', places[v], number)));
    });
  });
}

/** Adds to the gradients of one pixel. */
function addAt(
  to: Assembler,
  window: Pointer,
  place: number,
  vectors: readonly ChannelVector[],
  value: (v: number) => Vector,
): void {
  vectors.forEach(({ bytes, lanes }, v) => {
    to.scope(() => {
      const sum = to.apply('add', to.loadPart(window, place + bytes, lanes), value(v));
      to.storePart(sum, window, place + bytes, lanes);
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
  return forwardKernel(shape, (to, window, [y], vectors, taps) => {
    const divisor = divisorOf(to, shape, includesPadding, taps);
    const sums = vectors.map(() => to.zero());
    taps(({ bytes }) => {
      vectors.forEach((vector, v) => {
        to.scope(() => {
          to.applyTo(sums[v], 'add', sums[v], to.loadPart(window, bytes + vector.bytes, vector.lanes));
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
  return backwardKernel(shape, (to, [dy], window, vectors, taps) => {
    const divisor = divisorOf(to, shape, includesPadding, taps);
    const shares = vectors.map(({ bytes, lanes }) => to.apply('div', to.loadPart(dy, bytes, lanes), divisor));
    taps(({ bytes }) => addAt(to, window, bytes, vectors, (v) => shares[v]));
  });
}
