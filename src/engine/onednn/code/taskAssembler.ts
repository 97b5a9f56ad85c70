import { InternalError } from '../../../errors.js';
import type { BasicAssembler, BasicOp, Integer, Pointer, Vector } from '../../kernels/assembler.js';
import { allocate, Virtual } from './allocation.js';
import { type Assembler, type Lanes, vectorRegisters } from './assembler.js';
import { at, type Gpr, gpr, type Label } from './generalAssembler.js';
import { block, record, word } from './kernel.js';

/** Registers that hold values of a kernel, and three for the instructions between them. */
const general = [gpr.rsi, gpr.rdi, gpr.r9, gpr.r10, gpr.r11, gpr.r13, gpr.r14, gpr.r15] as const;
const [low, divisorIn, high] = [gpr.rax, gpr.rcx, gpr.rdx];
/** Working memory of the thread. */
const memory = gpr.rbp;

/** A use in a loop counts as much as so many outside of it. */
const loopWeight = 8;

type Register = Vector | Pointer | Integer;

/** Kernels see a register only by its kind. */
const virtualOf = (register: Register): Virtual => register as unknown as Virtual;

interface Loop {
  readonly start: number;
  /** Values from outside, which the next turn needs too. */
  readonly carried: Set<Virtual>;
}

/** Places in the working memory of a thread, in bytes. */
interface Frame {
  readonly vectors: number;
  readonly integers: number;
}

/**
 * Records the instructions of a kernel, gives its registers those of the processor, and then writes machine
 * code. Values that find no register are kept in the thread's working memory, and so are constants.
 */
export class TaskAssembler implements BasicAssembler {
  readonly fuses = true;
  readonly keepsOrder = true;
  readonly registers: number;
  readonly #steps: (((code: Assembler) => void) | null)[] = [];
  readonly #vectors: Virtual[] = [];
  readonly #integers: Virtual[] = [];
  /** Constants by their bits: 0 and -0 are two. */
  readonly #constants = new Map<number, { readonly value: number; readonly virtual: Virtual }>();
  readonly #loops: Loop[] = [];
  /** Counts runs of steps without a jump. */
  #straight = 0;
  /** Zeros that nothing has read yet: their step, and the run of steps. */
  readonly #zeros = new Map<Virtual, { readonly step: number; readonly straight: number }>();
  #frame: Frame = { vectors: 0, integers: 0 };
  /** A vector register for the instructions between the others. */
  readonly #spare: number;

  constructor(readonly lanes: Lanes) {
    this.registers = vectorRegisters[lanes];
    this.#spare = this.registers - 1;
  }

  // The whole kernel.

  /** The address of an operand of the code. */
  operand(index: number): Pointer {
    return this.#integer([], (code, to) => code.load(to, at(gpr.rbx, word * (block.operands + index))));
  }

  /** The working memory of the thread. */
  workingMemory(): Pointer {
    return this.#integer([], (code, to) => code.copy(to, memory));
  }

  /** A number of the task. */
  number(index: number): Integer {
    return this.#integer([], (code, to) => code.load(to, at(gpr.r8, word * (record.numbers + index))));
  }

