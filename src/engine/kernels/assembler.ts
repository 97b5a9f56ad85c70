/** A register that holds the address of float32 numbers or bytes in the engine's memory. */
export interface Pointer {
  readonly kind: 'pointer';
}

/** A register that holds an integer of 32 bits without sign. */
export interface Integer {
  readonly kind: 'integer';
}

/** A register of {@link Assembler.lanes} float32 numbers, or of as many masks of all ones or all zeros. */
export interface Vector {
  readonly kind: 'vector';
}

/** Operations that every target has. */
export type BasicOp = 'add' | 'sub' | 'mul' | 'max';
export type VectorOp = BasicOp | 'div' | 'min' | 'and' | 'andNot' | 'or' | 'xor';
export type VectorFunction = 'abs' | 'neg' | 'sqrt' | 'round';
export type Comparison = 'equal' | 'notEqual' | 'greater' | 'greaterEqual' | 'less' | 'lessEqual';

/**
 * The instructions that kernels of products are written in. A kernel is written once for any number of lanes;
 * the targets are WebAssembly and x86-64. An address is a pointer and a constant number of bytes, of any
 * alignment.
 *
 * Methods that return a register take a free one. It is free again at the end of the innermost {@link scope}
 * or loop around the call.
 */
export interface BasicAssembler {
  /** Float32 numbers of a vector. */
  readonly lanes: number;
  /** Vector registers that a loop can use without copies to memory. */
  readonly registers: number;
  /** Whether {@link addProduct} is one instruction that rounds once. */
  readonly fuses: boolean;
  /**
   * Whether the instructions between two branches run in the order in which they are written. Compilers that
   * move all loads to the front run out of registers in long loops.
   */
  readonly keepsOrder: boolean;

  /** Calls `body`; the registers that it takes are free again afterwards. */
  scope(body: () => void): void;
  /** A loop of a known number of turns; without turns, no code. `body` gets the turn, counted from 0. */
  repeat(times: number, body: (turn: Integer) => void): void;
  /** A loop from one integer up to, not including, another one. */
  range(first: Integer, end: Integer, body: (turn: Integer) => void): void;
  /** Code that runs if the integer is (or is not) less than a constant. */
  ifLess(value: Integer, bound: number, body: () => void, otherwise?: () => void): void;

  /** A copy of the pointer, some bytes further. */
  pointer(from: Pointer, bytes?: number): Pointer;
  /** Moves a pointer by a constant number of bytes. */
  advance(pointer: Pointer, bytes: number): void;
  /** Moves a pointer by `index · bytes`. */
  advanceBy(pointer: Pointer, index: Integer, bytes: number): void;

  /** `value / divisor`, rounded down. */
  quotient(value: Integer, divisor: number): Integer;
  remainder(value: Integer, divisor: number): Integer;
  /** `value + constant`. */
  plus(value: Integer, constant: number): Integer;
  /** `a + b`. */
  sum(a: Integer, b: Integer): Integer;
  /** `value · constant`. */
  times(value: Integer, constant: number): Integer;
  /** The smaller of an integer and a constant. */
  least(value: Integer, bound: number): Integer;

  zero(): Vector;
  /** A vector that must not change; {@link copy} gives one that may. */
  constant(value: number): Vector;
  copy(from: Vector): Vector;
  assign(to: Vector, from: Vector): void;
  load(from: Pointer, bytes?: number): Vector;
  /** The first `count` numbers; the other lanes are 0. */
  loadPart(from: Pointer, bytes: number, count: number): Vector;
  /** One number in every lane. */
  broadcast(from: Pointer, bytes?: number): Vector;
  store(value: Vector, to: Pointer, bytes?: number): void;
  /** The first `count` lanes. */
  storePart(value: Vector, to: Pointer, bytes: number, count: number): void;

  /** `max` gives `a` if one of the two is NaN. */
  apply(op: BasicOp, a: Vector, b: Vector): Vector;
  /** Like {@link apply}, into a register. */
  applyTo(to: Vector, op: BasicOp, a: Vector, b: Vector): void;
  /** `sum += a · b` */
  addProduct(sum: Vector, a: Vector, b: Vector): void;
}

/** All instructions, as far as there is a target for them: WebAssembly. */
export interface Assembler extends BasicAssembler {
  /** Makes a pointer equal to another one, some bytes further. */
  point(pointer: Pointer, from: Pointer, bytes?: number): void;
  /** An integer in memory. */
  loadInteger(from: Pointer, bytes?: number): Integer;
  /** `max` and `min` give `a` if one of the two is NaN; `andNot` is `a and not b`. */
  apply(op: VectorOp, a: Vector, b: Vector): Vector;
  applyTo(to: Vector, op: VectorOp, a: Vector, b: Vector): void;
  call(fn: VectorFunction, x: Vector): Vector;
  compare(fn: Comparison, a: Vector, b: Vector): Vector;
  /** Lanes of `a` where the mask is set, else of `b`. */
  select(mask: Vector, a: Vector, b: Vector): Vector;
  /** `2ⁿ` for whole numbers n from -126 to 127. */
  powerOfTwo(n: Vector): Vector;
  /** The sum of all lanes, in every lane. */
  sumOfLanes(x: Vector): Vector;
}

/** Writes one kernel. `operands` are the addresses of its arguments, `first` and `end` the tasks to do. */
export type Emit<T extends BasicAssembler = Assembler> = (
  to: T,
  operands: readonly Pointer[],
  first: Integer,
  end: Integer,
) => void;
