import { InternalError } from '../../../errors.js';

/** General registers by their x86-64 numbers. */
export const gpr = {
  rax: 0,
  rcx: 1,
  rdx: 2,
  rbx: 3,
  rbp: 5,
  rsi: 6,
  rdi: 7,
  r8: 8,
  r9: 9,
  r10: 10,
  r11: 11,
  r13: 13,
  r14: 14,
  r15: 15,
} as const;
export type Gpr = (typeof gpr)[keyof typeof gpr];

/** r12: as a base it would need another encoding. */
export const counter = 12 as const;
type Counter = Gpr | typeof counter;

/** `[base + offset]` */
export interface Address {
  readonly base: Gpr;
  readonly offset: number;
}

export const at = (base: Gpr, offset = 0): Address => ({ base, offset });

/** A register's number, or memory. */
export type Operand = number | Address;

export interface Label {
  place: number;
}

/** Conditional jumps by the lower half of their opcode. */
const conditions = { below: 0x2, aboveOrEqual: 0x3, zero: 0x4, notZero: 0x5 } as const;

/** Constants behind the code begin at cache lines. */
const lineBytes = 64;

/**
 * Writes machine code of x86-64 for general registers (64 bits), with jumps, loops and constants. It has
 * only the few instructions that the kernels here use. The encodings are in Intel's Software Developer's
 * Manual, volume 2.
 */
export class GeneralAssembler {
  readonly #bytes: number[] = [];
  /** Fields of 32 bits that get the distance from their end to a label. */
  readonly #distances: { readonly place: number; readonly label: Label }[] = [];
  readonly #constants: { readonly label: Label; readonly bytes: Uint8Array }[] = [];

  /** Bytes written so far: the place of the next instruction. */
  get place(): number {
    return this.#bytes.length;
  }

  label(): Label {
    return { place: -1 };
  }

  bind(label: Label): void {
    label.place = this.place;
  }

  /** Constants that {@link finish} puts behind the code. */
  constants(bytes: Uint8Array): Label {
    const label = this.label();
    this.#constants.push({ label, bytes });
    return label;
  }

  /** The code with its jumps filled in, and its constants. */
  finish(): Uint8Array {
    for (const { label, bytes } of this.#constants.splice(0)) {
      while (this.place % lineBytes !== 0) this.emit(0);
      this.bind(label);
      this.emit(...bytes);
    }
    const code = Uint8Array.from(this.#bytes);
    const fields = new DataView(code.buffer);
    for (const { place, label } of this.#distances) {
      if (label.place < 0) throw new InternalError('jump to a label that is nowhere');
      fields.setInt32(place, label.place - (place + 4), true);
    }
    return code;
  }

  push(register: Counter): void {
    this.emit(...(register >= 8 ? [0x41] : []), 0x50 | (register & 7));
  }

  pop(register: Counter): void {
    this.emit(...(register >= 8 ? [0x41] : []), 0x58 | (register & 7));
  }

  /** register = constant (32 bits, not negative) */
  set(register: Counter, value: number): void {
    this.emit(...(register >= 8 ? [0x41] : []), 0xb8 | (register & 7), ...int32(value));
  }

  /** register = address of a label */
  locate(register: Gpr, label: Label): void {
    this.emit(this.#rex(register, 0), 0x8d, ((register & 7) << 3) | 5);
    this.#distanceTo(label);
  }

  copy(to: Gpr, from: Gpr): void {
    this.#wide(0x89, from, to);
  }

  load(to: Gpr, from: Address): void {
    this.#wide(0x8b, to, from);
  }

  store(to: Address, from: Gpr): void {
    this.#wide(0x89, from, to);
  }

  /** register = base + offset */
  loadAddress(to: Gpr, address: Address): void {
    this.#wide(0x8d, to, address);
  }

  add(to: Gpr, from: Gpr | Address): void {
    this.#wide(0x03, to, from);
  }

  addConstant(to: Gpr, value: number): void {
    if (value === 0) return;
    this.#wide(0x81, 0, to);
    this.emit(...int32(value));
  }

  multiplyBy(register: Gpr, value: number): void {
    this.#wide(0x69, register, register);
    this.emit(...int32(value));
  }

  compare(a: Gpr, b: Gpr | Address): void {
    this.#wide(0x3b, a, b);
  }

  compareConstant(register: Gpr, value: number): void {
    this.#wide(0x81, 7, register);
    this.emit(...int32(value));
  }

  /** Divides rdx:rax without sign: rax = quotient, rdx = remainder. */
  divide(by: Gpr): void {
    this.#wide(0xf7, 6, by);
  }

  /** Sets "zero" if none of the bits is set. */
  testBits(register: Gpr, bits: number): void {
    this.#wide(0xf7, 0, register);
    this.emit(...int32(bits));
  }

  decrement(register: Counter): void {
    this.#wide(0xff, 1, register);
  }

  /** Asks for a cache line that will be read later. An invalid address does no harm. */
  prefetch(memory: Address): void {
    if (memory.base >= 8) this.emit(0x41);
    this.emit(0x0f, 0x18);
    this.modrm(1, memory);
  }

  /** Adds to memory atomically; the register gets the old contents. */
  fetchAdd(memory: Address, register: Gpr): void {
    this.emit(0xf0);
    this.emit(this.#rex(register, memory.base), 0x0f, 0xc1);
    this.modrm(register, memory);
  }

  jump(label: Label, condition?: keyof typeof conditions): void {
    if (condition === undefined) this.emit(0xe9);
    else this.emit(0x0f, 0x80 | conditions[condition]);
    this.#distanceTo(label);
  }

  /** Repeats `body` `count` times (at least once), counted in a register. There is no loop for one time. */
  repeat(register: Counter, count: number, body: () => void): void {
    const again = this.label();
    if (count > 1) {
      this.set(register, count);
      this.bind(again);
    }
    body();
    if (count > 1) {
      this.decrement(register);
      this.jump(again, 'notZero');
    }
  }

  callAt(memory: Address): void {
    this.emit(this.#rex(0, memory.base), 0xff);
    this.modrm(2, memory);
  }

  ret(): void {
    this.emit(0xc3);
  }

  protected emit(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
  }

  /** The base is never rsp or r12, so that no SIB byte is needed; offsets always take four bytes. */
  protected modrm(register: number, operand: Operand): void {
    if (typeof operand === 'number') {
      this.emit(0xc0 | ((register & 7) << 3) | (operand & 7));
      return;
    }
    this.emit(0x80 | ((register & 7) << 3) | (operand.base & 7), ...int32(operand.offset));
  }

  #distanceTo(label: Label): void {
    this.#distances.push({ place: this.place, label });
    this.emit(...int32(0));
  }

  #rex(register: number, base: number): number {
    return 0x48 | ((register >> 3) << 2) | (base >> 3);
  }

  /** An instruction on 64 bits: REX.W, opcode, operands. */
  #wide(opcode: number, register: number, operand: Counter | Address): void {
    this.emit(this.#rex(register, typeof operand === 'number' ? operand : operand.base), opcode);
    this.modrm(register, operand);
  }
}

function int32(value: number): readonly number[] {
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) {
    throw new InternalError(`machine code: ${value} does not fit into 32 bits`);
  }
  return [value, value >> 8, value >> 16, value >> 24];
}
