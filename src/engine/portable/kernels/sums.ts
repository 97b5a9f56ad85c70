import type { Assembler, Integer, Pointer } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { float } from '../../kernels/tile.js';
import { type ChannelVector, groupBytes, groupsOf, ofGroup } from './channels.js';

/** Rows whose numbers are added before their sum is added to the rest, which keeps rounding errors small. */
const rowsAtOnce = 64;

/** Matrices `[matrices, rows, columns]`, with a task for a group of columns of one of them. */
export interface Matrices {
  readonly matrices: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Code for each task. `body` gets the operands at the first row, which have all rows (`whole`) or one for
 * each matrix.
 */
export function ofColumns(
  { matrices, rows, columns }: Matrices,
  whole: readonly boolean[],
  body: (to: Assembler, at: readonly Pointer[], vectors: readonly ChannelVector[]) => void,
): TaskKernel {
  const groups = groupsOf(columns);
  return {
    tasks: matrices * groups,
    scratch: 0,
    emit: (to, operands, first, end) => {
      to.range(first, end, (task) => {
        const [matrix, group]: Integer[] = [to.quotient(task, groups), to.remainder(task, groups)];
        const at = operands.map((operand, i) => {
          const pointer = to.pointer(operand);
          to.advanceBy(pointer, matrix, (whole[i] ? rows : 1) * columns * float);
          to.advanceBy(pointer, group, groupBytes(to));
          return pointer;
        });
        ofGroup(to, columns, group, (vectors) => body(to, at, vectors));
      });
    },
  };
}

/** Sums of the columns, times a factor. Operands: matrices, sums `[matrices, columns]`. */
export function columnSums(shape: Matrices, factor = 1): TaskKernel {
  const { rows, columns } = shape;
  return ofColumns(shape, [true, false], (to, [from, target], vectors) => {
    const totals = vectors.map(() => to.zero());
    const addRows = (times: number) =>
      to.scope(() => {
        const parts = vectors.map(() => to.zero());
        to.repeat(times, () => {
          vectors.forEach(({ bytes, lanes }, v) => {
            to.scope(() => to.applyTo(parts[v], 'add', parts[v], to.loadPart(from, bytes, lanes)));
          });
          to.advance(from, columns * float);
        });
        totals.forEach((total, v) => {
          to.applyTo(total, 'add', total, parts[v]);
        });
      });
    to.repeat(Math.floor(rows / rowsAtOnce), () => addRows(rowsAtOnce));
    addRows(rows % rowsAtOnce);
    const scale = factor === 1 ? null : to.constant(factor);
    vectors.forEach(({ bytes, lanes }, v) => {
      to.scope(() =>
        to.storePart(scale === null ? totals[v] : to.apply('mul', totals[v], scale), target, bytes, lanes),
      );
    });
  });
}

/** Copies a row to all rows of its matrix, times a factor. Operands: rows `[matrices, columns]`, matrices. */
export function copiedRows(shape: Matrices, factor: number): TaskKernel {
  return ofColumns(shape, [false, true], (to, [from, target], vectors) => {
    const scale = to.constant(factor);
    const values = vectors.map(({ bytes, lanes }) => to.apply('mul', to.loadPart(from, bytes, lanes), scale));
    to.repeat(shape.rows, () => {
      vectors.forEach(({ bytes, lanes }, v) => {
        to.storePart(values[v], target, bytes, lanes);
      });
      to.advance(target, shape.columns * float);
    });
  });
}
