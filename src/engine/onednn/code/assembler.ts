import { InternalError } from '../../../errors.js';
import { type Address, GeneralAssembler, type Gpr, type Operand } from './generalAssembler.js';

/** Number of float32 in a vector register: 8 with AVX2, 16 with AVX-512. */
export type Lanes = 8 | 16;

/** Vector registers, by lanes. */
export const vectorRegisters: Readonly<Record<Lanes, number>> = { 8: 16, 16: 32 };

/** Bits per vector register, as the prefixes encode them. */
const lengths = { 128: 0, 256: 1, 512: 2 } as const;
type Bits = keyof typeof lengths;

/**
 * Parts of AVX-512's prefix: a mask register that chooses elements, the others become 0; and a repeated
 * number.
 */
interface Options {
  readonly k?: number;
  readonly zero?: boolean;
  readonly repeats?: boolean;
}

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

/** Operations element by element on float32; the last operand may be memory. */
const arithmetic = {
  add: encoding('x0F', 'none', 0x58),
  mul: encoding('x0F', 'none', 0x59),
  sub: encoding('x0F', 'none', 0x5c),
  div: encoding('x0F', 'none', 0x5e),
  min: encoding('x0F', 'none', 0x5d),
  max: encoding('x0F', 'none', 0x5f),
  /** result = result · a + b, rounded once */
  mulAdd: encoding('x0F38', 'x66', 0xa8),
  /** result = result + a · b, rounded once */
  addMul: encoding('x0F38', 'x66', 0xb8),
} as const;

/** Comparisons; all but the first are true where one is NaN, `less` and `ordered` are false. */
const comparisons = { less: 0x1, unordered: 0x3, notLess: 0x5, ordered: 0x7 } as const;

/**
 * Writes machine code of x86-64 with vectors of 16 float32 (AVX-512: F, BW, VL, BF16) or of 8 (AVX2, FMA).
 * Methods that write an instruction of one of the two say so. The encodings are in Intel's Software
 * Developer's Manual, volume 2: EVEX prefix (2.7), VEX prefix (2.3), opcodes by instruction.
 *
 * A mask chooses elements. With 16 lanes it is in a mask register (1 to 7), with 8 lanes in a vector
 * register.
 */
export class Assembler extends GeneralAssembler {
  readonly #bits: Bits;

  constructor(readonly lanes: Lanes) {
    super();
    this.#bits = lanes === 16 ? 512 : 256;
  }

  /** Bytes of a vector register. */
  get vectorBytes(): number {
    return 4 * this.lanes;
  }

  vload(to: number, from: Address): void {
    this.#vector(encoding('x0F', 'none', 0x10), to, 0, from);
  }

  /** Loads where the mask has a 1, and 0 elsewhere. */
  vloadWhere(k: number, to: number, from: Address): void {
    if (this.lanes === 16) this.#evex(encoding('x0F', 'none', 0x10), 512, to, 0, from, { k, zero: true });
    else this.#vector(encoding('x0F', 'none', 0x54), to, k, from);
  }

  vstore(to: Address, from: number): void {
    this.#vector(encoding('x0F', 'none', 0x11), from, 0, to);
  }

  vcopy(to: number, from: number): void {
    this.#vector(encoding('x0F', 'none', 0x28), to, 0, from);
  }

  /** register = 0 where the mask has a 0 */
  vkeepWhere(k: number, register: number): void {
    if (this.lanes === 16) this.#evex(encoding('x0F', 'none', 0x28), 512, register, 0, register, { k, zero: true });
    else this.#vector(encoding('x0F', 'none', 0x54), register, k, register);
  }

  vzero(register: number): void {
    this.#vector(encoding('x0F', 'x66', 0xef), register, register, register);
  }

  /** `to = a op b` */
  v(op: keyof typeof arithmetic, to: number, a: number, b: Operand): void {
    this.#vector(arithmetic[op], to, a, b);
  }

  /** Moves the bits of each 32-bit integer to the left. */
  vshiftLeft(register: number, bits: number): void {
    this.#vector(encoding('x0F', 'x66', 0x72), 6, register, register);
    this.emit(bits);
  }

  /** `to = a + b` for integers of 32 bits. */
  vaddIntegers(to: number, a: number, b: number): void {
    this.#vector(encoding('x0F', 'x66', 0xfe), to, a, b);
  }

  vsqrt(to: number, from: number): void {
    this.#vector(encoding('x0F', 'none', 0x51), to, 0, from);
  }

  /** Copies a float32 of memory to all places. */
  vbroadcast(to: number, from: Address): void {
    this.#vector(encoding('x0F38', 'x66', 0x18), to, 0, from);
  }

