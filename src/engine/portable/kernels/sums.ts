import type { TaskKernel } from './conv.js';
import { float } from './tile.js';

/** Rows whose numbers are added before their sum is added to the rest, which keeps rounding errors small. */
const rowsAtOnce = 64;

/** Sums of the columns of a matrix `[rows, columns]`. Operands: matrix, sums. */
export function columnSums(rows: number, columns: number): TaskKernel {
  const lanes = 4;
  return {
    tasks: Math.ceil(columns / lanes),
    scratch: 0,
    emit: (to, [matrix, sums], first, end) => {
      const tail = columns % to.lanes;
      const column = (count: number) => (task: Parameters<Parameters<typeof to.range>[2]>[0]) => {
        const [from, target] = [to.pointer(matrix), to.pointer(sums)];
        to.advanceBy(from, task, to.lanes * float);
        to.advanceBy(target, task, to.lanes * float);
        const total = to.zero();
        const addRows = (times: number) => {
          const part = to.zero();
          to.repeat(times, () => {
            to.applyTo(part, 'add', part, to.loadPart(from, 0, count));
            to.advance(from, columns * float);
          });
          to.applyTo(total, 'add', total, part);
        };
        to.repeat(Math.floor(rows / rowsAtOnce), () => addRows(rowsAtOnce));
        addRows(rows % rowsAtOnce);
        to.storePart(total, target, 0, count);
      };
      to.range(first, end, (task) => {
        if (tail === 0) column(to.lanes)(task);
        else
          to.ifLess(
            task,
            Math.floor(columns / to.lanes),
            () => column(to.lanes)(task),
            () => column(tail)(task),
          );
      });
    },
  };
}
