import type { Assembler } from './assembler.js';
import { upTo } from './bands.js';
import { type PassRegisters, type Phase, type Stream, streamRegisters } from './channelPasses.js';
import { loadFeatures, storeFeatures } from './featureLayout.js';
import type { KernelCode } from './kernel.js';
import {
  type ChannelNumbers,
  type GateOfPass,
  gateOf,
  loadChannels,
  type Norm,
  shiftsOf,
  takeDeviation,
} from './normPasses.js';

const [first, second, third, fourth, fifth, sixth, seventh] = streamRegisters;

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
export const coefficients = ['mean', 'factor', 'shift', 'slope', 'constant'] as const;

/** A stream of features, and the register that a vector of them is loaded into. */
interface Loaded {
  readonly stream: Stream;
  readonly into: number;
}

/** Registers for the gradient where relu gave 0: the line (x − mean) · factor + shift says where. */
interface Line {
  readonly gate: GateOfPass | null;
  readonly factors: readonly number[];
  readonly shifts: readonly number[];
  readonly zero: number;
  readonly mask: number;
}

/** Sums of a pass: vector `v` of a pixel's channels at `offset`. */
interface GradientSums {
  readonly sums: Stream;
  /** Features that the pass reads. */
  readonly streams: readonly Stream[];
  readonly perChannel: readonly ChannelNumbers[];
  readonly gate?: GateOfPass | null;
  /** A register that the pass needs to be 0. */
  readonly zero?: number;
  /** Loads the difference of x to its mean, and the gradient, into two registers. */
  readonly load: (value: number, gradient: number, v: number, offset: number) => void;
  /** Writes the gradient for the next pass, if it is not stored yet. Overwrites the register. */
  readonly store?: (gradient: number, v: number, offset: number) => void;
}

/** Operands: x, dy, dx, sums, coefficients, factor, mean, variance, shift, dScale, dShift. */
export function normBackward(norm: Norm): KernelCode {
  return backward(norm, (to) => addUpGradients(norm, to), backwardOperands.dy);
}

/**
 * The same with the gradient of the sum. With relu, the gradient counts only where y > 0. Operands: those of
 * {@link normBackward}, y, the resulting gradient, and if `isSum` the summand of dy.
 */
export function normBackwardOfSum(norm: Norm, isSum: boolean): KernelCode {
  return backward(norm, (to) => addUpSumGradients(norm, to, isSum), backwardOperands.gradient);
}

function backward(norm: Norm, addUp: (to: Assembler) => Phase, gradient: number): KernelCode {
  return norm.passes.code((to) => [addUp(to), makeCoefficients(norm, to), differentiate(norm, to, gradient)]);
}

/** Whether backward computes again where relu gave 0. After a sum, it reads y instead. */
const cuts = ({ spec }: Norm): boolean => spec.relu && !spec.sum;

function addUpGradients(norm: Norm, to: Assembler): Phase {
  const { passes } = norm;
  const take = passes.registers();
  const [means, line] = [take.perVector(), takeLine(norm, to, take)];
  const [x, dy] = [passes.features(first, backwardOperands.x), passes.features(second, backwardOperands.dy)];
  return addUpProducts(norm, to, take, {
    sums: passes.sums(third, backwardOperands.sums),
    streams: [x, dy],
    perChannel: [
      { into: means, from: passes.perChannel(fourth, backwardOperands.mean) },
      { into: line.factors, from: passes.perChannel(fifth, backwardOperands.factor) },
      shiftsOf(norm, line.shifts, sixth, backwardOperands),
    ],
    zero: line.zero,
    gate: line.gate,
    load: (value, gradient, v, offset) => {
      loadBoth(norm, to, { stream: x, into: value }, { stream: dy, into: gradient }, means, line, v, offset);
    },
  });
}

function addUpSumGradients(norm: Norm, to: Assembler, isSum: boolean): Phase {
  const { passes } = norm;
  const take = passes.registers();
  const [means, others, zero, mask] = [take.perVector(), take.perVector(), take.vector(), take.mask()];
  const [x, dy, y, gradient] = [
    passes.features(first, backwardOperands.x),
    passes.features(second, backwardOperands.dy),
    passes.features(third, backwardOperands.y),
    passes.features(fourth, backwardOperands.gradient),
  ];
  const dy2 = isSum ? [passes.features(seventh, backwardOperands.dy2)] : [];
  return addUpProducts(norm, to, take, {
    sums: passes.sums(fifth, backwardOperands.sums),
    streams: [x, dy, y, gradient, ...dy2],
    perChannel: [{ into: means, from: passes.perChannel(sixth, backwardOperands.mean) }],
    zero,
    load: (value, result, v, offset) => {
      const other = others[v];
      loadFeatures(to, norm.spec.layout, value, passes.vector(x, v, offset));
      to.v('sub', value, value, means[v]);
      loadFeatures(to, norm.spec.layout, result, passes.vector(dy, v, offset));
      for (const stream of dy2) {
        loadFeatures(to, norm.spec.layout, other, passes.vector(stream, v, offset));
        to.v('add', result, result, other);
      }
      if (!norm.spec.relu) return;
      loadFeatures(to, norm.spec.layout, other, passes.vector(y, v, offset));
      to.vcompare('less', mask, zero, other);
      to.vkeepWhere(mask, result);
    },
    store: (result, v, offset) => storeFeatures(to, norm.spec.layout, passes.vector(gradient, v, offset), result),
  });
}

