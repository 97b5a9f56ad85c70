import type { Assembler, Pointer } from '../../kernels/assembler.js';
import { clearRow, copyRow } from '../../kernels/rows.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { float } from '../../kernels/tile.js';

/** Elements between neighbours, and between neighbours within a block of the axis. */
interface Stride {
  readonly outer: number;
  readonly inner: number;
}

/** One axis of a copy. */
export interface CopyAxis {
  readonly length: number;
  readonly from: Stride;
  readonly to: Stride;
  /** Elements of a block, on either side; 0 if the axis has no blocks. */
  readonly block: number;
}

interface Loop {
  readonly times: number;
  /** Elements per turn. */
  readonly from: number;
  readonly to: number;
}

/** A part of the copy: loops from a place on. */
interface Nest {
  readonly loops: readonly Loop[];
  readonly from: number;
  readonly to: number;
}

const single = (axis: CopyAxis): Loop => ({ times: axis.length, from: axis.from.outer, to: axis.to.outer });

/** Loops over an axis with blocks: whole blocks, and the elements behind them. */
function blockLoops({ length, from, to, block }: CopyAxis): Nest[] {
  const whole = Math.floor(length / block);
  const within = (stride: Stride, at: number) => (stride.inner > 0 ? at * stride.outer : at * block * stride.outer);
  const inside = (times: number): Loop => ({ times, from: from.inner || from.outer, to: to.inner || to.outer });
  const nests: Nest[] = [];
  if (whole > 0) {
    const outer = { times: whole, from: within(from, 1), to: within(to, 1) };
    nests.push({ loops: [outer, inside(block)], from: 0, to: 0 });
  }
  if (length % block > 0)
    nests.push({ loops: [inside(length % block)], from: within(from, whole), to: within(to, whole) });
  return nests;
}

/** All combinations of the parts of axes. */
function nestsOf(axes: readonly CopyAxis[]): Nest[] {
  const plain = axes.filter(({ block }) => block === 0).map(single);
  let nests: Nest[] = [{ loops: plain, from: 0, to: 0 }];
  for (const axis of axes.filter(({ block }) => block > 0)) {
    nests = nests.flatMap((nest) =>
      blockLoops(axis).map((part) => ({
        loops: [...nest.loops, ...part.loops],
        from: nest.from + part.from,
        to: nest.to + part.to,
      })),
    );
  }
  return nests;
}

/** Steps of the innermost loop that are written out. */
const mostUnrolled = 16;

function innermost(to: Assembler, loop: Loop, target: Pointer, source: Pointer): void {
  if (loop.from === 1 && loop.to === 1) {
    copyRow(to, target, source, loop.times);
    return;
  }
  to.scope(() => {
    const [at, from] = [to.pointer(target), to.pointer(source)];
    const move = (i: number) =>
      to.scope(() => to.storePart(to.loadPart(from, i * loop.from * float, 1), at, i * loop.to * float, 1));
    const turns = Math.floor(loop.times / mostUnrolled);
    to.repeat(turns, () => {
      for (let i = 0; i < mostUnrolled; i++) move(i);
      to.advance(at, mostUnrolled * loop.to * float);
      to.advance(from, mostUnrolled * loop.from * float);
    });
    for (let i = 0; i < loop.times % mostUnrolled; i++) move(i);
  });
}

/** Writes the loops; the one that writes neighbours, or else that reads them, comes last. */
function copyNest(to: Assembler, loops: readonly Loop[], target: Pointer, source: Pointer): void {
  const [loop, ...rest] = loops;
  if (rest.length === 0) {
    innermost(to, loop, target, source);
    return;
  }
  to.scope(() => {
    const [at, from] = [to.pointer(target), to.pointer(source)];
    to.repeat(loop.times, () => {
      copyNest(to, rest, at, from);
      to.advance(at, loop.to * float);
      to.advance(from, loop.from * float);
    });
  });
}

/** Larger steps come first: neighbours in memory are handled together. */
const bySteps = (a: Loop, b: Loop): number =>
  Math.min(b.from || b.to, b.to) - Math.min(a.from || a.to, a.to) || b.to - a.to;

export interface Copy {
  readonly axes: readonly CopyAxis[];
  /** First elements. */
  readonly from: number;
  readonly to: number;
  /** Elements of the whole target, to be set to 0 first; 0 if the copy writes all that matters. */
  readonly cleared: number;
}

/** Copies float32 numbers from one order to another. Operands: source, target. */
export function copyKernel(copy: Copy): TaskKernel {
  const axes = copy.axes.filter(({ length, block }) => length > 1 || block > 0);
  // The threads share the longest of the outer loops.
  const shared = copy.cleared > 0 ? undefined : sharedAxis(axes);
  const nests = nestsOf(axes.filter((axis) => axis !== shared));
  const tasks = shared?.length ?? 1;
  return {
    tasks,
    scratch: 0,
    emit: (to, [source, target], first, end) => {
      to.range(first, end, (task) => {
        const [at, from] = [to.pointer(target, copy.to * float), to.pointer(source, copy.from * float)];
        if (shared !== undefined) {
          to.advanceBy(at, task, shared.to.outer * float);
          to.advanceBy(from, task, shared.from.outer * float);
        }
        if (copy.cleared > 0) clearRow(to, target, copy.cleared);
        for (const nest of nests) {
          const loops = [...nest.loops].sort(bySteps);
          const one = { times: 1, from: 1, to: 1 };
          const [start, begin] = [to.pointer(at, nest.to * float), to.pointer(from, nest.from * float)];
          copyNest(to, loops.length === 0 ? [one] : loops, start, begin);
        }
      });
    },
  };
}

function sharedAxis(axes: readonly CopyAxis[]): CopyAxis | undefined {
  const outer = axes.filter(({ block, to, from }) => block === 0 && to.outer > 1 && from.outer !== 1);
  return outer.sort((a, b) => b.to.outer - a.to.outer)[0];
}
