import { InternalError } from '../../../errors.js';
import { type Lanes, vectorRegisters } from './assembler.js';

const maskRegisters = 7;

/** Hands out the registers of a kernel. With 8 lanes masks take vector registers. */
export class Registers {
  readonly #lanes: Lanes;
  #vectors = 0;
  #masks = 0;

  constructor(lanes: Lanes) {
    this.#lanes = lanes;
  }

  vectors(count: number): readonly number[] {
    return Array.from({ length: count }, () => this.vector());
  }

  vector(): number {
    if (this.#vectors === vectorRegisters[this.#lanes])
      throw new InternalError('machine code: no vector register left');
    return this.#vectors++;
  }

  masks(count: number): readonly number[] {
    return Array.from({ length: count }, () => this.mask());
  }

  mask(): number {
    if (this.#lanes === 8) return this.vector();
    if (this.#masks === maskRegisters) throw new InternalError('machine code: no mask register left');
    return ++this.#masks;
  }
}
