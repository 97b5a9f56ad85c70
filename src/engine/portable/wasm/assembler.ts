import type {
  Assembler,
  Comparison,
  Emit,
  Integer,
  Pointer,
  Vector,
  VectorFunction,
  VectorOp,
} from '../../kernels/assembler.js';
import { Bytes, encodeModule, type ImportedMemory, type ValueType } from './encoder.js';
import { binaryOps, comparisons, functions, noResult, op, vectorOp, vectorPrefix } from './opcodes.js';

/** A local variable of the function. */
interface Local {
  readonly index: number;
}

/** Properties of the machine that the code is for. */
export interface WasmTarget {
  readonly memory: ImportedMemory;
  /** Whether relaxed SIMD is there, for a multiplication and an addition in one instruction. */
  readonly fuses: boolean;
  /** Whether the compiler keeps the order of instructions: V8 does from about 13.0 on. */
  readonly keepsOrder: boolean;
}

const indexOf = (register: Vector | Pointer | Integer): number => (register as unknown as Local).index;

/** Writes WebAssembly. Registers are local variables, which the browser or Node keeps in the processor's. */
class WasmAssembler implements Assembler {
  readonly lanes = 4;
  // x86-64 has 16 without AVX-512, of which V8 needs one; ARM has 32.
  readonly registers = 15;
  readonly fuses: boolean;
  readonly keepsOrder: boolean;
  readonly code = new Bytes();
  readonly locals: ValueType[] = [];
  readonly #parameters: number;
  readonly #free: Record<ValueType, Local[]> = { i32: [], v128: [] };
  #taken: { type: ValueType; local: Local }[] = [];

  constructor(parameters: number, { fuses, keepsOrder }: WasmTarget) {
    this.#parameters = parameters;
    this.fuses = fuses;
    this.keepsOrder = keepsOrder;
  }

  // Control.

