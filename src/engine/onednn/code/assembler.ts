import { InternalError } from '../../../errors.js';

/** General registers by their x86-64 numbers. */
export const gpr = {
  rax: 0,
  rcx: 1,
  rdx: 2,
  rbx: 3,
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

/** A vector register's number, or memory. */
type Operand = number | Address;

export interface Label {
  place: number;
}

/** Number of float32 in a vector register. */
export type Lanes = 16;

/** Bits per vector register, as EVEX encodes them. */
const lengths = { 128: 0, 256: 1, 512: 2 } as const;
type Bits = keyof typeof lengths;

/**
 * The elements of the result that are written: those with a 1 in mask register `k`. The others stay as they
 * are, or become 0.
 */
export interface Masking {
  readonly k: number;
  readonly zero?: boolean;
}

/** Conditional jumps by the lower half of their opcode. */
const conditions = { aboveOrEqual: 0x3, zero: 0x4, notZero: 0x5 } as const;

const prefixes = { none: 0, x66: 1, xF3: 2, xF2: 3 } as const;
const maps = { x0F: 1, x0F38: 2, x0F3A: 3 } as const;

interface Encoding {
  readonly map: keyof typeof maps;
  readonly prefix: keyof typeof prefixes;
  readonly opcode: number;
}

const encoding = (map: Encoding['map'], prefix: Encoding['prefix'], opcode: number): Encoding => ({
  map,
  prefix,
  opcode,
});

/** Operations element by element on 16 float32; the last operand may be memory. */
const arithmetic = {
  add: encoding('x0F', 'none', 0x58),
  mul: encoding('x0F', 'none', 0x59),
  sub: encoding('x0F', 'none', 0x5c),
  div: encoding('x0F', 'none', 0x5e),
  max: encoding('x0F', 'none', 0x5f),
  /** result = result · a + b, rounded once */
  mulAdd: encoding('x0F38', 'x66', 0xa8),
  /** result = result + a · b, rounded once */
  addMul: encoding('x0F38', 'x66', 0xb8),
} as const;

/**
 * Writes machine code of x86-64 with AVX-512 (F, BW, VL, BF16). It has only the few instructions that the
 * kernels here use. The encodings are in Intel's Software Developer's Manual, volume 2: EVEX prefix (2.7),
 * opcodes by instruction.
 */
export class Assembler {
  readonly #bytes: number[] = [];
  readonly #jumps: { readonly place: number; readonly label: Label }[] = [];

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

  /** The code, with its jumps filled in. */
  finish(): Uint8Array {
    const code = Uint8Array.from(this.#bytes);
    const fields = new DataView(code.buffer);
    for (const { place, label } of this.#jumps) {
      if (label.place < 0) throw new InternalError('jump to a label that is nowhere');
      fields.setInt32(place, label.place - (place + 4), true);
    }
    return code;
  }

  // General registers, 64 bits.

  push(register: Counter): void {
    this.#emit(...(register >= 8 ? [0x41] : []), 0x50 | (register & 7));
  }

  pop(register: Counter): void {
    this.#emit(...(register >= 8 ? [0x41] : []), 0x58 | (register & 7));
  }

  /** register = constant (32 bits, not negative) */
  set(register: Counter, value: number): void {
    this.#emit(...(register >= 8 ? [0x41] : []), 0xb8 | (register & 7), ...int32(value));
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

  add(to: Gpr, from: Gpr | Address): void {
    this.#wide(0x03, to, from);
  }

  addConstant(to: Gpr, value: number): void {
    if (value === 0) return;
    this.#wide(0x81, 0, to);
    this.#emit(...int32(value));
  }

  multiplyBy(register: Gpr, value: number): void {
    this.#wide(0x69, register, register);
    this.#emit(...int32(value));
  }

  compare(a: Gpr, b: Address): void {
    this.#wide(0x3b, a, b);
  }

  /** Sets "zero" if none of the bits is set. */
  testBits(register: Gpr, bits: number): void {
    this.#wide(0xf7, 0, register);
    this.#emit(...int32(bits));
  }

  decrement(register: Counter): void {
    this.#wide(0xff, 1, register);
  }

  /** Asks for a cache line that will be read later. An invalid address does no harm. */
  prefetch(memory: Address): void {
    if (memory.base >= 8) this.#emit(0x41);
    this.#emit(0x0f, 0x18);
    this.#modrm(1, memory);
  }

  /** Adds to memory atomically; the register gets the old contents. */
  fetchAdd(memory: Address, register: Gpr): void {
    this.#emit(0xf0);
    this.#emit(this.#rex(register, memory.base), 0x0f, 0xc1);
    this.#modrm(register, memory);
  }

  jump(label: Label, condition?: keyof typeof conditions): void {
    if (condition === undefined) this.#emit(0xe9);
    else this.#emit(0x0f, 0x80 | conditions[condition]);
    this.#jumps.push({ place: this.place, label });
    this.#emit(...int32(0));
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
    this.#emit(this.#rex(0, memory.base), 0xff);
    this.#modrm(2, memory);
  }

  ret(): void {
    this.#emit(0xc3);
  }

  // Vector registers 0 to 31, mask registers 1 to 7.

  /** Copies 16 float32, or `bits` bits, to or from memory; `masking` is by float32. */
  vload(to: number, from: Address, bits: Bits = 512, masking?: Masking): void {
    this.#evex(encoding('x0F', 'none', 0x10), bits, to, 0, from, masking);
  }

  vstore(to: Address, from: number, bits: Bits = 512): void {
    this.#evex(encoding('x0F', 'none', 0x11), bits, from, 0, to);
  }

  vcopy(to: number, from: number, masking?: Masking): void {
    this.#evex(encoding('x0F', 'none', 0x28), 512, to, 0, from, masking);
  }

  /** Copies 16 bytes between registers. */
  vcopyBytes(to: number, from: number, masking?: Masking): void {
    this.#evex(encoding('x0F', 'xF2', 0x6f), 128, to, 0, from, masking);
  }

  vzero(register: number): void {
    this.#evex(encoding('x0F', 'x66', 0xef), 512, register, register, register);
  }

  /** Copies the lowest byte of a general register to 16 places. */
  vbroadcastByte(to: number, from: Gpr): void {
    this.#evex(encoding('x0F38', 'x66', 0x7a), 128, to, 0, from);
  }

  /** `to = a op b` on 16 float32. */
  v(op: keyof typeof arithmetic, to: number, a: number, b: Operand, masking?: Masking): void {
    this.#evex(arithmetic[op], 512, to, a, b, masking);
  }

  /** `to = to + a · b`, where `b` is one float32 of memory, used for all places. */
  vaddMulOne(to: number, a: number, b: Address): void {
    this.#evex(arithmetic.addMul, 512, to, a, b, undefined, true);
  }

  /** `to = to + a · b` for pairs of bfloat16: two products are added to each of 16 float32. */
  vaddDot(to: number, a: number, b: number): void {
    this.#evex(encoding('x0F38', 'xF3', 0x52), 512, to, a, b);
  }

  vsqrt(to: number, from: number): void {
    this.#evex(encoding('x0F', 'none', 0x51), 512, to, 0, from);
  }

  /** Copies a float32 of memory to all 16 places. */
  vbroadcast(to: number, from: Address): void {
    this.#evex(encoding('x0F38', 'x66', 0x18), 512, to, 0, from);
  }

  /** Copies one float32 constant to all 16 places. Overwrites the general register. */
  vconstant(to: number, value: number, through: Gpr): void {
    this.set(through, new Int32Array(Float32Array.of(value).buffer)[0]);
    this.#evex(encoding('x0F38', 'x66', 0x7c), 512, to, 0, through);
  }

  /** k = a < b, false where one is NaN */
  vless(k: number, a: number, b: Operand): void {
    this.#evex(encoding('x0F', 'none', 0xc2), 512, k, a, b);
    this.#emit(0x01);
  }

  /** k = not a < b, true where one is NaN; with a mask, only where the mask is 1, and 0 elsewhere */
  vnotLess(k: number, a: number, b: Operand, masking?: Masking): void {
    this.#evex(encoding('x0F', 'none', 0xc2), 512, k, a, b, masking);
    this.#emit(0x05);
  }

  /** k = neither is NaN */
  vordered(k: number, a: number, b: Operand): void {
    this.#evex(encoding('x0F', 'none', 0xc2), 512, k, a, b);
    this.#emit(0x07);
  }

  /** k = one of them is NaN */
  vunordered(k: number, a: number, b: Operand): void {
    this.#evex(encoding('x0F', 'none', 0xc2), 512, k, a, b);
    this.#emit(0x03);
  }

  /** Sets "zero" if a mask of 16 bits has no 1. */
  testMask(k: number): void {
    this.#emit(0xc5, 0xf8, 0x98, 0xc0 | (k << 3) | k);
  }

  /** `to` = the float32 of `b` where the mask has a 1, and those of `a` elsewhere (16 in all) */
  vblend(to: number, a: number, b: number, k: number): void {
    this.#evex(encoding('x0F38', 'x66', 0x65), 512, to, a, b, { k });
  }

  /** The same for 16 bytes. */
  vblendBytes(to: number, a: number, b: number, k: number): void {
    this.#evex(encoding('x0F38', 'x66', 0x66), 128, to, a, b, { k });
  }

  /** k = a == b for 16 bytes */
  vequalBytes(k: number, a: number, b: Operand): void {
    this.#evex(encoding('x0F', 'x66', 0x74), 128, k, a, b);
  }

  /** Loads 16 bfloat16 of memory as float32. */
  vwiden(to: number, from: Address, masking?: Masking): void {
    this.#evex(encoding('x0F38', 'x66', 0x33), 512, to, 0, from, masking);
    this.#evex(encoding('x0F', 'x66', 0x72), 512, 6, to, to);
    this.#emit(16);
  }

  /** Stores 16 float32, which have values of bfloat16 already, as bfloat16. Overwrites the register. */
  vstoreUpperHalves(to: Address, from: number): void {
    this.#evex(encoding('x0F', 'x66', 0x72), 512, 2, from, from);
    this.#emit(16);
    this.#evex(encoding('x0F38', 'xF3', 0x33), 512, from, 0, to);
  }

  /** Stores 16 float32, rounded to the nearest bfloat16. Overwrites the register. */
  vstoreRounded(to: Address, from: number): void {
    this.#evex(encoding('x0F38', 'xF3', 0x72), 512, from, 0, from);
    this.vstore(to, from, 256);
  }

  /** To be used before code without AVX runs again. */
  vzeroupper(): void {
    this.#emit(0xc5, 0xf8, 0x77);
  }

  #emit(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
  }

  #rex(register: number, base: number): number {
    return 0x48 | ((register >> 3) << 2) | (base >> 3);
  }

  /** An instruction on 64 bits: REX.W, opcode, operands. */
  #wide(opcode: number, register: number, operand: Counter | Address): void {
    this.#emit(this.#rex(register, typeof operand === 'number' ? operand : operand.base), opcode);
    this.#modrm(register, operand);
  }

  /** The base is never rsp or r12, so that no SIB byte is needed; offsets always take four bytes. */
  #modrm(register: number, operand: Operand): void {
    if (typeof operand === 'number') {
      this.#emit(0xc0 | ((register & 7) << 3) | (operand & 7));
      return;
    }
    this.#emit(0x80 | ((register & 7) << 3) | (operand.base & 7), ...int32(operand.offset));
  }

  #evex(
    { map, prefix, opcode }: Encoding,
    bits: Bits,
    register: number,
    second: number,
    operand: Operand,
    masking?: Masking,
    broadcast = false,
  ): void {
    const rm = typeof operand === 'number' ? operand : operand.base;
    const inverted = (value: number, bit: number) => ((value >> bit) & 1) ^ 1;
    const p0 =
      (inverted(register, 3) << 7) |
      // This is the fifth bit of a register; memory operands have no index.
      ((typeof operand === 'number' ? inverted(rm, 4) : 1) << 6) |
      (inverted(rm, 3) << 5) |
      (inverted(register, 4) << 4) |
      maps[map];
    const p1 = ((~second & 0xf) << 3) | 0x4 | prefixes[prefix];
    const zeroing = masking?.zero === true ? 0x80 : 0;
    const repeats = broadcast ? 0x10 : 0;
    const p2 = zeroing | (lengths[bits] << 5) | repeats | (inverted(second, 4) << 3) | (masking?.k ?? 0);
    this.#emit(0x62, p0, p1, p2, opcode);
    this.#modrm(register, operand);
  }
}

function int32(value: number): readonly number[] {
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) {
    throw new InternalError(`machine code: ${value} does not fit into 32 bits`);
  }
  return [value, value >> 8, value >> 16, value >> 24];
}
