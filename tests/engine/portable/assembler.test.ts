import { describe, expect, it } from 'vitest';
import type { Assembler, Comparison, Emit, Vector, VectorOp } from '../../../src/engine/kernels/assembler.js';
import { Heap } from '../../../src/engine/portable/heap.js';
import { assembleWasm } from '../../../src/engine/portable/wasm/assembler.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import { webAssembly } from '../../../src/engine/portable/wasm/webAssembly.js';

const heap = new Heap(false);
const target = wasmTarget(heap.limits);
if (target === null) throw new Error('this machine has no WebAssembly with vectors');

const float = Float32Array.BYTES_PER_ELEMENT;

/** The first `length` numbers of the last operand after the kernel has run; the arrays come before it. */
function run(arrays: readonly (readonly number[])[], length: number, emit: Emit, tasks = [0, 1]): number[] {
  const sizes = [...arrays.map((array) => array.length), length + 8];
  const places = sizes.map((size) => heap.allocate(size * float));
  const view = (i: number) => new Float32Array(heap.memory.buffer as ArrayBuffer, places[i], sizes[i]);
  arrays.forEach((array, i) => {
    view(i).set(array);
  });
  view(arrays.length).fill(-1);
  const code = assembleWasm(places.length, emit, target as NonNullable<typeof target>);
  const { exports } = new webAssembly.Instance(new webAssembly.Module(code), { env: { memory: heap.memory } });
  exports.run(...places, ...tasks);
  const result = [...view(arrays.length)];
  places.forEach((place, i) => {
    heap.free(place, sizes[i] * float);
  });
  // Nothing behind the result is overwritten.
  expect(result.slice(length)).toEqual(new Array(8).fill(-1));
  return result.slice(0, length);
}

const [a, b] = [
  [1, -2, 3.5, Number.NaN],
  [2, -2, Number.NaN, 4],
];

const binary = (compute: (to: Assembler, a: Vector, b: Vector) => Vector) =>
  run([a, b], 4, (to, [x, y, z]) => to.store(compute(to, to.load(x), to.load(y)), z));

describe('vectors', () => {
  it.each([
    ['add', [3, -4, Number.NaN, Number.NaN]],
    ['sub', [-1, 0, Number.NaN, Number.NaN]],
    ['mul', [2, 4, Number.NaN, Number.NaN]],
    ['div', [0.5, 1, Number.NaN, Number.NaN]],
    ['max', [2, -2, 3.5, Number.NaN]],
    ['min', [1, -2, 3.5, Number.NaN]],
  ] as const satisfies readonly (readonly [VectorOp, readonly number[]])[])('%s', (op, expected) => {
    expect(binary((to, x, y) => to.apply(op, x, y))).toEqual(expected);
  });

  it.each([
    ['equal', [0, 1, 0, 0]],
    ['notEqual', [1, 0, 1, 1]],
    ['greater', [0, 0, 0, 0]],
    ['greaterEqual', [0, 1, 0, 0]],
    ['less', [1, 0, 0, 0]],
    ['lessEqual', [1, 1, 0, 0]],
  ] as const satisfies readonly (readonly [Comparison, readonly number[]])[])('%s', (fn, expected) => {
    expect(binary((to, x, y) => to.select(to.compare(fn, x, y), to.constant(1), to.zero()))).toEqual(expected);
  });

  it('multiplies and adds', () => {
    const result = binary((to, x, y) => {
      const sum = to.copy(to.constant(10));
      to.addProduct(sum, x, y);
      return sum;
    });
    expect(result).toEqual([12, 14, Number.NaN, Number.NaN]);
  });

  it('computes functions of one number', () => {
    const of = (fn: Parameters<Assembler['call']>[0]) =>
      run([[2.25, -1.5, 2.5, -0.25]], 4, (to, [x, y]) => to.store(to.call(fn, to.load(x)), y));
    expect(of('abs')).toEqual([2.25, 1.5, 2.5, 0.25]);
    expect(of('neg')).toEqual([-2.25, 1.5, -2.5, 0.25]);
    expect(of('sqrt')).toEqual([1.5, Number.NaN, Math.fround(Math.sqrt(2.5)), Number.NaN]);
    // Halfway cases become even.
    expect(of('round')).toEqual([2, -2, 2, -0]);
    expect(run([[0, 1, -126, 127]], 4, (to, [x, y]) => to.store(to.powerOfTwo(to.load(x)), y))).toEqual([
      1,
      2,
      2 ** -126,
      2 ** 127,
    ]);
    expect(run([[1, 2, 3, 4]], 4, (to, [x, y]) => to.store(to.sumOfLanes(to.load(x)), y))).toEqual([10, 10, 10, 10]);
  });

  it.each([1, 2, 3, 4])('loads and stores %i lanes', (count) => {
    const values = [1, 2, 3, 4];
    expect(run([values], count, (to, [x, y]) => to.storePart(to.load(x), y, 0, count))).toEqual(values.slice(0, count));
    expect(run([values], 4, (to, [x, y]) => to.store(to.loadPart(x, 0, count), y))).toEqual(
      values.map((value, i) => (i < count ? value : 0)),
    );
  });

  it('broadcasts, also from before a pointer', () => {
    const emit: Emit = (to, [x, y]) => to.store(to.broadcast(to.pointer(x, 12), -4), y);
    expect(run([[1, 2, 3, 4]], 4, emit)).toEqual([3, 3, 3, 3]);
  });
});

describe('loops and integers', () => {
  it.each([0, 1, 2, 7])('repeats %i times', (times) => {
    const emit: Emit = (to, [y]) => {
      const sum = to.zero();
      to.repeat(times, () => to.applyTo(sum, 'add', sum, to.constant(1)));
      to.store(sum, y);
    };
    expect(run([], 4, emit)).toEqual(new Array(4).fill(times));
  });

  it('walks over the tasks that it is given', () => {
    const emit: Emit = (to, [y], first, end) => {
      to.range(first, end, (task) => {
        const at = to.pointer(y);
        to.advanceBy(at, task, float);
        to.storePart(to.constant(5), at, 0, 1);
      });
    };
    expect(run([], 6, emit, [2, 5])).toEqual([-1, -1, 5, 5, 5, -1]);
    expect(run([], 3, emit, [2, 2])).toEqual([-1, -1, -1]);
  });

  it('divides, and distinguishes numbers below a bound', () => {
    // Row and column of each place in a grid of 3 columns; the last column is marked.
    const emit: Emit = (to, [y], first, end) => {
      to.range(first, end, (task) => {
        const at = to.pointer(y);
        to.advanceBy(at, to.sum(to.times(to.quotient(task, 3), 3), to.remainder(task, 3)), float);
        const mark = (value: number) => () => to.storePart(to.constant(value), at, 0, 1);
        to.ifLess(to.remainder(task, 3), 2, mark(1), mark(9));
      });
    };
    expect(run([], 6, emit, [0, 6])).toEqual([1, 1, 9, 1, 1, 9]);
  });

  it('takes negative integers for large ones', () => {
    const emit: Emit = (to, [y], first, end) => {
      to.storePart(to.constant(0), y, 0, 3);
      to.range(first, end, (task) => {
        to.ifLess(to.plus(task, -1), 2, () => {
          const at = to.pointer(y);
          to.advanceBy(at, task, float);
          to.storePart(to.constant(7), at, -float, 1);
        });
      });
    };
    expect(run([], 3, emit, [0, 4])).toEqual([7, 7, 0]);
  });
});
