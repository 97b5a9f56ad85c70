import { shown } from '../check.js';
import { DTypeError } from '../errors.js';
import { requireRoom } from '../memory.js';

/** Element types of tensors. `uint8` also carries the results of comparisons (0 or 1). */
export type DType = 'float32' | 'int32' | 'uint8';

/**
 * Element types that memory may have. `bfloat16` is float32 cut to its upper half, which the compiler may
 * choose.
 */
export type StoredDType = DType | 'bfloat16';

/**
 * Element type of an op's output. `bfloat16` stands where an op says float32 and the compiler has decided
 * that half the bytes will do; no tensor has it. `opaque` marks a workspace between a forward and a backward
 * kernel (the argmax of max pooling, the mask of a fused ReLU): its format is the engine's business and it
 * never becomes a tensor.
 */
export type OutputDType = StoredDType | 'opaque';

export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** The array of a dtype. */
export interface ArrayOfDType {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
}

export type ArrayOf<D extends DType> = ArrayOfDType[D];

const arrayTypes = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;

export function bytesPerElement(dtype: StoredDType): number {
  return dtype === 'bfloat16' ? 2 : arrayTypes[dtype].BYTES_PER_ELEMENT;
}

/** The type that an op's rule knows. */
export function declared(dtype: OutputDType): DType | 'opaque' {
  return dtype === 'bfloat16' ? 'float32' : dtype;
}

/**
 * A zero-filled array of `length` elements.
 *
 * @throws {MemoryError} if there is no memory for it; {DTypeError} for another type
 */
export function allocate<D extends DType>(dtype: D, length: number): InstanceType<(typeof arrayTypes)[D]>;
export function allocate(dtype: DType, length: number): TypedArray {
  checkDType('tensor', dtype);
  requireRoom(length * bytesPerElement(dtype), () => `${length} elements of ${dtype}`);
  return new arrayTypes[dtype](length);
}

/** Throws unless a value names an element type. */
export function checkDType(where: string, dtype: unknown): void {
  if (typeof dtype === 'string' && Object.hasOwn(arrayTypes, dtype)) return;
  throw new DTypeError(`[${where}] dtype: expected ${Object.keys(arrayTypes).join(', ')}, got ${shown(dtype)}`);
}

/** A typed view of `length` elements at `byteOffset` of `buffer`. */
export function viewOf(dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray {
  return new arrayTypes[dtype](buffer as ArrayBuffer, byteOffset, length);
}

export function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof Uint8Array) return 'uint8';
  throw new DTypeError(`[tensor] data: expected a Float32Array, Int32Array or Uint8Array, got ${shown(array)}`);
}

/** Whether the array has neither NaN nor an infinite number. */
export function isAllFinite(data: TypedArray): boolean {
  if (!(data instanceof Float32Array)) return true;
  // In float64 no sum of finite float32 numbers overflows. Eight sums, since each addition waits for the one
  // before.
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  const whole = data.length & ~7;
  for (let i = 0; i < whole; i += 8) {
    a += data[i];
    b += data[i + 1];
    c += data[i + 2];
    d += data[i + 3];
    e += data[i + 4];
    f += data[i + 5];
    g += data[i + 6];
    h += data[i + 7];
  }
  for (let i = whole; i < data.length; i++) a += data[i];
  return Number.isFinite(a + b + c + d + e + f + g + h);
}
