import type { Assembler, Lanes } from './assembler.js';
import { type Address, at, type Label } from './generalAssembler.js';
import { scratch } from './kernel.js';
import type { Registers } from './registers.js';

/** Most positions in a window. */
export const mostPositions = 16;

/** The address of the table of numbers. Routines must not change this register. */
const tableAt = scratch[scratch.length - 1];

/**
 * Positions in windows, by number: memory has a byte for each result. A vector register has one number for
 * each lane: bytes in registers of their own with 16 lanes; with 8 lanes, which have fewer registers and
 * wider masks, integers of 32 bits in a table behind the code.
 */
export class Positions {
  readonly #lanes: Lanes;
  /** With 16 lanes, the registers of all numbers; otherwise one that is free. */
  readonly #registers: readonly number[];
  #table: Label | null = null;

  constructor(lanes: Lanes, registers: Registers) {
    this.#lanes = lanes;
    this.#registers = registers.vectors(lanes === 16 ? mostPositions : 1);
  }

  /** Makes the numbers, once in each thread. */
  prepare(to: Assembler): void {
    if (this.#lanes === 16) {
      const [number] = scratch;
      this.#registers.forEach((register, position) => {
        to.set(number, position);
        to.vbroadcastByte(register, number);
      });
      return;
    }
    const numbers = Int32Array.from({ length: mostPositions * 8 }, (_, i) => i >> 3);
    this.#table ??= to.constants(new Uint8Array(numbers.buffer));
    to.locate(tableAt, this.#table);
  }

  /** where = position */
  set(to: Assembler, where: number, position: number): void {
    if (this.#lanes === 16) to.vcopy16Bytes(where, this.#registers[position]);
    else to.vload(where, this.#inTable(position));
  }

  /**
   * Where `value` is larger than the best one so far, or NaN, it becomes the best one, and its position,
   * if it is given, the best position. So a NaN stays, unless another NaN follows.
   */
  keepLarger(
    to: Assembler,
    mask: number,
    best: number,
    value: number,
    found?: { readonly where: number; readonly position: number },
  ): void {
    if (this.#lanes === 16) {
      // The mask has a 1 where the best value stays.
      to.vcompare('ordered', mask, value, value);
      to.vcompareWhere('notLess', mask, best, value);
      to.vblend(mask, best, value, best);
      if (found) to.vblend16Bytes(mask, found.where, this.#registers[found.position], found.where);
      return;
    }
    const [other] = this.#registers;
    to.vcompare('unordered', mask, value, value);
    to.vcompare('less', other, best, value);
    to.vor(mask, other);
    to.vblend(mask, best, best, value);
    if (found) to.vblend(mask, found.where, found.where, this.#inTable(found.position));
  }

  /** mask = the lanes with this position in memory */
  equal(to: Assembler, mask: number, position: number, memory: Address): void {
    if (this.#lanes === 16) {
      to.vequal16Bytes(mask, this.#registers[position], memory);
      return;
    }
    const [stored] = this.#registers;
    to.vwidenBytes(stored, memory);
    to.vequal(mask, stored, this.#inTable(position));
  }

  /** Overwrites the register. */
  store(to: Assembler, memory: Address, where: number): void {
    if (this.#lanes === 16) to.vstore16Bytes(memory, where);
    else to.vstoreBytes(memory, where, this.#registers[0]);
  }

  #inTable(position: number): Address {
    return at(tableAt, position * 32);
  }
}
