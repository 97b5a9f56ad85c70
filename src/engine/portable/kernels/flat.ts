import type { Assembler, Pointer, Vector } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { float } from '../../kernels/tile.js';

/** Arithmetic on every element of some arrays. */
export interface Flat {
  /** Elements of each array. */
  readonly count: number;
  /** Arrays that are read, and arrays that are written; they may be the same. */
  readonly reads: number;
  readonly writes: number;
  /** Arrays of a few numbers that all elements share: how many each has. */
  readonly scalars?: readonly number[];
  /** Code that runs once a task, from the shared numbers to the values that {@link body} gets. */
  readonly prepare?: (to: Assembler, scalars: readonly Vector[]) => readonly Vector[];
  /** New contents of the arrays that are written. */
  readonly body: (to: Assembler, values: readonly Vector[], prepared: readonly Vector[]) => readonly Vector[];
}

/** Elements of a task, which takes some microseconds. */
const perTask = 4096;

/** Vectors that one turn of the loop takes. */
const unrolled = 2;

/** A kernel over arrays in one order. Operands: arrays to read, shared numbers, arrays to write. */
export function flatKernel({ count, reads, writes, scalars = [], prepare, body }: Flat): TaskKernel {
  return {
    tasks: Math.ceil(count / perTask),
    scratch: 0,
    emit: (to, operands, first, end) => {
      const singles = scalars.flatMap((length, i) =>
        Array.from({ length }, (_, at) => to.broadcast(operands[reads + i], at * float)),
      );
      const prepared = prepare === undefined ? singles : prepare(to, singles);
      const arrays = [
        ...operands.slice(0, reads),
        ...operands.slice(reads + scalars.length, reads + scalars.length + writes),
      ];
      const step = (at: readonly Pointer[], bytes: number, lanes: number) =>
        to.scope(() => {
          const values = at.slice(0, reads).map((pointer) => to.loadPart(pointer, bytes, lanes));
          const results = body(to, values, prepared);
          results.forEach((result, i) => {
            to.storePart(result, at[reads + i], bytes, lanes);
          });
        });
      const chunk = (at: readonly Pointer[], length: number) => {
        const turnBytes = unrolled * to.lanes * float;
        const turns = Math.floor(length / (unrolled * to.lanes));
        to.repeat(turns, () => {
          for (let i = 0; i < unrolled; i++) step(at, i * to.lanes * float, to.lanes);
          for (const pointer of at) to.advance(pointer, turnBytes);
        });
        const rest = length - turns * unrolled * to.lanes;
        for (let done = 0; done < rest; done += to.lanes) step(at, done * float, Math.min(to.lanes, rest - done));
      };
      to.range(first, end, (task) => {
        const at = arrays.map((array) => {
          const pointer = to.pointer(array);
          to.advanceBy(pointer, task, perTask * float);
          return pointer;
        });
        const [whole, rest] = [Math.floor(count / perTask), count % perTask];
        if (rest === 0) chunk(at, perTask);
        else if (whole === 0) chunk(at, rest);
        else
          to.ifLess(
            task,
            whole,
            () => chunk(at, perTask),
            () => chunk(at, rest),
          );
      });
    },
  };
}
