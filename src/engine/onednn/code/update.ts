import type { OpParams } from '../../../graph/op.js';
import { type Assembler, at } from './assembler.js';
import { vectorBytes } from './featureLayout.js';
import { type KernelCode, kernelCode, loadNumber, loadOperand, reportNonFinite, scratch } from './kernel.js';

/** Bytes of each array in a task, which then takes some ten microseconds. */
const bytesPerTask = 128 * 1024;

/** The code checks whether the new contents of this array are finite. */
const parameterAt = 0;

interface FlatUpdate {
  /** Size of each array; the code reads and writes up to the next multiple of 64. */
  readonly bytes: number;
  /** Number of arrays that the code reads together: they are the first operands. Single numbers follow. */
  readonly arrays: number;
  readonly numbers: number;
  /** Constants, in registers from {@link constantsAt} on. */
  readonly constants: readonly number[];
  /** The arrays that change. */
  readonly written: readonly number[];
  /**
   * Writes the code for 16 loaded elements. Register `i` has those of array `i` (the parameter is the first),
   * and must have their new contents afterwards.
   */
  readonly body: (to: Assembler) => void;
}

/**
 * Registers of 0, and of the sum of 0 times each new parameter, which is 0 as long as they are finite.
 */
const [zero, remains] = [30, 31];

/**
 * The first registers of the single numbers and of the constants. The registers between the arrays' and these
 * are free.
 */
const numbersAt = 16;
const constantsAt = 20;

/** The same arithmetic on every element of some arrays, in one pass over the memory. */
function flatUpdate({ bytes, arrays, numbers, constants, written, body }: FlatUpdate): KernelCode {
  const [count, ...pointers] = scratch;
  return kernelCode(
    (to) => {
      const [routine, next] = [to.label(), to.label()];
      const streams = Array.from({ length: arrays }, (_, i) => ({ array: i, pointer: pointers[i] }));
      to.bind(routine);
      for (const { array, pointer } of streams) loadOperand(to, pointer, array, 0);
      loadNumber(to, count, 1);
      to.vzero(remains);
      to.bind(next);
      for (const { array, pointer } of streams) to.vload(array, at(pointer));
      body(to);
      to.v('addMul', remains, zero, parameterAt);
      for (const array of written) to.vstore(at(pointers[array]), array);
      for (const { pointer } of streams) to.addConstant(pointer, vectorBytes);
      to.decrement(count);
      to.jump(next, 'notZero');
      reportNonFinite(to, remains, count);
      to.ret();
      const tasks = Array.from({ length: Math.ceil(bytes / bytesPerTask) }, (_, i) => {
        const offset = i * bytesPerTask;
        const vectors = Math.ceil(Math.min(bytesPerTask, bytes - offset) / vectorBytes);
        return { routine, numbers: [offset, vectors] };
      });
      return [tasks];
    },
    {
      reportsNonFinite: true,
      prepare: (to) => {
        to.vzero(zero);
        constants.forEach((constant, i) => {
          to.vconstant(constantsAt + i, constant, count);
        });
        for (let i = 0; i < numbers; i++) {
          loadOperand(to, count, arrays + i);
          to.vbroadcast(numbersAt + i, at(count));
        }
      },
    },
  );
}

/** Operands: parameter, gradient, velocity; learning rate. */
export function momentumCode(bytes: number, params: OpParams['momentumUpdate']): KernelCode {
  const { momentum, weightDecay, nesterov } = params;
  const [parameter, gradient, velocity, step] = [0, 1, 2, 3];
  const [factor, decay] = [constantsAt, constantsAt + 1];
  return flatUpdate({
    bytes,
    arrays: 3,
    numbers: 1,
    constants: [momentum, weightDecay],
    written: [parameter, velocity],
    body: (to) => {
      if (weightDecay !== 0) to.v('addMul', gradient, decay, parameter);
      to.v('mulAdd', velocity, factor, gradient);
      if (nesterov) to.v('addMul', gradient, factor, velocity);
      to.v('mul', step, nesterov ? gradient : velocity, numbersAt);
      to.v('sub', parameter, parameter, step);
    },
  });
}

/** Operands: parameter, gradient; learning rate. */
export function sgdCode(bytes: number, { weightDecay }: OpParams['sgdUpdate']): KernelCode {
  const [parameter, gradient] = [0, 1];
  return flatUpdate({
    bytes,
    arrays: 2,
    numbers: 1,
    constants: [weightDecay],
    written: [parameter],
    body: (to) => {
      if (weightDecay !== 0) to.v('addMul', gradient, constantsAt, parameter);
      to.v('mul', gradient, gradient, numbersAt);
      to.v('sub', parameter, parameter, gradient);
    },
  });
}

/**
 * Operands: parameter, gradient, moments 1 and 2; then the step size, the smallest divisor, and the factor of
 * the parameter (Kingma and Ba, 2015, algorithm 1 in the form of section 2; with a factor below 1, Loshchilov
 * and Hutter, 2019).
 */
export function adamCode(bytes: number, { beta1, beta2, weightDecay }: OpParams['adamUpdate']): KernelCode {
  const [parameter, gradient, moment1, moment2, deviation] = [0, 1, 2, 3, 4];
  const [step, floor, keep] = [numbersAt, numbersAt + 1, numbersAt + 2];
  const [b1, rest1, b2, rest2, decay] = Array.from({ length: 5 }, (_, i) => constantsAt + i);
  return flatUpdate({
    bytes,
    arrays: 4,
    numbers: 3,
    constants: [beta1, 1 - beta1, beta2, 1 - beta2, weightDecay],
    written: [parameter, moment1, moment2],
    body: (to) => {
      if (weightDecay !== 0) to.v('addMul', gradient, decay, parameter);
      to.v('mul', moment1, moment1, b1);
      to.v('addMul', moment1, gradient, rest1);
      to.v('mul', gradient, gradient, gradient);
      to.v('mul', moment2, moment2, b2);
      to.v('addMul', moment2, gradient, rest2);
      to.vsqrt(deviation, moment2);
      to.v('add', deviation, deviation, floor);
      to.v('mul', gradient, moment1, step);
      to.v('div', gradient, gradient, deviation);
      to.v('mul', parameter, parameter, keep);
      to.v('sub', parameter, parameter, gradient);
    },
  });
}