  /**
   * Chooses the place of every value.
   *
   * @param offset where the kernel's own working memory ends, in bytes
   * @returns where the memory for values ends
   */
  place(offset: number): number {
    const vectorBytes = 4 * this.lanes;
    const vectors = Array.from({ length: this.registers - 1 }, (_, i) => i);
    const slots = allocate(this.#vectors, vectors);
    let next = slots;
    for (const { virtual } of this.#constants.values()) virtual.slot = next++;
    // One more, for a register that an instruction borrows.
    const integers = offset + (next + 1) * vectorBytes;
    this.#frame = { vectors: offset, integers };
    return integers + allocate(this.#integers, general) * word;
  }

  /** Writes the constants, once in each thread. */
  prepare(code: Assembler): void {
    for (const { value, virtual } of this.#constants.values()) {
      code.vconstant(this.#spare, value, low);
      code.vstore(this.#vectorAt(virtual), this.#spare);
    }
  }

  write(code: Assembler): void {
    for (const step of this.#steps) step?.(code);
  }

  // Control.

  scope(body: () => void): void {
    body();
  }

  repeat(times: number, body: (turn: Integer) => void): void {
    if (times <= 0) return;
    const turn = this.#integer([], (code, to) => code.set(to, 0));
    if (times === 1) {
      body(turn);
      return;
    }
    this.#loop(() => {
      body(turn);
      return [[turn], (code) => code.compareConstant(this.#increment(code, turn), times)];
    });
  }

  range(first: Integer, end: Integer, body: (turn: Integer) => void): void {
    const turn = this.#integer([first], (code, to) => code.copy(to, this.#in(code, first)));
    const done: Label = { place: -1 };
    this.#jump([turn, end], (code) => {
      code.compare(this.#in(code, turn), this.#in(code, end, high));
      code.jump(done, 'aboveOrEqual');
    });
    this.#loop(() => {
      body(turn);
      return [[turn, end], (code) => code.compare(this.#increment(code, turn), this.#in(code, end, high))];
    });
    this.#jump([], (code) => code.bind(done));
  }

  ifLess(value: Integer, bound: number, body: () => void, otherwise?: () => void): void {
    const [not, done]: Label[] = [{ place: -1 }, { place: -1 }];
    this.#jump([value], (code) => {
      code.compareConstant(this.#in(code, value), bound);
      code.jump(not, 'aboveOrEqual');
    });
    body();
    if (otherwise !== undefined) this.#jump([], (code) => code.jump(done));
    this.#jump([], (code) => code.bind(not));
    otherwise?.();
    this.#jump([], (code) => code.bind(done));
  }

  // Addresses and integers.

  pointer(from: Pointer, bytes = 0): Pointer {
    return this.#integer([from], (code, to) => code.loadAddress(to, at(this.#in(code, from), bytes)));
  }

  advance(pointer: Pointer, bytes: number): void {
    if (bytes === 0) return;
    this.#change(pointer, [], (code, register) => code.addConstant(register, bytes));
  }

  advanceBy(pointer: Pointer, index: Integer, bytes: number): void {
    this.#change(pointer, [index], (code, register) => {
      code.copy(high, this.#in(code, index, high));
      code.multiplyBy(high, bytes);
      code.add(register, high);
    });
  }

  quotient(value: Integer, divisor: number): Integer {
    return this.#divided(value, divisor, low);
  }

  remainder(value: Integer, divisor: number): Integer {
    return this.#divided(value, divisor, high);
  }

  plus(value: Integer, constant: number): Integer {
    return this.#integer([value], (code, to) => code.loadAddress(to, at(this.#in(code, value), constant)));
  }

  sum(a: Integer, b: Integer): Integer {
    return this.#integer([a, b], (code, to) => {
      code.copy(low, this.#in(code, a));
      code.add(low, this.#in(code, b, high));
      code.copy(to, low);
    });
  }

  times(value: Integer, constant: number): Integer {
    return this.#integer([value], (code, to) => {
      code.copy(low, this.#in(code, value));
      code.multiplyBy(low, constant);
      code.copy(to, low);
    });
  }

  least(value: Integer, bound: number): Integer {
    return this.#integer([value], (code, to) => {
      const less: Label = { place: -1 };
      code.copy(low, this.#in(code, value));
      code.compareConstant(low, bound);
      code.jump(less, 'below');
      code.set(low, bound);
      code.bind(less);
      code.copy(to, low);
    });
  }

  // Vectors.

  zero(): Vector {
    const result = this.#vector([], (code, to) => code.vzero(to));
    this.#zeros.set(virtualOf(result), { step: this.#steps.length - 1, straight: this.#straight });
    return result;
  }

  constant(value: number): Vector {
    const [bits] = new Int32Array(Float32Array.of(value).buffer);
    const constant = this.#constants.get(bits) ?? { value, virtual: new Virtual(true) };
    this.#constants.set(bits, constant);
    return constant.virtual as unknown as Vector;
  }

  copy(from: Vector): Vector {
    return this.#vector([from], (code, to) => this.#loadInto(code, to, virtualOf(from)));
  }

  assign(to: Vector, from: Vector): void {
    this.#requireVariable(to);
    this.#dropZero(virtualOf(to));
    this.#step([to, from], (code) => {
      const [target, source] = [virtualOf(to), virtualOf(from)];
      if (!target.isInMemory) this.#loadInto(code, target.register, source);
      else code.vstore(this.#vectorAt(target), this.#inVector(code, source));
    });
  }

