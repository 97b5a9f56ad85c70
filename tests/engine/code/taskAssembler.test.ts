import { expect, it } from 'vitest';
import type { BasicAssembler, BasicOp, Emit, Integer, Pointer, Vector } from '../../../src/engine/kernels/assembler.js';
import { taskCode } from '../../../src/engine/onednn/code/taskCode.js';
import { NativeMemory } from '../../../src/engine/onednn/ffi.js';
import { InternalError } from '../../../src/errors.js';
import { RandomGenerator } from '../../../src/random.js';
import { fuzzing } from '../../fuzzing.js';
import { describeWith, has } from '../../needs.js';
import { numbers, run } from './features.js';

const float = Float32Array.BYTES_PER_ELEMENT;

/** A register of the interpreter. */
interface Cell<T> {
  value: T;
}

const cell = (register: unknown): Cell<number> => register as Cell<number>;
const lanesOf = (register: unknown): Cell<readonly number[]> => register as Cell<readonly number[]>;

const computed: Readonly<Record<BasicOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  max: Math.max,
};

/** Runs a kernel while it is written: registers hold values, and memory is one array. */
class Interpreter implements BasicAssembler {
  readonly registers = 16;
  readonly fuses = true;
  readonly keepsOrder = true;

  constructor(
    readonly lanes: number,
    readonly memory: Float32Array,
  ) {}

  scope(body: () => void): void {
    body();
  }
  repeat(times: number, body: (turn: Integer) => void): void {
    for (let i = 0; i < times; i++) body(this.#integer(i));
  }
  range(first: Integer, end: Integer, body: (turn: Integer) => void): void {
    for (let i = cell(first).value; i < cell(end).value; i++) body(this.#integer(i));
  }
  ifLess(value: Integer, bound: number, body: () => void, otherwise?: () => void): void {
    // Integers have no sign: those below zero are large.
    const { value: own } = cell(value);
    if (own >= 0 && own < bound) body();
    else otherwise?.();
  }
  pointer(from: Pointer, bytes = 0): Pointer {
    return this.#integer(cell(from).value + bytes);
  }
  advance(pointer: Pointer, bytes: number): void {
    cell(pointer).value += bytes;
  }
  advanceBy(pointer: Pointer, index: Integer, bytes: number): void {
    cell(pointer).value += cell(index).value * bytes;
  }
  quotient(value: Integer, divisor: number): Integer {
    return this.#integer(Math.floor(cell(value).value / divisor));
  }
  remainder(value: Integer, divisor: number): Integer {
    return this.#integer(cell(value).value % divisor);
  }
  plus(value: Integer, constant: number): Integer {
    return this.#integer(cell(value).value + constant);
  }
  sum(a: Integer, b: Integer): Integer {
    return this.#integer(cell(a).value + cell(b).value);
  }
  times(value: Integer, constant: number): Integer {
    return this.#integer(cell(value).value * constant);
  }
  least(value: Integer, bound: number): Integer {
    return this.#integer(Math.min(cell(value).value, bound));
  }
  zero(): Vector {
    return this.constant(0);
  }
  constant(value: number): Vector {
    return this.#vector(new Array(this.lanes).fill(value));
  }
  copy(from: Vector): Vector {
    return this.#vector(lanesOf(from).value);
  }
  assign(to: Vector, from: Vector): void {
    lanesOf(to).value = lanesOf(from).value;
  }
  load(from: Pointer, bytes = 0): Vector {
    const start = (cell(from).value + bytes) / float;
    return this.#vector([...this.memory.subarray(start, start + this.lanes)]);
  }
  loadPart(from: Pointer, bytes: number): Vector {
    return this.load(from, bytes);
  }
  broadcast(from: Pointer, bytes = 0): Vector {
    return this.constant(this.memory[(cell(from).value + bytes) / float]);
  }
  store(value: Vector, to: Pointer, bytes = 0): void {
    this.memory.set(lanesOf(value).value, (cell(to).value + bytes) / float);
  }
  storePart(value: Vector, to: Pointer, bytes: number): void {
    this.store(value, to, bytes);
  }
  apply(op: BasicOp, a: Vector, b: Vector): Vector {
    return this.#vector(lanesOf(a).value.map((value, i) => Math.fround(computed[op](value, lanesOf(b).value[i]))));
  }
  applyTo(to: Vector, op: BasicOp, a: Vector, b: Vector): void {
    this.assign(to, this.apply(op, a, b));
  }
  addProduct(sum: Vector, a: Vector, b: Vector): void {
    lanesOf(sum).value = lanesOf(sum).value.map((value, i) =>
      Math.fround(value + lanesOf(a).value[i] * lanesOf(b).value[i]),
    );
  }

  #integer(value: number): Integer & Pointer {
    return { value } as unknown as Integer & Pointer;
  }
  #vector(value: readonly number[]): Vector {
    return { value } as unknown as Vector;
  }
}

