import type { Assembler } from './assembler.js';
import { upTo } from './bands.js';
import { type Phase, streamRegisters } from './channelPasses.js';
import { loadFeatures, storeFeatures } from './featureLayout.js';
import { type Address, at } from './generalAssembler.js';
import { type KernelCode, loadOperand } from './kernel.js';
import { gateOf, loadChannels, type Norm, shiftsOf, takeDeviation } from './normPasses.js';

const [first, second, third, fourth, fifth, sixth] = streamRegisters;

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
  present: 9,
} as const;
/**
 * Operands: x, y, sums, factor, scale, shift, mean, variance, and the summand if there is one. If channels
 * are padded, then the summand or any other operand, and an array with 1 for each channel and 0 for the
 * others.
 */
export function normForward(norm: Norm): KernelCode {
  return norm.passes.code((to) => [addUpValues(norm, to), makeStatistics(norm, to), normalize(norm, to)]);
}

function addUpValues(norm: Norm, to: Assembler): Phase {
  const { passes } = norm;
  const x = passes.features(first, forwardOperands.x);
  const origin = passes.origin(second, forwardOperands.x);
  const sums = passes.sums(third, forwardOperands.sums);
  const take = norm.passes.registers();
  const [origins, totals, squares, values] = [take.perVector(), take.sums(), take.sums(), take.perVector()];
  return passes.over(to, {
    streams: [x, origin, sums],
    begin: () => {
      for (const v of upTo(passes.vectors)) loadOrigin(norm, to, origins[v], passes.vector(origin, v), values[0]);
      for (const register of [...totals, ...squares]) to.vzero(register);
    },
    pixel: (sum, offset) => {
      for (const v of upTo(passes.vectors)) {
        const [i, value] = [sum * passes.vectors + v, values[v]];
        loadFeatures(to, norm.spec.layout, value, passes.vector(x, v, offset));
        to.v('sub', value, value, origins[v]);
        to.v('add', totals[i], totals[i], value);
        to.v('addMul', squares[i], value, value);
      }
    },
    end: () => passes.storeSums(to, sums, totals, squares),
  });
}

function makeStatistics(norm: Norm, to: Assembler): Phase {
  const operand = forwardOperands;
  const take = norm.passes.registers();
  const [total, square, value, perSample, scratch] = take.vectors(5);
  const mask = take.mask();
  return norm.passes.overChannels(to, operand.sums, [total, square], ({ load, loadWhere, store }) => {
    to.vconstant(perSample, 1 / norm.passes.samples, second);
    to.v('mul', total, total, perSample);
    to.v('mul', square, square, perSample);
    to.v('mul', value, total, total);
    to.v('sub', square, square, value);
    to.vzero(value);
    // With NaN the second operand is the result.
    to.v('max', square, value, square);
    store(operand.variance, square);
    loadOperand(to, second, operand.x, 1);
    loadOrigin(norm, to, value, at(second), scratch);
    to.v('add', total, total, value);
    store(operand.mean, total);
    takeDeviation(norm, to, square, scratch);
    if (!norm.spec.padded) {
      load(operand.scale, value);
      to.v('div', value, value, square);
      store(operand.factor, value);
      return;
    }
    // Behind the channels of the parameters may be any numbers.
    load(operand.present, value);
    to.vzero(scratch);
    to.vcompare('less', mask, scratch, value);
    loadWhere(mask, operand.scale, value);
    to.v('div', value, value, square);
    store(operand.factor, value);
    loadWhere(mask, operand.shift, value);
    store(operand.factor, value, norm.passes.channelBytes);
  });
}

function normalize(norm: Norm, to: Assembler): Phase {
  const { passes } = norm;
  const take = passes.registers();
  const [means, factors, shifts] = [take.perVector(), take.perVector(), take.perVector()];
  const [values, summands, zero] = [take.perVector(), take.perVector(), take.vector()];
  const gate = gateOf(norm, to, take, zero);
  const [x, y] = [passes.features(first, forwardOperands.x), passes.features(second, forwardOperands.y)];
  const perChannel = [
    { into: means, from: passes.perChannel(third, forwardOperands.mean) },
    { into: factors, from: passes.perChannel(fourth, forwardOperands.factor) },
    shiftsOf(norm, shifts, fifth, forwardOperands),
  ];
  const summand = norm.spec.sum ? [passes.features(sixth, forwardOperands.summand)] : [];
  return passes.over(to, {
    streams: [x, y, ...perChannel.map(({ from }) => from), ...summand],
    begin: () => {
      loadChannels(to, perChannel);
      to.vzero(zero);
      gate?.code.begin();
    },
    pixel: (_, offset) => {
      for (const v of upTo(passes.vectors)) {
        const value = values[v];
        loadFeatures(to, norm.spec.layout, value, passes.vector(x, v, offset));
        to.v('sub', value, value, means[v]);
        to.v('mulAdd', value, factors[v], shifts[v]);
        for (const stream of summand) {
          loadFeatures(to, norm.spec.layout, summands[v], passes.vector(stream, v, offset));
          to.v('add', value, value, summands[v]);
        }
        // With NaN the second operand is the result.
        if (norm.spec.relu) to.v('max', value, zero, value);
        gate?.code.apply(value, gate.registers);
        storeFeatures(to, norm.spec.layout, passes.vector(y, v, offset), value);
      }
    },
  });
}

/**
 * The mean of the first values of a vector of channels. All values are assumed to be near it. Overwrites
 * another register.
 */
function loadOrigin(norm: Norm, to: Assembler, into: number, first: Address, lost: number): void {
  const { firstPixels } = norm.passes;
  loadFeatures(to, norm.spec.layout, into, first);
  for (const offset of firstPixels.slice(1)) {
    loadFeatures(to, norm.spec.layout, lost, at(first.base, first.offset + offset));
    to.v('add', into, into, lost);
  }
  to.vconstant(lost, 1 / firstPixels.length, sixth);
  to.v('mul', into, into, lost);
}
