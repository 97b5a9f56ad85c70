import type { StoredDType } from '../../../../graph/dtype.js';
import type { Functions } from '../calls.js';
import type { DescFields, Dialect, Out, Scale } from '../dialect.js';
import { binaries, dataTypes, dtypeOf, type EltwiseKernel, eltwiseCoefficients, maxAxes } from '../enums.js';
import type { Described, NativeDesc } from '../nativeDesc.js';
import type { BinaryKernel, Operation } from '../operation.js';
import { type Address, system } from '../system.js';
import { bindCalls } from './calls.js';
import { eltwises, instructionSets, memoryDescBytes, plainTags, postOpArgBase } from './numbers.js';
import { opDescOf } from './operations.js';

/** A descriptor is a struct. JavaScript owns its bytes. */
class DescBytes implements NativeDesc {
  constructor(readonly argument: Uint8Array) {}
}

/**
 * Offsets of fields in a descriptor: type of the elements, kind of the layout, strides, number and sizes of
 * blocks.
 */
const [shapeOffset, typeOffset, kindOffset, stridesOffset, blocksOffset] = [8, 104, 312, 320, 416];

const kinds = ['opaque', 'any', 'strided'] as const;

const fieldsOf = ({ argument: { buffer, byteOffset } }: DescBytes) => new DataView(buffer, byteOffset);

/** The C API of oneDNN 2.x: https://oneapi-src.github.io/oneDNN/v2.6/. */
export function bindDialect2(functions: Functions): (engine: Address) => Dialect {
  const calls = bindCalls(functions);
  return (engine) => ({
    descs: calls.descs,
    plainTags,
    instructionSets,
    postOpArgBase,
    noDesc: new DescBytes(new Uint8Array(memoryDescBytes)),

    newDesc(call: (out: Out) => void): DescBytes {
      const bytes = new Uint8Array(memoryDescBytes);
      call(bytes);
      return new DescBytes(bytes);
    },
    copyOf(owned: Address): DescBytes {
      const bytes = new Uint8Array(memoryDescBytes);
      system().memcpy(bytes, owned, memoryDescBytes);
      return new DescBytes(bytes);
    },
    fieldsOf(desc: DescBytes): DescFields {
      const fields = fieldsOf(desc);
      const numbers = (offset: number, count: number) =>
        Array.from({ length: count }, (_, i) => Number(fields.getBigInt64(offset + 8 * i, true)));
      const rank = fields.getInt32(0, true);
      const kind = kinds[fields.getInt32(kindOffset, true)] ?? 'opaque';
      const count = kind === 'strided' ? fields.getInt32(blocksOffset, true) : 0;
      const sizes = numbers(blocksOffset + 8, count);
      const axes = numbers(blocksOffset + 8 + 8 * maxAxes, count);
      return {
        shape: numbers(shapeOffset, rank),
        dtype: dtypeOf(fields.getInt32(typeOffset, true)),
        kind,
        strides: kind === 'strided' ? numbers(stridesOffset, rank) : [],
        blocks: sizes.map((size, i) => ({ size, axis: axes[i] })),
      };
    },
    withType(desc: DescBytes, dtype: StoredDType): DescBytes {
      const changed = new DescBytes(desc.argument.slice());
      fieldsOf(changed).setInt32(typeOffset, dataTypes[dtype], true);
      return changed;
    },

    create(out: BigUint64Array, operation: Operation, attributes: Address, hint: Address): number {
      const { bytes, status } = opDescOf(calls, operation);
      return status === 0 ? calls.create(out, bytes, attributes, engine, hint) : status;
    },
    createReorder: (out: BigUint64Array, from: Described, to: Described, attributes: Address): number =>
      calls.reorder(out, from.native.argument, engine, to.native.argument, engine, attributes),
    createConcat(out: BigUint64Array, inputs: readonly Described[], axis: number, attributes: Address): number {
      const descs = new Uint8Array(inputs.length * memoryDescBytes);
      inputs.forEach(({ native }, i) => {
        descs.set(native.argument as Uint8Array, i * memoryDescBytes);
      });
      return calls.concat(out, null, inputs.length, axis, descs, attributes, engine);
    },

    setScale: (attributes: Address, [argument, factor]: Scale): number =>
      calls.setScales(attributes, argument, 1, 0, Float32Array.of(factor)),
    scaleArgument: () => null,
    appendSum: (postOps: Address, scale: number): number => calls.appendSum(postOps, scale),
    appendEltwise: (postOps: Address, fn: EltwiseKernel, alpha: number, beta: number): number =>
      calls.appendEltwise(postOps, 1, eltwises[fn], ...eltwiseCoefficients(fn, alpha, beta)),
    appendBinary: (postOps: Address, fn: BinaryKernel, operand: Described): number =>
      calls.appendBinary(postOps, binaries[fn], operand.native.argument),
  });
}