  /** Stores the first float32. */
  vstoreOne(to: Address, from: number): void {
    const move = encoding('x0F', 'xF3', 0x11);
    if (this.lanes === 16) this.#evex(move, 128, from, 0, to);
    else this.#vex(move, 128, from, 0, to);
  }

  /** register = the sum of its elements, in all places. Overwrites a free register. */
  vsumLanes(register: number, free: number): void {
    const exchange = (instruction: Encoding, second: number, order: number) => {
      this.#vector(instruction, free, second, register);
      this.emit(order);
      this.v('add', register, register, free);
    };
    const [pairs, neighbours] = [0x4e, 0xb1];
    const withinQuarter = encoding('x0F3A', 'x66', 0x04);
    if (this.lanes === 16) {
      for (const order of [pairs, neighbours]) exchange(encoding('x0F3A', 'x66', 0x23), register, order);
    } else exchange(encoding('x0F3A', 'x66', 0x06), register, 1);
    for (const order of [pairs, neighbours]) exchange(withinQuarter, 0, order);
  }

  /** Copies one float32 constant to all places. Overwrites the general register. */
  vconstant(to: number, value: number, through: Gpr): void {
    this.set(through, new Int32Array(Float32Array.of(value).buffer)[0]);
    if (this.lanes === 16) {
      this.#evex(encoding('x0F38', 'x66', 0x7c), 512, to, 0, through);
      return;
    }
    this.#vex(encoding('x0F', 'x66', 0x6e), 128, to, 0, through);
    this.#vex(encoding('x0F38', 'x66', 0x18), 256, to, 0, to);
  }

  /** The mask of a comparison of `a` with `b`. */
  vcompare(how: keyof typeof comparisons, k: number, a: number, b: Operand): void {
    this.#vector(encoding('x0F', 'none', 0xc2), k, a, b);
    this.emit(comparisons[how]);
  }

  /** Sets "zero" if the mask has no 1. */
  vtest(k: number): void {
    if (this.lanes === 16) this.emit(0xc5, 0xf8, 0x98, 0xc0 | (k << 3) | k);
    else this.#vex(encoding('x0F38', 'x66', 0x0e), 256, k, 0, k);
  }

  /** `to` = the elements of `b` where the mask has a 1, and those of `a` elsewhere */
  vblend(k: number, to: number, a: number, b: Operand): void {
    if (this.lanes === 16) {
      this.#evex(encoding('x0F38', 'x66', 0x65), 512, to, a, b, { k });
      return;
    }
    this.#vex(encoding('x0F3A', 'x66', 0x4a), 256, to, a, b);
    this.emit(k << 4);
  }

  // 8 lanes alone.

  /** k = k or other, with masks in vector registers */
  vor(k: number, other: number): void {
    this.#vex(encoding('x0F', 'none', 0x56), 256, k, k, other);
  }

  /** Loads 8 bytes of memory as integers of 32 bits. */
  vwidenBytes(to: number, from: Address): void {
    this.#vex(encoding('x0F38', 'x66', 0x31), 256, to, 0, from);
  }

  /** k = a == b for integers of 32 bits */
  vequal(k: number, a: number, b: Operand): void {
    this.#vex(encoding('x0F', 'x66', 0x76), 256, k, a, b);
  }

  /** Stores 8 integers of 32 bits, which are below 256, as bytes. Overwrites the register and a free one. */
  vstoreBytes(to: Address, from: number, free: number): void {
    this.#vex(encoding('x0F3A', 'x66', 0x39), 256, from, 0, free);
    this.emit(1);
    this.#vex(encoding('x0F38', 'x66', 0x2b), 128, from, from, free);
    this.#vex(encoding('x0F', 'x66', 0x67), 128, from, from, from);
    this.#vex(encoding('x0F', 'x66', 0xd6), 128, from, 0, to);
  }

  // 16 lanes alone.

  /** k = the mask of a comparison where it was 1, and 0 elsewhere */
  vcompareWhere(how: keyof typeof comparisons, k: number, a: number, b: Operand): void {
    this.#evex(encoding('x0F', 'none', 0xc2), 512, k, a, b, { k });
    this.emit(comparisons[how]);
  }

  /** register = register + memory where the mask has a 1 */
  vaddWhere(k: number, register: number, from: Address): void {
    this.#evex(arithmetic.add, 512, register, register, from, { k });
  }

  /** `to = to + a · b`, where `b` is one float32 of memory, used for all places. */
  vaddMulOne(to: number, a: number, b: Address): void {
    this.#evex(arithmetic.addMul, 512, to, a, b, { repeats: true });
  }

