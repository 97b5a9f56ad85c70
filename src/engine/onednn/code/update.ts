import type { OpParams } from '../../../graph/op.js';
import type { Assembler, Lanes } from './assembler.js';
import { at } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadNumber, loadOperand, reportNonFinite, scratch } from './kernel.js';
import { Registers } from './registers.js';

/** Bytes of each array in a task, which then takes some ten microseconds. */
const bytesPerTask = 128 * 1024;

/** Registers of an update's body. */
interface UpdateRegisters {
  /** The elements of each array, which the body replaces by their new contents. */
  readonly arrays: readonly number[];
  readonly numbers: readonly number[];
  readonly constants: readonly number[];
  readonly free: number;
}

interface FlatUpdate {
  /** Size of each array; the code reads and writes up to the next multiple of a vector. */
  readonly bytes: number;
  /** Number of arrays that the code reads together: they are the first operands. Single numbers follow. */
  readonly arrays: number;
  readonly numbers: number;
  readonly constants: readonly number[];
  /** The arrays that change. */
  readonly written: readonly number[];
  /** Writes the code for the loaded elements of all arrays; the parameter is the first. */
  readonly body: (to: Assembler, registers: UpdateRegisters) => void;
}

/** The same arithmetic on every element of some arrays, in one pass over the memory. */
function flatUpdate(lanes: Lanes, { bytes, arrays, numbers, constants, written, body }: FlatUpdate): KernelCode {
  const [count, ...pointers] = scratch;
  const registers = new Registers(lanes);
  const loaded = registers.vectors(arrays);
  const single = registers.vectors(numbers);
  const constant = registers.vectors(constants.length);
  const free = registers.vector();
  // The sum of 0 times each new parameter is 0 as long as they are finite.
  const [zero, remains] = registers.vectors(2);
  const mask = registers.mask();
  return kernelCode(
    lanes,
    (to) => {
      const { vectorBytes } = to;
      const [routine, next] = [to.label(), to.label()];
      const streams = loaded.map((register, i) => ({ register, array: i, pointer: pointers[i] }));
      to.bind(routine);
      for (const { array, pointer } of streams) loadOperand(to, pointer, array, 0);
      loadNumber(to, count, 1);
      to.vzero(remains);
      to.bind(next);
      for (const { register, pointer } of streams) to.vload(register, at(pointer));
      body(to, { arrays: loaded, numbers: single, constants: constant, free });
      to.v('addMul', remains, zero, loaded[0]);
      for (const array of written) to.vstore(at(pointers[array]), loaded[array]);
      for (const { pointer } of streams) to.addConstant(pointer, vectorBytes);
      to.decrement(count);
      to.jump(next, 'notZero');
      reportNonFinite(to, remains, mask, count);
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
        constants.forEach((value, i) => {
          to.vconstant(constant[i], value, count);
        });
        single.forEach((register, i) => {
          loadOperand(to, count, arrays + i);
          to.vbroadcast(register, at(count));
        });
      },
    },
  );
}

/** Operands: parameter, gradient, velocity; learning rate. */
export function momentumCode(lanes: Lanes, bytes: number, params: OpParams['momentumUpdate']): KernelCode {
  const { momentum, weightDecay, nesterov } = params;
  return flatUpdate(lanes, {
    bytes,
    arrays: 3,
    numbers: 1,
    constants: [momentum, weightDecay],
    written: [0, 2],
    body: (to, { arrays: [parameter, gradient, velocity], numbers: [rate], constants: [factor, decay], free }) => {
      if (weightDecay !== 0) to.v('addMul', gradient, decay, parameter);
      to.v('mulAdd', velocity, factor, gradient);
      if (nesterov) to.v('addMul', gradient, factor, velocity);
      to.v('mul', free, nesterov ? gradient : velocity, rate);
      to.v('sub', parameter, parameter, free);
    },
  });
}

/** Operands: parameter, gradient; learning rate. */
export function sgdCode(lanes: Lanes, bytes: number, { weightDecay }: OpParams['sgdUpdate']): KernelCode {
  return flatUpdate(lanes, {
    bytes,
    arrays: 2,
    numbers: 1,
    constants: [weightDecay],
    written: [0],
    body: (to, { arrays: [parameter, gradient], numbers: [rate], constants: [decay] }) => {
      if (weightDecay !== 0) to.v('addMul', gradient, decay, parameter);
      to.v('mul', gradient, gradient, rate);
      to.v('sub', parameter, parameter, gradient);
    },
  });
}

/**
 * Operands: parameter, gradient, moments 1 and 2; then the step size, the smallest divisor, and the factor of
 * the parameter (Kingma and Ba, 2015, algorithm 1 in the form of section 2; with a factor below 1, Loshchilov
 * and Hutter, 2019).
 */
export function adamCode(lanes: Lanes, bytes: number, params: OpParams['adamUpdate']): KernelCode {
  const { beta1, beta2, weightDecay } = params;
  return flatUpdate(lanes, {
    bytes,
    arrays: 4,
    numbers: 3,
    constants: [beta1, 1 - beta1, beta2, 1 - beta2, weightDecay],
    written: [0, 2, 3],
    body: (to, { arrays, numbers: [step, floor, keep], constants: [b1, rest1, b2, rest2, decay], free }) => {
      const [parameter, gradient, moment1, moment2] = arrays;
      if (weightDecay !== 0) to.v('addMul', gradient, decay, parameter);
      to.v('mul', moment1, moment1, b1);
      to.v('addMul', moment1, gradient, rest1);
      to.v('mul', gradient, gradient, gradient);
      to.v('mul', moment2, moment2, b2);
      to.v('addMul', moment2, gradient, rest2);
      to.vsqrt(free, moment2);
      to.v('add', free, free, floor);
      to.v('mul', gradient, moment1, step);
      to.v('div', gradient, gradient, free);
      to.v('mul', parameter, parameter, keep);
      to.v('sub', parameter, parameter, gradient);
    },
  });
}
