import { type AxisTaps, runsOf } from '../../planned/windowTaps.js';
import type { Assembler } from './assembler.js';
import { bytesOf, type FeatureLayout, vectorBytesOf, vectorsOf } from './featureLayout.js';
import type { Label } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadNumber, loadOperand, scratch, type Task } from './kernel.js';

/** Smaller tasks would cost more time to fetch than they save. */
const bytesPerTask = 64 * 1024;

/** A position in the window, and its distance on the other side in bytes. */
export interface Tap {
  readonly position: number;
  readonly other: number;
}

/**
 * Writes the code for the vectors of results that are processed together ({@link vectorsOf}), at offset
 * `own`. Offsets are in bytes of features. Numbers of window positions take one byte for each element.
 */
export type Body = (to: Assembler, taps: readonly Tap[], own: number) => void;

export interface Side {
  readonly layout: FeatureLayout;
  /** For each axis, the number of pixels on this side after which the pattern of windows repeats. */
  readonly step: readonly [number, number];
}

export interface SlidingWindow {
  /** The side of the results. */
  readonly own: Side;
  readonly other: Side;
  readonly rows: readonly AxisTaps[];
  readonly columns: readonly AxisTaps[];
  readonly kernelWidth: number;
  /** The side whose elements have numbers of window positions, if any. */
  readonly index: 'own' | 'other' | null;
  readonly prepare: (to: Assembler) => void;
  readonly body: Body;
}

/**
 * Registers with the operands of the {@link Body}. The others below are counters that it must not change.
 */
export const [ownAt, otherAt, indexAt] = scratch;
const [, , , rowCount, columnCount, channelCount] = scratch;

/**
 * Code that computes all results of a sliding window. Its operands are the results, the other side and, if
 * there are any, the numbers of window positions. Edges of the picture have code of their own, so that the
 * code needs no branches for them.
 */
export function slidingWindow(walk: SlidingWindow): KernelCode {
  const { own, other, rows, columns, kernelWidth, index, prepare, body } = walk;
  const pointers = index === null ? [ownAt, otherAt] : [ownAt, otherAt, indexAt];
  const size = bytesOf(own.layout);
  const pixel = own.layout.channels * size;
  const vectors = vectorsOf(own.layout);
  const group = vectors * vectorBytesOf(own.layout);
  const groups = pixel / group;
  const ownRow = own.layout.columns * pixel;
  const otherRow = other.layout.columns * pixel;
  const columnRuns = runsOf(columns, own.step[1], other.step[1]);

  const distances = (byOwn: number, byOther: number) => {
    return index === null ? [byOwn, byOther] : [byOwn, byOther, (index === 'own' ? byOwn : byOther) / size];
  };
  const advance = (to: Assembler, byOwn: number, byOther: number) => {
    distances(byOwn, byOther).forEach((bytes, i) => {
      to.addConstant(pointers[i], bytes);
    });
  };

  /** The routine for all rows with the same windows. */
  const rowRoutine = (to: Assembler, row: AxisTaps): Label => {
    const [routine, nextRow] = [to.label(), to.label()];
    to.bind(routine);
    pointers.forEach((pointer, i) => {
      loadOperand(to, pointer, i, i);
    });
    loadNumber(to, rowCount, pointers.length);
    to.bind(nextRow);
    // The distance of the pointers from the start of the row.
    const moved = { own: 0, other: 0 };
    const results = (column: number) => {
      const taps = row.flatMap(({ k, other }) =>
        columns[column].map((at) => ({
          position: k * kernelWidth + at.k,
          other: other * otherRow + at.other * pixel - moved.other,
        })),
      );
      const place = column * pixel - moved.own;
      if (groups === 1) {
        body(to, taps, place);
        return;
      }
      to.repeat(channelCount, groups, () => {
        body(to, taps, place);
        advance(to, group, group);
      });
      moved.own += pixel;
      moved.other += pixel;
    };
    for (const { start, block, count } of columnRuns) {
      const before = { ...moved };
      const [byOwn, byOther] = [block * pixel, other.step[1] * pixel];
      to.repeat(columnCount, count, () => {
        for (let i = 0; i < block; i++) results(start + i);
        if (count === 1) return;
        advance(to, before.own + byOwn - moved.own, before.other + byOther - moved.other);
      });
      if (count === 1) continue;
      moved.own = before.own + count * byOwn;
      moved.other = before.other + count * byOther;
    }
    advance(to, own.step[0] * ownRow - moved.own, other.step[0] * otherRow - moved.other);
    to.decrement(rowCount);
    to.jump(nextRow, 'notZero');
    to.ret();
    return routine;
  };

  const rowsPerTask = Math.max(1, Math.ceil(bytesPerTask / Math.max(own.step[0] * ownRow, other.step[0] * otherRow)));
  return kernelCode(
    own.layout.lanes,
    (to) => {
      const tasks: Task[] = [];
      for (const { start, block, count } of runsOf(rows, own.step[0], other.step[0])) {
        for (let i = start; i < start + block; i++) {
          const routine = rowRoutine(to, rows[i]);
          for (let plane = 0; plane < own.layout.planes; plane++) {
            for (let done = 0; done < count; done += rowsPerTask) {
              const ownOffset = (plane * own.layout.rows + i + done * block) * ownRow;
              const otherOffset = (plane * other.layout.rows + done * other.step[0]) * otherRow;
              const times = Math.min(rowsPerTask, count - done);
              tasks.push({ routine, numbers: [...distances(ownOffset, otherOffset), times] });
            }
          }
        }
      }
      return [tasks];
    },
    { prepare },
  );
}
