import { FileError, InternalError, messageOf } from '../../../errors.js';
import type { TypedArray } from '../../../graph/dtype.js';
import { numel, type Shape, stridesOf } from '../../../graph/shape.js';
import { fromBrain, fromHalf, fromLong } from '../elements.js';
import type { TensorData } from '../tensorData.js';

interface ElementType {
  readonly bytes: number;
  /** Turns little-endian elements into those of a tensor. */
  readonly convert: (elements: Uint8Array) => TypedArray;
}

/** By NumPy's character codes: kind and bytes. */
const elementTypes = {
  f4: { bytes: 4, convert: (elements) => new Float32Array(...alignedTo(4, elements)) },
  i4: { bytes: 4, convert: (elements) => new Int32Array(...alignedTo(4, elements)) },
  u1: { bytes: 1, convert: (elements) => new Uint8Array(...alignedTo(1, elements)) },
  b1: { bytes: 1, convert: (elements) => new Uint8Array(...alignedTo(1, elements)) },
  f8: { bytes: 8, convert: (elements) => new Float32Array(new Float64Array(copyOf(elements))) },
  f2: { bytes: 2, convert: (elements) => fromHalf(copyOf(elements)) },
  // NumPy has no bfloat16: Paddle hands over its 16 bits as unsigned integers, which no tensor of Paddle has.
  u2: { bytes: 2, convert: (elements) => fromBrain(copyOf(elements)) },
  i8: { bytes: 8, convert: (elements) => fromLong(copyOf(elements)) },
  i2: { bytes: 2, convert: (elements) => new Int32Array(new Int16Array(copyOf(elements))) },
  i1: { bytes: 1, convert: (elements) => new Int32Array(new Int8Array(copyOf(elements))) },
} as const satisfies Record<string, ElementType>;

export type NumpyType = keyof typeof elementTypes;

export function isNumpyType(code: unknown): code is NumpyType {
  return typeof code === 'string' && Object.hasOwn(elementTypes, code);
}

export const numpyTypes = Object.keys(elementTypes);

export function numpyBytes(type: NumpyType): number {
  return elementTypes[type].bytes;
}

interface Contents {
  readonly type: NumpyType;
  readonly shape: Shape;
  /** Whether the first index runs fastest. */
  readonly fortranOrder: boolean;
  readonly bytes: Uint8Array;
}

/** An array of NumPy in a pickle. */
export class NumpyArray {
  /** @internal Absent between the two operations with which a pickle makes an array. */
  contents: Contents | null;

  /** @internal */
  constructor(contents: Contents | null) {
    this.contents = contents;
  }

  /** `f4`, `i8`, …: kind and bytes of an element. */
  get type(): NumpyType {
    return this.#filled().type;
  }

  get shape(): Shape {
    return this.#filled().shape;
  }

  /**
   * As a tensor: `f4`, `i4` and `u1` without a copy, if possible; the others become float32 (`f8` rounded,
   * `u2` taken for bfloat16), int32 (`i8` must fit) or uint8 (`b1`).
   *
   * @param where names the array and its file in messages
   */
  toTensor(where: string): TensorData {
    const { type, shape, fortranOrder, bytes } = this.#filled();
    let data: TypedArray;
    try {
      data = elementTypes[type].convert(bytes);
    } catch (error) {
      throw new FileError(`[paddle] ${where}: ${messageOf(error)}`, { cause: error });
    }
    if (fortranOrder && shape.length > 1) data = toRowMajor(data, shape);
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'uint8';
    return { shape, dtype, data };
  }

  #filled(): Contents {
    if (this.contents === null) throw new InternalError('an array of a pickle was read before it had contents');
    return this.contents;
  }
}

/**
 * Arguments of a typed array over the bytes. It uses the bytes in place if they begin at a multiple of
 * `size`, else a copy.
 */
function alignedTo(size: number, bytes: Uint8Array): [buffer: ArrayBuffer, byteOffset: number, length: number] {
  const length = bytes.length / size;
  return bytes.byteOffset % size === 0
    ? [bytes.buffer as ArrayBuffer, bytes.byteOffset, length]
    : [copyOf(bytes), 0, length];
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function toRowMajor(data: TypedArray, shape: Shape): TypedArray {
  const steps = stridesOf([...shape].reverse()).reverse();
  const out = data.slice();
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < numel(shape); i++) {
    out[i] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < shape[axis]) break;
      from -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** The element of an array without axes. */
export function readScalar(type: NumpyType, bytes: Uint8Array): number | bigint | boolean {
  if (type === 'i8') {
    const value = new BigInt64Array(copyOf(bytes))[0];
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (type === 'f8') return new Float64Array(copyOf(bytes))[0];
  const [value] = elementTypes[type].convert(bytes);
  return type === 'b1' ? value !== 0 : value;
}