/** Sums up gradients, and their products with the differences of x to its mean. */
function addUpProducts(
  norm: Norm,
  to: Assembler,
  take: PassRegisters,
  { sums, streams, perChannel, gate = null, zero, load, store }: GradientSums,
): Phase {
  const { passes } = norm;
  const [totals, products, values, gradients] = [take.sums(), take.sums(), take.perVector(), take.perVector()];
  return passes.over(to, {
    streams: [...streams, sums, ...perChannel.map(({ from }) => from)],
    begin: () => {
      loadChannels(to, perChannel);
      if (zero !== undefined) to.vzero(zero);
      gate?.code.begin();
      for (const register of [...totals, ...products]) to.vzero(register);
    },
    pixel: (sum, offset) => {
      for (const v of upTo(passes.vectors)) {
        const i = sum * passes.vectors + v;
        const [value, gradient] = [values[v], gradients[v]];
        load(value, gradient, v, offset);
        to.v('add', totals[i], totals[i], gradient);
        to.v('addMul', products[i], gradient, value);
        store?.(gradient, v, offset);
      }
    },
    end: () => passes.storeSums(to, sums, totals, products),
  });
}

/** The formula is dx = factor · (dy − mean(dy) − x̂ · mean(dy · x̂)) with x̂ = (x − mean) / deviation. */
function makeCoefficients(norm: Norm, to: Assembler): Phase {
  const operand = backwardOperands;
  const [total, product, value, deviation, perSample, scratch] = [0, 1, 2, 3, 4, 5];
  return norm.passes.overChannels(to, operand.sums, [total, product], ({ load, store }) => {
    const keep = (name: (typeof coefficients)[number], from: number) =>
      store(operand.coefficients, from, coefficients.indexOf(name) * norm.passes.channelBytes);
    load(operand.mean, value);
    keep('mean', value);
    if (norm.spec.padded) load(operand.factor, value, norm.passes.channelBytes);
    else load(operand.shift, value);
    keep('shift', value);
    store(operand.dShift, total);
    load(operand.variance, deviation);
    takeDeviation(norm, to, deviation, scratch);
    to.v('div', product, product, deviation);
    store(operand.dScale, product);
    to.v('div', product, product, deviation);
    load(operand.factor, value);
    keep('factor', value);
    to.vconstant(perSample, -1 / norm.passes.samples, second);
    to.v('mul', value, value, perSample);
    to.v('mul', product, product, value);
    keep('slope', product);
    to.v('mul', total, total, value);
    keep('constant', total);
  });
}

function differentiate(norm: Norm, to: Assembler, gradient: number): Phase {
  const { passes } = norm;
  const take = passes.registers();
  const [means, line] = [take.perVector(), takeLine(norm, to, take)];
  const [slopes, constants] = [take.perVector(), take.perVector()];
  const [value, result, gradients] = [take.vector(), take.vector(), take.vector()];
  const [x, dy, dx] = [
    passes.features(first, backwardOperands.x),
    passes.features(second, gradient),
    passes.features(third, backwardOperands.dx),
  ];
  const numbers = passes.perChannel(fourth, backwardOperands.coefficients);
  const perChannel = [means, line.factors, line.shifts, slopes, constants].map((into, i) => ({
    into,
    from: numbers,
    offset: i * passes.channelBytes,
  }));
  return passes.over(to, {
    streams: [x, dy, dx, numbers],
    begin: () => {
      loadChannels(to, perChannel);
      to.vzero(line.zero);
      line.gate?.code.begin();
    },
    pixel: (_, offset) => {
      for (const v of upTo(passes.vectors)) {
        loadBoth(norm, to, { stream: x, into: value }, { stream: dy, into: gradients }, means, line, v, offset);
        to.vcopy(result, constants[v]);
        to.v('addMul', result, slopes[v], value);
        to.v('addMul', result, line.factors[v], gradients);
        storeFeatures(to, norm.spec.layout, passes.vector(dx, v, offset), result);
      }
    },
  });
}

function takeLine(norm: Norm, to: Assembler, take: PassRegisters): Line {
  const registers = { factors: take.perVector(), shifts: take.perVector(), zero: take.vector(), mask: take.mask() };
  return { ...registers, gate: gateOf(norm, to, take, registers.mask) };
}

/** Loads the difference of x to its mean, and the gradient of the output, which is 0 where relu gave 0. */
function loadBoth(
  norm: Norm,
  to: Assembler,
  x: Loaded,
  dy: Loaded,
  means: readonly number[],
  { factors, shifts, zero, mask, gate }: Line,
  v: number,
  offset: number,
): void {
  const { passes } = norm;
  loadFeatures(to, norm.spec.layout, x.into, passes.vector(x.stream, v, offset));
  to.v('sub', x.into, x.into, means[v]);
  if (gate !== null) {
    const { code, registers } = gate;
    loadFeatures(to, norm.spec.layout, dy.into, passes.vector(dy.stream, v, offset));
    to.vcopy(zero, x.into);
    to.v('mulAdd', zero, factors[v], shifts[v]);
    code.differentiate(dy.into, zero, registers);
    return;
  }
  if (!cuts(norm)) {
    loadFeatures(to, norm.spec.layout, dy.into, passes.vector(dy.stream, v, offset));
    return;
  }
  to.vcopy(dy.into, x.into);
  to.v('mulAdd', dy.into, factors[v], shifts[v]);
  to.vcompare('less', mask, zero, dy.into);
  loadFeatures(to, norm.spec.layout, dy.into, passes.vector(dy.stream, v, offset), mask);
}
