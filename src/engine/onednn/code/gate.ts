import type { Gate } from '../../../graph/op.js';
import type { Assembler } from './assembler.js';
import { at, type Gpr, type Label } from './generalAssembler.js';

const float = 4;

/** Coefficients of e^r for |r| ≤ ln(2)/2, from the highest power on (Moshier, Cephes, expf). */
const exponential = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5, 1, 1,
] as const;

/** Adding it leaves a whole number in the lowest bits. */
const whole = 1.5 * 2 ** 23;
const exponentBits = 23;

/** ln 2 in two parts, of which the first has few bits. */
const [ln2, ln2Rest] = [0.693359375, -2.1219444e-4];

const numbers = {
  zero: 0,
  half: 0.5,
  one: 1,
  minusOne: -1,
  three: 3,
  minusThree: -3,
  sixth: 1 / 6,
  third: 1 / 3,
  least: -87,
  most: 87,
  perLn2: Math.LOG2E,
  whole,
  ln2: -ln2,
  ln2Rest: -ln2Rest,
} as const;

const names = Object.keys(numbers) as (keyof typeof numbers)[];

/** Vector registers that a gate overwrites, and a mask. */
export interface GateRegisters {
  readonly free: readonly number[];
  readonly mask: number;
}

/** Number of vector registers that a gate overwrites. */
export const gateRegisters = 3;

/** Code for a smooth step times x. Its constants are in memory, since passes leave few registers. */
export class GateCode {
  readonly #constants: Label;

  /** @param pointer holds the address of the constants */
  constructor(
    readonly gate: Gate,
    readonly to: Assembler,
    readonly pointer: Gpr,
  ) {
    const values = [...names.map((name) => numbers[name]), ...exponential];
    const vectors = Float32Array.from(values.flatMap((value) => new Array<number>(to.lanes).fill(value)));
    this.#constants = to.constants(new Uint8Array(vectors.buffer));
  }

  /** To be written before the first use in a routine. */
  begin(): void {
    this.to.locate(this.pointer, this.#constants);
  }

  /** `value = gate(value)` */
  apply(value: number, { free: [a, b, c] }: GateRegisters): void {
    const { to } = this;
    if (this.gate === 'silu') this.#sigmoid(value, [a, b, c]);
    else {
      to.vload(a, this.#at('half'));
      to.v('addMul', a, value, this.#at('sixth'));
      to.v('max', a, a, this.#at('zero'));
      to.v('min', a, a, this.#at('one'));
    }
    to.v('mul', value, value, a);
  }

  /** `gradient = gradient · gate'(value)` */
  differentiate(gradient: number, value: number, { free: [a, b, c], mask }: GateRegisters): void {
    const { to } = this;
    if (this.gate === 'silu') {
      // σ·(1 + x·(1 − σ))
      this.#sigmoid(value, [a, b, c]);
      to.vload(b, this.#at('one'));
      to.v('sub', b, b, a);
      to.v('mul', b, b, value);
      to.v('add', b, b, this.#at('one'));
      to.v('mul', a, a, b);
    } else {
      // x/3 + 1/2 between −3 and 3, 0 below and 1 above.
      to.vload(a, this.#at('half'));
      to.v('addMul', a, value, this.#at('third'));
      to.vload(b, this.#at('minusThree'));
      to.vcompare('less', mask, b, value);
      to.vkeepWhere(mask, a);
      to.vload(b, this.#at('one'));
      to.vcompare('less', mask, value, this.#at('three'));
      to.vblend(mask, a, b, a);
      // The comparisons lose NaN.
      to.v('addMul', a, value, this.#at('zero'));
    }
    to.v('mul', gradient, gradient, a);
  }

  /** `a = 1/(1 + e^−value)` */
  #sigmoid(value: number, [a, b, c]: readonly [number, number, number] | readonly number[]): void {
    const { to } = this;
    to.v('mul', a, value, this.#at('minusOne'));
    to.v('max', a, a, this.#at('least'));
    to.v('min', a, a, this.#at('most'));
    to.vload(b, this.#at('whole'));
    to.v('addMul', b, a, this.#at('perLn2'));
    to.v('sub', c, b, this.#at('whole'));
    to.v('addMul', a, c, this.#at('ln2'));
    to.v('addMul', a, c, this.#at('ln2Rest'));
    to.vload(c, this.#coefficient(0));
    for (let i = 1; i < exponential.length; i++) to.v('mulAdd', c, a, this.#coefficient(i));
    to.vshiftLeft(b, exponentBits);
    to.vaddIntegers(c, c, b);
    to.v('add', c, c, this.#at('one'));
    to.vload(a, this.#at('one'));
    to.v('div', a, a, c);
  }

  #at(name: keyof typeof numbers) {
    return at(this.pointer, names.indexOf(name) * this.to.lanes * float);
  }

  #coefficient(i: number) {
    return at(this.pointer, (names.length + i) * this.to.lanes * float);
  }
}