  /** `to = to + a · b` for pairs of bfloat16: two products are added to each of 16 float32. */
  vaddDot(to: number, a: number, b: number): void {
    this.#evex(encoding('x0F38', 'xF3', 0x52), 512, to, a, b);
  }

  /** Copies the lowest byte of a general register to 16 places. */
  vbroadcastByte(to: number, from: Gpr): void {
    this.#evex(encoding('x0F38', 'x66', 0x7a), 128, to, 0, from);
  }

  /** Copies 16 bytes between registers. */
  vcopy16Bytes(to: number, from: number): void {
    this.#evex(encoding('x0F', 'xF2', 0x6f), 128, to, 0, from);
  }

  vstore16Bytes(to: Address, from: number): void {
    this.#evex(encoding('x0F', 'none', 0x11), 128, from, 0, to);
  }

  /** {@link vblend} for 16 bytes */
  vblend16Bytes(k: number, to: number, a: number, b: number): void {
    this.#evex(encoding('x0F38', 'x66', 0x66), 128, to, a, b, { k });
  }

  /** k = a == b for 16 bytes */
  vequal16Bytes(k: number, a: number, b: Operand): void {
    this.#evex(encoding('x0F', 'x66', 0x74), 128, k, a, b);
  }

  /** Loads 16 bfloat16 of memory as float32, with a mask only where it has a 1, and 0 elsewhere. */
  vwiden(to: number, from: Address, k = 0): void {
    this.#evex(encoding('x0F38', 'x66', 0x33), 512, to, 0, from, { k, zero: k > 0 });
    this.#evex(encoding('x0F', 'x66', 0x72), 512, 6, to, to);
    this.emit(16);
  }

  /** Stores 16 float32, which have values of bfloat16 already, as bfloat16. Overwrites the register. */
  vstoreUpperHalves(to: Address, from: number): void {
    this.#evex(encoding('x0F', 'x66', 0x72), 512, 2, from, from);
    this.emit(16);
    this.#evex(encoding('x0F38', 'xF3', 0x33), 512, from, 0, to);
  }

  /** Stores 16 float32, rounded to the nearest bfloat16. Overwrites the register. */
  vstoreRounded(to: Address, from: number): void {
    this.#evex(encoding('x0F38', 'xF3', 0x72), 512, from, 0, from);
    this.#evex(encoding('x0F', 'none', 0x11), 256, from, 0, to);
  }

  /** To be used before code without AVX runs again. */
  vzeroupper(): void {
    this.emit(0xc5, 0xf8, 0x77);
  }

  /** An instruction that both widths have. */
  #vector(instruction: Encoding, register: number, second: number, operand: Operand): void {
    if (this.lanes === 16) this.#evex(instruction, this.#bits, register, second, operand);
    else this.#vex(instruction, this.#bits, register, second, operand);
  }

  #vex({ map, prefix, opcode }: Encoding, bits: Bits, register: number, second: number, operand: Operand): void {
    this.#require(8, register, second, typeof operand === 'number' ? operand : 0);
    const rm = typeof operand === 'number' ? operand : operand.base;
    const inverted = (value: number) => ((value >> 3) & 1) ^ 1;
    // Memory operands have no index.
    const p0 = (inverted(register) << 7) | (1 << 6) | (inverted(rm) << 5) | maps[map];
    const p1 = ((~second & 0xf) << 3) | (lengths[bits] << 2) | prefixes[prefix];
    this.emit(0xc4, p0, p1, opcode);
    this.modrm(register, operand);
  }

  #evex(
    { map, prefix, opcode }: Encoding,
    bits: Bits,
    register: number,
    second: number,
    operand: Operand,
    { k = 0, zero = false, repeats = false }: Options = {},
  ): void {
    this.#require(16, register, second, typeof operand === 'number' ? operand : 0);
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
    const p2 = (zero ? 0x80 : 0) | (lengths[bits] << 5) | (repeats ? 0x10 : 0) | (inverted(second, 4) << 3) | k;
    this.emit(0x62, p0, p1, p2, opcode);
    this.modrm(register, operand);
  }

  /**
   * An instruction of the other width, or a register that is not there, would be encoded as another
   * instruction.
   */
  #require(lanes: Lanes, ...registers: readonly number[]): void {
    if (this.lanes === lanes && registers.every((register) => register < vectorRegisters[lanes])) return;
    throw new InternalError(`machine code: no such instruction with ${this.lanes} lanes, or register of ${registers}`);
  }
}
