import { bytesPerElement, type StoredDType } from '../../../graph/dtype.js';
import type { Activation } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import { type FeatureType, storeFeatures } from './featureLayout.js';
import { at } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadOperand, scratch } from './kernel.js';

/**
 * With more images the library's products of matrices read the weights as fast as the memory delivers them.
 */
const mostRows = 4;
/** This code needs AVX-512's instructions for bfloat16. */
const lanes = 16;
/** Number of independent sums, so that no addition waits for the one before. */
const sums = 8;
const lineBytes = 64;
/** The processor's own prefetching stops at the end of a page. The weights should arrive just in time. */
const aheadBytes = 4096;
/** With fewer weights than this, they stay in the caches. */
const fewestWeights = 1 << 20;

/**
 * y = x · weight + bias for a few rows of x, with weights in bfloat16. Every weight is read once, in the
 * order of memory. Sums are float32.
 */
export class FewRows {
  private constructor(
    readonly rows: number,
    readonly features: number,
    readonly outputs: number,
    readonly result: FeatureType,
    readonly relu: boolean,
  ) {}

  /**
   * `null` where the library is as fast, as with float32, and where there is no code for it.
   *
   * @param x shape `[N, I]`
   * @param outputs of the weights `[I, outputs]`
   * @param types of the weights and of y
   */
  static create(
    [rows, features]: Shape,
    outputs: number,
    types: { readonly weights: StoredDType; readonly dst: StoredDType },
    activation: Activation | undefined,
  ): FewRows | null {
    const { weights, dst } = types;
    if (weights !== 'bfloat16' || (dst !== 'bfloat16' && dst !== 'float32') || codeLanes('bfloat16') !== lanes)
      return null;
    if (rows > mostRows || features < sums || outputs % lanes !== 0 || features * outputs < fewestWeights) return null;
    if (activation !== undefined && activation.fn !== 'relu') return null;
    return new FewRows(rows, features, outputs, dst, activation !== undefined);
  }

  /** The layout of the weights: blocks of 16 outputs, each with a row of 16 for every feature. */
  get weights(): MemoryDesc {
    const { features, outputs } = this;
    return MemoryDesc.strided([features, outputs / lanes, lanes], [lanes, features * lanes, 1], 'bfloat16');
  }

  /** Operands: y, x (float32), weights, bias. */
  code(hasBias: boolean): KernelCode {
    const { rows, features, outputs, result, relu } = this;
    const [y, x, weights, bias, count] = scratch;
    const unroll = Math.floor(sums / rows);
    const vector = lanes * bytesPerElement('bfloat16');
    const resultBytes = bytesPerElement(result);
    const [weight, zero] = [16, 31];
    return kernelCode(lanes, (to) => {
      const routine = to.label();
      to.bind(routine);
      loadOperand(to, y, 0, 0);
      loadOperand(to, x, 1);
      loadOperand(to, weights, 2, 1);
      if (hasBias) loadOperand(to, bias, 3, 2);
      for (let sum = 0; sum < unroll * rows; sum++) to.vzero(sum);
      const feature = (i: number) => {
        const register = weight + (i & 7);
        to.vwiden(register, at(weights, i * vector));
        for (let row = 0; row < rows; row++) {
          to.vaddMulOne((i % unroll) * rows + row, register, at(x, 4 * (row * features + i)));
        }
      };
      const [blocks, rest] = [Math.floor(features / unroll), features % unroll];
      to.repeat(count, blocks, () => {
        for (let i = 0; i < unroll; i++) {
          if ((i * vector) % lineBytes === 0) to.prefetch(at(weights, aheadBytes + i * vector));
          feature(i);
        }
        to.addConstant(weights, unroll * vector);
        to.addConstant(x, unroll * 4);
      });
      for (let i = 0; i < rest; i++) feature(i);
      to.vzero(zero);
      for (let row = 0; row < rows; row++) {
        for (let i = 1; i < unroll; i++) to.v('add', row, row, i * rows + row);
        if (hasBias) to.v('add', row, row, at(bias));
        // If an operand is NaN, the result is the second operand.
        if (relu) to.v('max', row, zero, row);
        storeFeatures(to, { type: result }, at(y, row * outputs * resultBytes), row);
      }
      to.ret();
      const tasks = Array.from({ length: outputs / lanes }, (_, block) => ({
        routine,
        numbers: [block * lanes * resultBytes, block * features * vector, block * lanes * 4],
      }));
      return [tasks];
    });
  }
}