  load(from: Pointer, bytes = 0): Vector {
    return this.#vector([from], (code, to) => code.vload(to, at(this.#in(code, from), bytes)));
  }

  loadPart(from: Pointer, bytes: number, count: number): Vector {
    this.#requireWhole(count);
    return this.load(from, bytes);
  }

  broadcast(from: Pointer, bytes = 0): Vector {
    return this.#vector([from], (code, to) => code.vbroadcast(to, at(this.#in(code, from), bytes)));
  }

  store(value: Vector, to: Pointer, bytes = 0): void {
    this.#step([value, to], (code) => {
      code.vstore(at(this.#in(code, to), bytes), this.#inVector(code, virtualOf(value)));
    });
  }

  storePart(value: Vector, to: Pointer, bytes: number, count: number): void {
    this.#requireWhole(count);
    this.store(value, to, bytes);
  }

  apply(op: BasicOp, a: Vector, b: Vector): Vector {
    return this.#vector([a, b], (code, to) => this.#combine(code, op, to, virtualOf(a), virtualOf(b)));
  }

  applyTo(to: Vector, op: BasicOp, a: Vector, b: Vector): void {
    this.#requireVariable(to);
    this.#step([to, a, b], (code) => {
      const target = virtualOf(to);
      const register = target.isInMemory ? this.#spare : target.register;
      this.#combine(code, op, register, virtualOf(a), virtualOf(b));
      if (target.isInMemory) code.vstore(this.#vectorAt(target), register);
    });
  }

  addProduct(sum: Vector, a: Vector, b: Vector): void {
    this.#requireVariable(sum);
    this.#step([sum, a, b], (code) => {
      const [total, ...factors] = [sum, a, b].map(virtualOf);
      const [x, y] = factors[0].isInMemory ? factors.reverse() : factors;
      if (!total.isInMemory) code.v('addMul', total.register, this.#inVector(code, x), this.#operandOf(y));
      else if (!x.isInMemory) this.#addToMemory(code, total, x.register, y);
      else {
        const borrowed = y.register === 0 ? 1 : 0;
        const kept = at(memory, this.#frame.integers - 4 * this.lanes);
        code.vstore(kept, borrowed);
        code.vload(borrowed, this.#vectorAt(x));
        this.#addToMemory(code, total, borrowed, y);
        code.vload(borrowed, kept);
      }
    });
  }

  // Steps.

  /** Records a step that needs these registers. */
  #step(registers: readonly Register[], write: (code: Assembler) => void): void {
    const index = this.#steps.push(write) - 1;
    for (const virtual of registers.map(virtualOf)) {
      if (virtual.first < 0) virtual.first = index;
      virtual.last = index;
      virtual.uses += loopWeight ** this.#loops.length;
      for (const { start, carried } of this.#loops) if (start > virtual.first) carried.add(virtual);
      if (this.#zeros.get(virtual)?.step !== index) this.#zeros.delete(virtual);
    }
  }

  /** A step that jumps, or where jumps arrive. */
  #jump(registers: readonly Register[], write: (code: Assembler) => void): void {
    this.#straight++;
    this.#step(registers, write);
  }

  /** A loop that runs at least once: `body` returns the comparison after each turn. */
  #loop(body: () => readonly [readonly Register[], (code: Assembler) => void]): void {
    const again: Label = { place: -1 };
    const loop: Loop = { start: this.#steps.length, carried: new Set() };
    this.#loops.push(loop);
    this.#jump([], (code) => code.bind(again));
    const [registers, compare] = body();
    this.#jump(registers, (code) => {
      compare(code);
      code.jump(again, 'below');
    });
    this.#loops.pop();
    for (const virtual of loop.carried) virtual.last = this.#steps.length - 1;
  }

  /** A step with a vector as its result. */
  #vector(registers: readonly Register[], write: (code: Assembler, to: number) => void): Vector {
    const virtual = new Virtual();
    this.#vectors.push(virtual);
    const result = virtual as unknown as Vector;
    this.#step([...registers, result], (code) => {
      write(code, virtual.isInMemory ? this.#spare : virtual.register);
      if (virtual.isInMemory) code.vstore(this.#vectorAt(virtual), this.#spare);
    });
    return result;
  }

  /** A step with an integer or pointer as its result. */
  #integer(registers: readonly Register[], write: (code: Assembler, to: Gpr) => void): Integer & Pointer {
    const virtual = new Virtual();
    this.#integers.push(virtual);
    const result = virtual as unknown as Integer & Pointer;
    this.#step([...registers, result], (code) => {
      write(code, virtual.isInMemory ? low : (virtual.register as Gpr));
      if (virtual.isInMemory) code.store(this.#integerAt(virtual), low);
    });
    return result;
  }

  /** A step that changes an integer or pointer in its register. */
  #change(
    value: Integer | Pointer,
    others: readonly Register[],
    write: (code: Assembler, register: Gpr) => void,
  ): void {
    this.#step([value, ...others], (code) => {
      this.#changed(code, value, (register) => write(code, register));
    });
  }

  #divided(value: Integer, divisor: number, part: Gpr): Integer {
    return this.#integer([value], (code, to) => {
      code.copy(low, this.#in(code, value));
      code.set(high, 0);
      code.set(divisorIn, divisor);
      code.divide(divisorIn);
      code.copy(to, part);
    });
  }

  /** Leaves out a zero that was only made to be overwritten. */
  #dropZero(virtual: Virtual): void {
    const zero = this.#zeros.get(virtual);
    if (zero === undefined || zero.straight !== this.#straight) return;
    this.#steps[zero.step] = null;
    virtual.first = -1;
    virtual.uses = 0;
  }

  /** Constants are written once, for all tasks. */
  #requireVariable(to: Vector): void {
    if (virtualOf(to).isConstant) throw new InternalError('machine code: a constant changes');
  }

  #requireWhole(count: number): void {
    if (count !== this.lanes) throw new InternalError(`machine code: a part of ${count} of ${this.lanes} lanes`);
  }

  // Instructions.

  #integerAt({ slot }: Virtual) {
    return at(memory, this.#frame.integers + slot * word);
  }

  #vectorAt({ slot }: Virtual) {
    return at(memory, this.#frame.vectors + slot * 4 * this.lanes);
  }

  /** The register of an integer or pointer; one of memory is loaded. */
  #in(code: Assembler, value: Integer | Pointer, free: Gpr = low): Gpr {
    const virtual = virtualOf(value);
    if (!virtual.isInMemory) return virtual.register as Gpr;
    code.load(free, this.#integerAt(virtual));
    return free;
  }

  #increment(code: Assembler, value: Integer): Gpr {
    return this.#changed(code, value, (register) => code.addConstant(register, 1));
  }

  /** Changes an integer or pointer where it is, and gives its register. */
  #changed(code: Assembler, value: Integer | Pointer, change: (register: Gpr) => void): Gpr {
    const register = this.#in(code, value);
    change(register);
    const virtual = virtualOf(value);
    if (virtual.isInMemory) code.store(this.#integerAt(virtual), register);
    return register;
  }

  /** The register of a vector; one of memory is loaded into the spare one. */
  #inVector(code: Assembler, virtual: Virtual): number {
    if (!virtual.isInMemory) return virtual.register;
    code.vload(this.#spare, this.#vectorAt(virtual));
    return this.#spare;
  }

  #operandOf(virtual: Virtual) {
    return virtual.isInMemory ? this.#vectorAt(virtual) : virtual.register;
  }

  #loadInto(code: Assembler, register: number, from: Virtual): void {
    if (from.isInMemory) code.vload(register, this.#vectorAt(from));
    else code.vcopy(register, from.register);
  }

  /** `to = a op b`; the registers of `to` and of `b` may be the same. */
  #combine(code: Assembler, op: BasicOp, to: number, a: Virtual, b: Virtual): void {
    // If an operand is NaN, the processor's maximum is its second one.
    let [x, y] = op === 'max' ? [b, a] : [a, b];
    if ((op === 'add' || op === 'mul') && x.isInMemory) [x, y] = [y, x];
    code.v(op, to, this.#inVector(code, x), this.#operandOf(y));
  }

  #addToMemory(code: Assembler, total: Virtual, x: number, y: Virtual): void {
    code.vload(this.#spare, this.#vectorAt(total));
    code.v('addMul', this.#spare, x, this.#operandOf(y));
    code.vstore(this.#vectorAt(total), this.#spare);
  }
}