const inputs = 256;
const results = 256;

/**
 * A kernel of random instructions with more values than a processor has registers. It reads the first operand
 * and writes the second one. Numbers stay small and whole, so that every order of rounding gives the same.
 */
function randomKernel(seed: number, lanes: number): Emit<BasicAssembler> {
  const chosen = new RandomGenerator(seed);
  const one = <T>(from: readonly T[]): T => from[chosen.int(from.length)];
  type Statement = (to: BasicAssembler, state: State) => void;
  interface State {
    readonly vectors: Vector[];
    readonly integers: Integer[];
    readonly x: Pointer;
    readonly y: Pointer;
  }
  const halved = (to: BasicAssembler, vector: Vector) => {
    // Keeps numbers between -64 and 64: 0 · value + max(value - …) would round.
    const bounded = to.apply('max', vector, to.constant(-64));
    return to.apply('sub', to.constant(0), to.apply('max', to.apply('sub', to.constant(0), bounded), to.constant(-64)));
  };
  const [someVectors, someIntegers] = [20 + chosen.int(30), 4 + chosen.int(12)];
  const block = (depth: number): Statement[] => Array.from({ length: 6 + chosen.int(10) }, () => statement(depth));
  const statement = (depth: number): Statement => {
    const [i, j, k] = [chosen.int(someVectors), chosen.int(someVectors), chosen.int(someVectors)];
    const [m, n] = [chosen.int(someIntegers), chosen.int(someIntegers)];
    const place = float * chosen.int(inputs - lanes);
    const op = one(['add', 'sub', 'max'] as const);
    const kind = chosen.int(depth > 0 ? 12 : 8);
    const inner = kind >= 8 ? block(depth - 1) : [];
    const other = kind >= 8 ? block(0) : [];
    const constant = chosen.int(9) - 4;
    const all = (statements: readonly Statement[], to: BasicAssembler, state: State) => {
      for (const write of statements) write(to, state);
    };
    switch (kind) {
      case 0:
        return (to, { vectors, x }) => to.assign(vectors[i], to.load(x, place));
      case 1:
        return (to, { vectors, x }) => to.assign(vectors[i], to.broadcast(x, place));
      case 2:
        return (to, { vectors }) => {
          to.applyTo(vectors[i], op, vectors[j], vectors[k]);
          to.assign(vectors[i], halved(to, vectors[i]));
        };
      case 3:
        return (to, { vectors }) => {
          to.addProduct(vectors[i], vectors[j], vectors[k]);
          to.assign(vectors[i], halved(to, vectors[i]));
        };
      case 4:
        return (to, { vectors }) => {
          to.addProduct(vectors[i], vectors[j], to.constant(constant));
          to.assign(vectors[i], halved(to, vectors[i]));
        };
      case 5:
        return (to, { vectors, integers, y }) => {
          const at = to.pointer(y);
          to.advanceBy(at, to.remainder(integers[m], (results - lanes) / 2), 2 * float);
          to.store(vectors[i], at, float * (m % 2));
        };
      case 6:
        return (to, state) => {
          const sum = to.sum(to.times(state.integers[m], 3), to.plus(state.integers[n], 5));
          state.integers[n] = to.quotient(to.least(sum, 1000), 2);
        };
      case 7:
        return (to, { vectors }) => {
          const zero = to.zero();
          if (constant > 0) to.assign(zero, vectors[j]);
          to.assign(vectors[i], to.apply('mul', zero, to.constant(constant & 1)));
        };
      case 8:
      case 9:
        return (to, state) =>
          to.repeat(1 + (constant & 3), (turn) => {
            const { vectors, x, y } = state;
            const integers = [...state.integers];
            integers[n] = turn;
            all(inner, to, { vectors, integers, x, y });
          });
      case 10:
        return (to, state) => {
          const { vectors, x, y } = state;
          const first = to.remainder(state.integers[m], 4);
          to.range(first, to.plus(first, constant & 3), (turn) => {
            const integers = [...state.integers];
            integers[n] = turn;
            all(inner, to, { vectors, integers, x, y });
          });
        };
      default:
        return (to, state) => {
          const branch = (statements: readonly Statement[]) => () =>
            all(statements, to, { ...state, integers: [...state.integers] });
          to.ifLess(to.plus(state.integers[m], -2), 3, branch(inner), branch(other));
        };
    }
  };
  const body = block(3);
  return (to, [x, y], first, end) => {
    const vectors = Array.from({ length: someVectors }, (_, i) => to.copy(to.load(x, float * i)));
    to.range(first, end, (task) => {
      const integers = Array.from({ length: someIntegers }, (_, i) => to.plus(task, i));
      for (const write of body) write(to, { vectors, integers, x, y });
      vectors.forEach((vector, i) => {
        to.store(vector, y, float * (results + i * lanes));
      });
    });
  };
}