  scope(body: () => void): void {
    const outer = this.#taken;
    this.#taken = [];
    body();
    for (const { type, local } of this.#taken) this.#free[type].push(local);
    this.#taken = outer;
  }

  repeat(times: number, body: (turn: Integer) => void): void {
    if (times <= 0) return;
    this.scope(() => {
      const turn = this.#integer(() => this.#const(0));
      if (times === 1) {
        body(turn);
        return;
      }
      this.code.byte(op.loop);
      this.code.byte(noResult);
      this.scope(() => body(turn));
      this.#get(turn);
      this.#const(1);
      this.code.byte(op.i32Add);
      this.code.byte(op.localTee);
      this.code.unsigned(indexOf(turn));
      this.#const(times);
      this.code.byte(op.i32Less);
      this.code.byte(op.branchIf);
      this.code.unsigned(0);
      this.code.byte(op.end);
    });
  }

  range(first: Integer, end: Integer, body: (turn: Integer) => void): void {
    this.scope(() => {
      const turn = this.#integer(() => this.#get(first));
      this.code.bytes([op.block, noResult]);
      this.#get(turn);
      this.#get(end);
      this.code.bytes([op.i32GreaterEqual, op.branchIf, 0, op.loop, noResult]);
      this.scope(() => body(turn));
      this.#get(turn);
      this.#const(1);
      this.code.bytes([op.i32Add, op.localTee]);
      this.code.unsigned(indexOf(turn));
      this.#get(end);
      this.code.bytes([op.i32Less, op.branchIf, 0, op.end, op.end]);
    });
  }

  ifLess(value: Integer, bound: number, body: () => void, otherwise?: () => void): void {
    this.#get(value);
    this.#const(bound);
    this.code.bytes([op.i32Less, op.if, noResult]);
    this.scope(body);
    if (otherwise !== undefined) {
      this.code.byte(op.else);
      this.scope(otherwise);
    }
    this.code.byte(op.end);
  }

  // Addresses and integers.

  pointer(from: Pointer, bytes = 0): Pointer {
    return this.#take('i32', () => this.#plus(from, bytes)) as unknown as Pointer;
  }

  advance(pointer: Pointer, bytes: number): void {
    if (bytes !== 0) this.point(pointer, pointer, bytes);
  }

  advanceBy(pointer: Pointer, index: Integer, bytes: number): void {
    this.#get(pointer);
    this.#get(index);
    this.#const(bytes);
    this.code.bytes([op.i32Multiply, op.i32Add]);
    this.#set(pointer);
  }

  point(pointer: Pointer, from: Pointer, bytes = 0): void {
    this.#plus(from, bytes);
    this.#set(pointer);
  }

  quotient(value: Integer, divisor: number): Integer {
    return this.#combined(value, divisor, op.i32Divide);
  }

  remainder(value: Integer, divisor: number): Integer {
    return this.#combined(value, divisor, op.i32Remainder);
  }

  plus(value: Integer, constant: number): Integer {
    return this.#combined(value, constant, op.i32Add);
  }

  sum(a: Integer, b: Integer): Integer {
    return this.#integer(() => {
      this.#get(a);
      this.#get(b);
      this.code.byte(op.i32Add);
    });
  }

  times(value: Integer, constant: number): Integer {
    return this.#combined(value, constant, op.i32Multiply);
  }

  least(value: Integer, bound: number): Integer {
    return this.#integer(() => {
      this.#get(value);
      this.#const(bound);
      this.#get(value);
      this.#const(bound);
      this.code.bytes([op.i32Less, op.select]);
    });
  }

  loadInteger(from: Pointer, bytes = 0): Integer {
    return this.#integer(() => {
      const [base, offset] = this.#address(from, bytes);
      base();
      this.code.bytes([op.i32Load, 2]);
      this.code.unsigned(offset);
    });
  }

  // Vectors.

  zero(): Vector {
    return this.constant(0);
  }

  constant(value: number): Vector {
    return this.#vector(() => {
      this.#op(vectorOp.const);
      const lanes = new Float32Array(4).fill(value);
      this.code.bytes(new Uint8Array(lanes.buffer));
    });
  }

  copy(from: Vector): Vector {
    return this.#vector(() => this.#get(from));
  }

  assign(to: Vector, from: Vector): void {
    this.#get(from);
    this.#set(to);
  }

  load(from: Pointer, bytes = 0): Vector {
    return this.#vector(() => this.#access(vectorOp.load, from, bytes));
  }

  loadPart(from: Pointer, bytes: number, count: number): Vector {
    if (count >= 4) return this.load(from, bytes);
    const whole = this.#vector(() =>
      this.#access(count === 1 ? vectorOp.load32Zero : vectorOp.load64Zero, from, bytes),
    );
    if (count !== 3) return whole;
    const [base, offset] = this.#address(from, bytes + 8);
    base();
    this.#get(whole);
    this.#op(vectorOp.load32Lane);
    this.#immediate(offset);
    this.code.byte(2);
    this.#set(whole);
    return whole;
  }

  broadcast(from: Pointer, bytes = 0): Vector {
    return this.#vector(() => this.#access(vectorOp.loadSplat, from, bytes));
  }

  store(value: Vector, to: Pointer, bytes = 0): void {
    const [base, offset] = this.#address(to, bytes);
    base();
    this.#get(value);
    this.#op(vectorOp.store);
    this.#immediate(offset);
  }

  storePart(value: Vector, to: Pointer, bytes: number, count: number): void {
    if (count >= 4) {
      this.store(value, to, bytes);
      return;
    }
    if (count >= 2) this.#storeLane(vectorOp.store64Lane, value, to, bytes, 0);
    if (count !== 2) this.#storeLane(vectorOp.store32Lane, value, to, bytes + 4 * (count - 1), count - 1);
  }

  apply(name: VectorOp, a: Vector, b: Vector): Vector {
    return this.#vector(() => this.#binary(binaryOps[name], a, b));
  }

  applyTo(to: Vector, name: VectorOp, a: Vector, b: Vector): void {
    this.#binary(binaryOps[name], a, b);
    this.#set(to);
  }

  call(fn: VectorFunction, x: Vector): Vector {
    return this.#vector(() => {
      this.#get(x);
      this.#op(functions[fn]);
    });
  }

  compare(fn: Comparison, a: Vector, b: Vector): Vector {
    return this.#vector(() => this.#binary(comparisons[fn], a, b));
  }

  select(mask: Vector, a: Vector, b: Vector): Vector {
    return this.#vector(() => {
      this.#get(a);
      this.#get(b);
      this.#get(mask);
      this.#op(vectorOp.bitSelect);
    });
  }

  addProduct(sum: Vector, a: Vector, b: Vector): void {
    if (this.fuses) {
      this.#get(a);
      this.#get(b);
      this.#get(sum);
      this.#op(vectorOp.multiplyAdd);
    } else {
      this.#get(sum);
      this.#binary(binaryOps.mul, a, b);
      this.#op(binaryOps.add);
    }
    this.#set(sum);
  }

  powerOfTwo(n: Vector): Vector {
    return this.#vector(() => {
      this.#get(n);
      this.#op(vectorOp.toIntegers);
      this.#op(vectorOp.const);
      this.code.bytes(new Uint8Array(new Int32Array(4).fill(127).buffer));
      this.#op(vectorOp.addIntegers);
      this.#const(23);
      this.#op(vectorOp.shiftLeft);
    });
  }

  sumOfLanes(x: Vector): Vector {
    const fold = (value: Vector, order: readonly number[]) =>
      this.#vector(() => {
        this.#get(value);
        this.#get(value);
        this.#get(value);
        this.#op(vectorOp.shuffle);
        for (const lane of order) for (let byte = 0; byte < 4; byte++) this.code.byte(4 * lane + byte);
        this.#op(binaryOps.add);
      });
    return fold(fold(x, [2, 3, 0, 1]), [1, 0, 3, 2]);
  }

  // Encoding.

  /** A new local variable, or a free one, set by the value that `push` leaves. */
  #take(type: ValueType, push: () => void): Local {
    let local = this.#free[type].pop();
    if (local === undefined) {
      local = { index: this.#parameters + this.locals.length };
      this.locals.push(type);
    }
    this.#taken.push({ type, local });
    push();
    this.code.byte(op.localSet);
    this.code.unsigned(local.index);
    return local;
  }

  #vector(push: () => void): Vector {
    return this.#take('v128', push) as unknown as Vector;
  }

  #integer(push: () => void): Integer {
    return this.#take('i32', push) as unknown as Integer;
  }

  #get(register: Vector | Pointer | Integer): void {
    this.code.byte(op.localGet);
    this.code.unsigned(indexOf(register));
  }

  #set(register: Vector | Pointer | Integer): void {
    this.code.byte(op.localSet);
    this.code.unsigned(indexOf(register));
  }

  #const(value: number): void {
    this.code.byte(op.i32Const);
    this.code.signed(value);
  }

  #op(code: number): void {
    this.code.byte(vectorPrefix);
    this.code.unsigned(code);
  }

  #binary(code: number, a: Vector, b: Vector): void {
    this.#get(a);
    this.#get(b);
    this.#op(code);
  }

  #plus(from: Pointer, bytes: number): void {
    this.#get(from);
    if (bytes === 0) return;
    this.#const(bytes);
    this.code.byte(op.i32Add);
  }

  #combined(value: Integer, constant: number, code: number): Integer {
    return this.#integer(() => {
      this.#get(value);
      this.#const(constant);
      this.code.byte(code);
    });
  }

  /** Offsets within instructions have no sign. */
  #address(pointer: Pointer, bytes: number): readonly [push: () => void, offset: number] {
    return bytes >= 0 ? [() => this.#get(pointer), bytes] : [() => this.#plus(pointer, bytes), 0];
  }

  #access(code: number, from: Pointer, bytes: number): void {
    const [base, offset] = this.#address(from, bytes);
    base();
    this.#op(code);
    this.#immediate(offset);
  }

  /** Alignment, of which 2⁰ is always right, and offset. */
  #immediate(offset: number): void {
    this.code.byte(0);
    this.code.unsigned(offset);
  }

  #storeLane(code: number, value: Vector, to: Pointer, bytes: number, lane: number): void {
    const [base, offset] = this.#address(to, bytes);
    base();
    this.#get(value);
    this.#op(code);
    this.#immediate(offset);
    this.code.byte(lane);
  }
}

/** The module of a kernel with so many operands: `run(operands…, first, end)`. */
export function assembleWasm(operands: number, emit: Emit, target: WasmTarget): Uint8Array<ArrayBuffer> {
  const parameters = operands + 2;
  const to = new WasmAssembler(parameters, target);
  const parameter = (index: number): Local => ({ index });
  const pointers = Array.from({ length: operands }, (_, i) => parameter(i) as unknown as Pointer);
  const [first, end] = [operands, operands + 1].map((index) => parameter(index) as unknown as Integer);
  emit(to, pointers, first, end);
  return encodeModule(target.memory, parameters, to.locals, to.code.finish());
}
