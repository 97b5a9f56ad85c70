import type { Functions, SharedCalls } from '../calls.js';
import type { Dialect, Scale } from '../dialect.js';
import { binaries, type EltwiseKernel, eltwiseCoefficients, statusUnimplemented } from '../enums.js';
import type { Described } from '../nativeDesc.js';
import type { BinaryKernel, Operation } from '../operation.js';
import type { Address } from '../system.js';
import { bindCalls } from './calls.js';
import { descriptors } from './descs.js';
import { eltwises, instructionSets, plainTags, postOpArgBase, scaleArgBase, undefinedType } from './numbers.js';
import { createDescription } from './operations.js';

/** Whether some releases compute an operation wrongly: 3.1 and 3.2 skip bfloat16 numbers in blocks of 4. */
function isWrong({ kind, descs: [first] }: Operation): boolean {
  return kind === 'binary' && first.dtype === 'bfloat16' && first.blocks.at(-1)?.size === 4;
}

/** The C API of oneDNN 3.x: https://uxlfoundation.github.io/oneDNN/. */
export function bindDialect3(functions: Functions, shared: SharedCalls): (engine: Address) => Dialect {
  const calls = bindCalls(functions);
  return (engine) => ({
    ...descriptors(calls, shared, engine),
    plainTags,
    instructionSets,
    postOpArgBase,

    create: (out: BigUint64Array, operation: Operation, attributes: Address, hint: Address): number =>
      isWrong(operation) ? statusUnimplemented : createDescription(calls, out, operation, { engine, attributes, hint }),
    createReorder: (out: BigUint64Array, from: Described, to: Described, attributes: Address): number =>
      calls.reorder(out, from.native.argument, engine, to.native.argument, engine, attributes),
    createConcat(out: BigUint64Array, inputs: readonly Described[], axis: number, attributes: Address): number {
      const descs = BigUint64Array.from(inputs, ({ native }) => BigInt(native.argument as Address));
      return calls.concat(out, engine, 0, inputs.length, axis, descs, attributes);
    },

    setScale: (attributes: Address, [argument]: Scale): number => calls.setScalesMask(attributes, argument, 0),
    scaleArgument: (argument: number) => scaleArgBase | argument,
    appendSum: (postOps: Address, scale: number): number => calls.appendSum(postOps, scale, 0, undefinedType),
    appendEltwise: (postOps: Address, fn: EltwiseKernel, alpha: number, beta: number): number =>
      calls.appendEltwise(postOps, eltwises[fn], ...eltwiseCoefficients(fn, alpha, beta)),
    appendBinary: (postOps: Address, fn: BinaryKernel, operand: Described): number =>
      calls.appendBinary(postOps, binaries[fn], operand.native.argument),
  });
}