const widths = ([8, 16] as const).filter((lanes) => has(lanes === 8 ? 'avx2' : 'avx512'));

describeWith('avx2', 'kernels of both engines as machine code', () => {
  const { seed: firstSeed, numRuns, timeout } = fuzzing('kernels', 6);

  it.each(widths)(
    'compute what they say, with %i lanes',
    (lanes) => {
      for (let seed = firstSeed; seed < firstSeed + numRuns; seed++) {
        const emit = randomKernel(seed, lanes);
        const length = results + 50 * lanes;
        const x = numbers(inputs);
        const generator = new RandomGenerator(seed);
        for (let i = 0; i < inputs; i++) x.data[i] = generator.int(9) - 4;
        const y = numbers(length, new Float32Array(length));
        const kernel = taskCode(lanes, { emit, tasks: 2, scratch: 0 }, 2, 1);
        const working = new NativeMemory(kernel.workingBytes);
        run(kernel, [x, y, { memory: working }], 1);
        const memory = new Float32Array(inputs + length);
        memory.set(x.data);
        const [input, output] = [0, inputs * float].map((value) => ({ value }) as unknown as Pointer);
        for (const task of [0, 1]) {
          const [first, end] = [task, task + 1].map((value) => ({ value }) as unknown as Integer);
          emit(new Interpreter(lanes, memory), [input, output], first, end);
        }
        expect([...y.data], `seed ${seed}`).toEqual([...memory.subarray(inputs)]);
        for (const part of [x.memory, y.memory, working]) part.free();
      }
    },
    timeout,
  );

  it.each(widths)('keep NaN in the first operand of a maximum, with %i lanes', (lanes) => {
    const values = new Float32Array(2 * lanes).fill(1);
    values.set([Number.NaN, -3, 5]);
    const x = numbers(2 * lanes, values);
    const y = numbers(lanes);
    const emit: Emit<BasicAssembler> = (to, [from, target]) =>
      to.store(to.apply('max', to.load(from), to.zero()), target);
    const kernel = taskCode(lanes, { emit, tasks: 1, scratch: 0 }, 2, 1);
    const working = new NativeMemory(Math.max(64, kernel.workingBytes));
    run(kernel, [x, y, { memory: working }], 1);
    expect([...y.data.subarray(0, 4)]).toEqual([Number.NaN, 0, 5, 1]);
    for (const part of [x.memory, y.memory, working]) part.free();
  });

  it.each(widths)('distinguish the two zeros, with %i lanes', (lanes) => {
    const y = numbers(2 * lanes);
    const emit: Emit<BasicAssembler> = (to, [target]) => {
      to.store(to.copy(to.constant(0)), target);
      to.store(to.copy(to.constant(-0)), target, lanes * float);
    };
    const kernel = taskCode(lanes, { emit, tasks: 1, scratch: 0 }, 1, 1);
    const working = new NativeMemory(kernel.workingBytes);
    run(kernel, [y, { memory: working }], 1);
    expect([y.data[0], y.data[lanes]]).toEqual([0, -0]);
    for (const part of [y.memory, working]) part.free();
  });

  it('have no parts of vectors, and constants that stay', () => {
    const assembled = (emit: Emit<BasicAssembler>) => () => taskCode(8, { emit, tasks: 1, scratch: 0 }, 1, 1);
    expect(assembled((to, [x]) => to.loadPart(x, 0, 3))).toThrow(InternalError);
    expect(assembled((to, [x]) => to.addProduct(to.constant(1), to.load(x), to.load(x)))).toThrow(InternalError);
  });
});
