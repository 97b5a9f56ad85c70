import type { Shape } from '../../../graph/shape.js';
import { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import { type Address, type Assembler, at } from './assembler.js';
import { ChannelPasses, type Phase, type Stream, streamRegisters, upTo } from './channelPasses.js';
import {
  type FeatureLayout,
  type FeatureType,
  featureLayoutOf,
  lanes,
  loadFeatures,
  storeFeatures,
  vectorBytes,
} from './featureLayout.js';
import { type KernelCode, loadOperand } from './kernel.js';

const [first, second, third, fourth, fifth, sixth, seventh] = streamRegisters;

const forwardOperands = {
  x: 0,
  y: 1,
  sums: 2,
  factor: 3,
  scale: 4,
  shift: 5,
  mean: 6,
  variance: 7,
  summand: 8,
} as const;
const backwardOperands = {
  x: 0,
  dy: 1,
  dx: 2,
  sums: 3,
  coefficients: 4,
  factor: 5,
  mean: 6,
  variance: 7,
  shift: 8,
  dScale: 9,
  dShift: 10,
  y: 11,
  gradient: 12,
  dy2: 13,
} as const;
/** The coefficients of a channel: dx = constant + slope · (x − mean) + factor · dy. */
const coefficients = ['mean', 'factor', 'shift', 'slope', 'constant'] as const;

/** Registers of the channels' numbers, four vectors each. */
const [means, factors, shifts, slopes, constants] = [0, 4, 8, 12, 16];
const zero = 31;

/** The code depends on these values only. */
export interface NormSpec {
  readonly layout: FeatureLayout;
  readonly channels: number;
  readonly epsilon: number;
  readonly relu: boolean;
  /** Whether a summand is added before relu. */
  readonly sum: boolean;
}

/** Numbers of the current channels, and the first register that they are loaded into. */
interface ChannelNumbers {
  readonly into: number;
  readonly from: Stream;
  /** Bytes from the stream's place. */
  readonly offset?: number;
}

/** Sums of a pass: vector `v` of a pixel's channels at `offset`. */
interface GradientSums {
  readonly sums: Stream;
  /** Features that the pass reads. */
  readonly streams: readonly Stream[];
  readonly perChannel: readonly ChannelNumbers[];
  /** Loads the difference of x to its mean, and the gradient, into two registers. */
  readonly load: (value: number, gradient: number, v: number, offset: number) => void;
  /** Writes the gradient for the next pass, if it is not stored yet. Overwrites the register. */
  readonly store?: (gradient: number, v: number, offset: number) => void;
}

/**
 * Batch norm over images, rows and columns with the statistics of the batch (Ioffe and Szegedy, 2015):
 * y = (x − mean) · factor + shift, optionally with a summand and relu. Features are read twice and written
 * once. The sums are over differences to the mean of each channel's first values, so that one pass gives mean
 * and variance.
 */
export class Normalization {
  readonly #passes: ChannelPasses;
  readonly #layout: FeatureLayout;

  constructor(readonly spec: NormSpec) {
    this.#passes = new ChannelPasses(spec.layout, spec.channels);
    this.#layout = spec.layout;
  }

  /** Whether there is code for such features, if it supports their layout. */
  static takes(shape: Shape, type: FeatureType): boolean {
    return shape.length === 4 && shape[1] % lanes === 0 && codeLanes(type) !== null;
  }

  /**
   * `null` where there is no code: for another processor, another layout, or a number of channels that 16
   * does not divide.
   *
   * @param x layout of the features
   */
  static create(x: MemoryDesc, after: Pick<NormSpec, 'epsilon' | 'relu' | 'sum'>): Normalization | null {
    const layout = x.shape.length === 4 ? featureLayoutOf(x) : null;
    if (layout === null || !Normalization.takes(x.shape, layout.type)) return null;
    return new Normalization({ layout, channels: x.shape[1], ...after });
  }

  /** The factor of each channel. Forward writes it, and backward reads it. */
  get factor(): MemoryDesc {
    return MemoryDesc.plain([this.spec.channels], 'float32');
  }

  /** Working memory of either direction: two sums per channel for each slice of the features. */
  get sums(): MemoryDesc {
    return MemoryDesc.plain([this.#passes.slices, 2, this.spec.channels], 'float32');
  }

  /** Working memory of backward. */
  get coefficients(): MemoryDesc {
    return MemoryDesc.plain([coefficients.length, this.spec.channels], 'float32');
  }

  /** Operands: x, y, sums, factor, scale, shift, mean, variance, and the summand if there is one. */
  forward(): KernelCode {
    return this.#passes.code((to) => [this.#addUpValues(to), this.#makeStatistics(to), this.#normalize(to)]);
  }

  /** Operands: x, dy, dx, sums, coefficients, factor, mean, variance, shift, dScale, dShift. */
  backward(): KernelCode {
    return this.#backward((to) => this.#addUpGradients(to), backwardOperands.dy);
  }

  /**
   * The same with the gradient of the sum. With relu, the gradient counts only where y > 0. Operands: those
   * of {@link backward}, y, the resulting gradient, and if `isSum` the summand of dy.
   */
  backwardOfSum(isSum: boolean): KernelCode {
    return this.#backward((to) => this.#addUpSumGradients(to, isSum), backwardOperands.gradient);
  }

  #backward(addUp: (to: Assembler) => Phase, gradient: number): KernelCode {
    return this.#passes.code((to) => [addUp(to), this.#makeCoefficients(to), this.#differentiate(to, gradient)]);
  }

  /** Whether backward computes again where relu gave 0. After a sum, it reads y instead. */
  get #cuts(): boolean {
    return this.spec.relu && !this.spec.sum;
  }

  #addUpValues(to: Assembler): Phase {
    const passes = this.#passes;
    const x = passes.features(first, forwardOperands.x);
    const origin = passes.origin(second, forwardOperands.x);
    const sums = passes.sums(third, forwardOperands.sums);
    const [origins, totals, squares, values] = [0, 4, 8, 12];
    return passes.over(to, {
      streams: [x, origin, sums],
      begin: () => {
        for (const v of upTo(passes.vectors)) this.#loadOrigin(to, origins + v, passes.vector(origin, v), values);
        passes.clearSums(to, totals, squares);
      },
      pixel: (sum, offset) => {
        for (const v of upTo(passes.vectors)) {
          const [i, value] = [sum * passes.vectors + v, values + v];
          loadFeatures(to, this.#layout, value, passes.vector(x, v, offset));
          to.v('sub', value, value, origins + v);
          to.v('add', totals + i, totals + i, value);
          to.v('addMul', squares + i, value, value);
        }
      },
      end: (used) => passes.storeSums(to, sums, used, totals, squares),
    });
  }

  #makeStatistics(to: Assembler): Phase {
    const operand = forwardOperands;
    const [total, square, value, perSample, scratch] = [0, 1, 2, 3, 4];
    return this.#passes.overChannels(to, operand.sums, [total, square], ({ load, store }) => {
      to.vconstant(perSample, 1 / this.#passes.samples, second);
      to.v('mul', total, total, perSample);
      to.v('mul', square, square, perSample);
      to.v('mul', value, total, total);
      to.v('sub', square, square, value);
      to.vzero(value);
      // With NaN the second operand is the result.
      to.v('max', square, value, square);
      store(operand.variance, square);
      loadOperand(to, second, operand.x, 1);
      this.#loadOrigin(to, value, at(second), scratch);
      to.v('add', total, total, value);
      store(operand.mean, total);
      this.#takeDeviation(to, square);
      load(operand.scale, value);
      to.v('div', value, value, square);
      store(operand.factor, value);
    });
  }

  #normalize(to: Assembler): Phase {
    const passes = this.#passes;
    const [x, y] = [passes.features(first, forwardOperands.x), passes.features(second, forwardOperands.y)];
    const perChannel = [
      { into: means, from: passes.perChannel(third, forwardOperands.mean) },
      { into: factors, from: passes.perChannel(fourth, forwardOperands.factor) },
      { into: shifts, from: passes.perChannel(fifth, forwardOperands.shift) },
    ];
    const summand = this.spec.sum ? [passes.features(sixth, forwardOperands.summand)] : [];
    const [values, summands] = [12, 16];
    return passes.over(to, {
      streams: [x, y, ...perChannel.map(({ from }) => from), ...summand],
      begin: () => this.#loadChannels(to, perChannel),
      pixel: (sum, offset) => {
        for (const v of upTo(passes.vectors)) {
          const value = values + sum * passes.vectors + v;
          loadFeatures(to, this.#layout, value, passes.vector(x, v, offset));
          to.v('sub', value, value, means + v);
          to.v('mulAdd', value, factors + v, shifts + v);
          for (const stream of summand) {
            loadFeatures(to, this.#layout, summands + v, passes.vector(stream, v, offset));
            to.v('add', value, value, summands + v);
          }
          // With NaN the second operand is the result.
          if (this.spec.relu) to.v('max', value, zero, value);
          storeFeatures(to, this.#layout, passes.vector(y, v, offset), value);
        }
      },
    });
  }

  #addUpGradients(to: Assembler): Phase {
    const passes = this.#passes;
    const [x, dy] = [passes.features(first, backwardOperands.x), passes.features(second, backwardOperands.dy)];
    return this.#addUpProducts(to, {
      sums: passes.sums(third, backwardOperands.sums),
      streams: [x, dy],
      perChannel: [
        { into: means, from: passes.perChannel(fourth, backwardOperands.mean) },
        { into: factors, from: passes.perChannel(fifth, backwardOperands.factor) },
        { into: shifts, from: passes.perChannel(sixth, backwardOperands.shift) },
      ],
      load: (value, gradient, v, offset) =>
        this.#loadBoth(to, { stream: x, into: value }, { stream: dy, into: gradient }, v, offset),
    });
  }

  #addUpSumGradients(to: Assembler, isSum: boolean): Phase {
    const passes = this.#passes;
    const [x, dy, y, gradient] = [
      passes.features(first, backwardOperands.x),
      passes.features(second, backwardOperands.dy),
      passes.features(third, backwardOperands.y),
      passes.features(fourth, backwardOperands.gradient),
    ];
    const dy2 = isSum ? [passes.features(seventh, backwardOperands.dy2)] : [];
    const others = 4;
    return this.#addUpProducts(to, {
      sums: passes.sums(fifth, backwardOperands.sums),
      streams: [x, dy, y, gradient, ...dy2],
      perChannel: [{ into: means, from: passes.perChannel(sixth, backwardOperands.mean) }],
      load: (value, result, v, offset) => {
        const [other, k] = [others + v, 1 + v];
        this.#loadBoth(to, { stream: x, into: value }, { stream: dy, into: result }, v, offset);
        for (const stream of dy2) {
          loadFeatures(to, this.#layout, other, passes.vector(stream, v, offset));
          to.v('add', result, result, other);
        }
        if (!this.spec.relu) return;
        loadFeatures(to, this.#layout, other, passes.vector(y, v, offset));
        to.vless(k, zero, other);
        to.vcopy(result, result, { k, zero: true });
      },
      store: (result, v, offset) => storeFeatures(to, this.#layout, passes.vector(gradient, v, offset), result),
    });
  }

  /** Sums up gradients, and their products with the differences of x to its mean. */
  #addUpProducts(to: Assembler, { sums, streams, perChannel, load, store }: GradientSums): Phase {
    const passes = this.#passes;
    const [totals, products, values, gradients] = [12, 16, 20, 24];
    return passes.over(to, {
      streams: [...streams, sums, ...perChannel.map(({ from }) => from)],
      begin: () => {
        this.#loadChannels(to, perChannel);
        passes.clearSums(to, totals, products);
      },
      pixel: (sum, offset) => {
        for (const v of upTo(passes.vectors)) {
          const i = sum * passes.vectors + v;
          const [value, gradient] = [values + v, gradients + v];
          load(value, gradient, v, offset);
          to.v('add', totals + i, totals + i, gradient);
          to.v('addMul', products + i, gradient, value);
          store?.(gradient, v, offset);
        }
      },
      end: (used) => passes.storeSums(to, sums, used, totals, products),
    });
  }

  /** The formula is dx = factor · (dy − mean(dy) − x̂ · mean(dy · x̂)) with x̂ = (x − mean) / deviation. */
  #makeCoefficients(to: Assembler): Phase {
    const operand = backwardOperands;
    const [total, product, value, deviation, perSample] = [0, 1, 2, 3, 4];
    return this.#passes.overChannels(to, operand.sums, [total, product], ({ load, store }) => {
      const keep = (name: (typeof coefficients)[number], from: number) =>
        store(operand.coefficients, from, coefficients.indexOf(name) * this.#passes.channelBytes);
      load(operand.mean, value);
      keep('mean', value);
      load(operand.shift, value);
      keep('shift', value);
      store(operand.dShift, total);
      load(operand.variance, deviation);
      this.#takeDeviation(to, deviation);
      to.v('div', product, product, deviation);
      store(operand.dScale, product);
      to.v('div', product, product, deviation);
      load(operand.factor, value);
      keep('factor', value);
      to.vconstant(perSample, -1 / this.#passes.samples, second);
      to.v('mul', value, value, perSample);
      to.v('mul', product, product, value);
      keep('slope', product);
      to.v('mul', total, total, value);
      keep('constant', total);
    });
  }

  #differentiate(to: Assembler, gradient: number): Phase {
    const passes = this.#passes;
    const [x, dy, dx] = [
      passes.features(first, backwardOperands.x),
      passes.features(second, gradient),
      passes.features(third, backwardOperands.dx),
    ];
    const numbers = passes.perChannel(fourth, backwardOperands.coefficients);
    const perChannel = [means, factors, shifts, slopes, constants].map((into, i) => ({
      into,
      from: numbers,
      offset: i * passes.channelBytes,
    }));
    const [values, gradients, results] = [20, 22, 24];
    return passes.over(to, {
      streams: [x, dy, dx, numbers],
      begin: () => this.#loadChannels(to, perChannel),
      pixel: (_, offset) => {
        for (const v of upTo(passes.vectors)) {
          const [value, gradient, result] = [values, gradients, results].map((register) => register + (v & 1));
          this.#loadBoth(to, { stream: x, into: value }, { stream: dy, into: gradient }, v, offset);
          to.vcopy(result, constants + v);
          to.v('addMul', result, slopes + v, value);
          to.v('addMul', result, factors + v, gradient);
          storeFeatures(to, this.#layout, passes.vector(dx, v, offset), result);
        }
      },
    });
  }

  /**
   * The mean of the first values of a vector of channels. All values are assumed to be near it. Overwrites
   * another register.
   */
  #loadOrigin(to: Assembler, into: number, first: Address, lost: number): void {
    const { firstPixels } = this.#passes;
    loadFeatures(to, this.#layout, into, first);
    for (const offset of firstPixels.slice(1)) {
      loadFeatures(to, this.#layout, lost, at(first.base, first.offset + offset));
      to.v('add', into, into, lost);
    }
    to.vconstant(lost, 1 / firstPixels.length, sixth);
    to.v('mul', into, into, lost);
  }

  #loadChannels(to: Assembler, perChannel: readonly ChannelNumbers[]): void {
    for (const { into, from, offset = 0 } of perChannel) {
      for (const v of upTo(this.#passes.vectors)) to.vload(into + v, at(from.at, offset + v * vectorBytes));
    }
    to.vzero(zero);
  }

  /** Loads the difference of x to its mean, and the gradient of the output, which is 0 where relu gave 0. */
  #loadBoth(
    to: Assembler,
    x: { readonly stream: Stream; readonly into: number },
    dy: { readonly stream: Stream; readonly into: number },
    v: number,
    offset: number,
  ): void {
    const passes = this.#passes;
    loadFeatures(to, this.#layout, x.into, passes.vector(x.stream, v, offset));
    to.v('sub', x.into, x.into, means + v);
    if (!this.#cuts) {
      loadFeatures(to, this.#layout, dy.into, passes.vector(dy.stream, v, offset));
      return;
    }
    const k = 1 + v;
    to.vcopy(dy.into, x.into);
    to.v('mulAdd', dy.into, factors + v, shifts + v);
    to.vless(k, zero, dy.into);
    loadFeatures(to, this.#layout, dy.into, passes.vector(dy.stream, v, offset), { k, zero: true });
  }

  /** √(variance + ε), in place. */
  #takeDeviation(to: Assembler, variance: number): void {
    const epsilon = 30;
    to.vconstant(epsilon, this.spec.epsilon, second);
    to.v('add', variance, variance, epsilon);
    to.vsqrt(variance, variance);
  }
}
