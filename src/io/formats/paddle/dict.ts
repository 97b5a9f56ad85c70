import { FileError } from '../../../errors.js';
import { allocate, bytesPerElement } from '../../../graph/dtype.js';
import { numel, type Shape } from '../../../graph/shape.js';
import { gathered } from '../bytes.js';
import type { TensorData } from '../tensorData.js';
import { nameOf, printable } from './callables.js';
import { NumpyArray } from './numpy.js';
import { parsePickle } from './pickle.js';
import type { PickleValue } from './pickleValue.js';
import { type Picklable, type PickleProtocol, pickle } from './pickleWriter.js';

const nameTable = 'StructuredToParameterName@@';
const sliceTable = 'UnpackBigParamInfor@@';
/** Bytes of an array in one piece in files of protocol 2, as Paddle has it. */
const maxSliceBytes = 2 ** 30 - 1;
/** Bytes of a piece of the file, at least. */
const pieceBytes = 2 ** 16;

/** A converted array of a file, with its name and type in the file. */
export interface StoredTensor extends TensorData {
  /** Paddle's own name of the parameter, if it is known. */
  readonly parameterName: string | null;
  /** Element type in the file, in NumPy's code. */
  readonly type: string;
}

/** A dict of a file of Paddle, the tables taken out: arrays as tensors, the rest as it is. */
export type StoredDict = Map<string, StoredTensor | PickleValue>;

export function isStoredTensor(value: StoredTensor | PickleValue | undefined): value is StoredTensor {
  return typeof value === 'object' && value !== null && 'parameterName' in value;
}

/**
 * Parses a file that `paddle.save` made of a dict.
 *
 * @param bytes of the file. They are overwritten, and the arrays become views of them.
 * @param where names the file in messages
 */
export function parseDict(bytes: Uint8Array, where: string): StoredDict {
  const value = parsePickle(bytes, where);
  if (!(value instanceof Map)) {
    throw new FileError(`[paddle] ${where}: expected a dict, got ${nameOf(value)}; save a state dict`);
  }
  return storedDict(value, where);
}

/** The entries of a dict. Each array is there once, even if several names have it. */
export function storedDict(dict: ReadonlyMap<unknown, PickleValue>, path: string): StoredDict {
  const refuse = (entry: string, expected: string, got: string) =>
    new FileError(`[paddle] ${path}: ${printable(entry)}: expected ${expected}, got ${got}`);
  const names = tableOf(dict, nameTable, path);
  const slices = tableOf(dict, sliceTable, path);
  const tensors = new Map<NumpyArray, TensorData>();
  const tensorOf = (array: NumpyArray, where: string) => {
    const tensor = tensors.get(array) ?? array.toTensor(`${path}: ${printable(where)}`);
    tensors.set(array, tensor);
    return tensor;
  };
  const stored: StoredDict = new Map();
  for (const [key, value] of dict) {
    if (typeof key !== 'string') throw refuse('keys', 'text', String(key));
    if (key === nameTable || key === sliceTable) continue;
    const [name, array] = Array.isArray(value) && value.length === 2 ? value : [names.get(key), value];
    if (!(array instanceof NumpyArray)) {
      stored.set(key, value);
      continue;
    }
    const parameterName = typeof name === 'string' ? name : null;
    stored.set(key, { ...tensorOf(array, key), parameterName, type: array.type });
  }
  for (const [key, entry] of slices) {
    const parts = entry instanceof Map ? entry.get('slices') : undefined;
    const shape = entry instanceof Map ? entry.get('OriginShape') : undefined;
    if (!Array.isArray(parts) || !Array.isArray(shape)) throw refuse(sliceTable, 'shape and slices', nameOf(entry));
    const found = parts.map((part) => {
      const slice = stored.get(part as string);
      if (!isStoredTensor(slice)) throw refuse(String(part), 'a part of an array', nameOf(slice));
      // A part that stood in several places could make a small file large.
      stored.delete(part as string);
      return slice;
    });
    const joined = join(found, shape as unknown as Shape);
    if (joined === null) throw refuse(key, `parts of an array of shape [${shape}]`, `other parts`);
    const parameterName = names.get(key);
    stored.set(key, {
      ...joined,
      parameterName: typeof parameterName === 'string' ? parameterName : null,
      type: found[0].type,
    });
  }
  return stored;
}

function tableOf(dict: ReadonlyMap<unknown, PickleValue>, key: string, path: string): ReadonlyMap<string, PickleValue> {
  const table = dict.get(key) ?? new Map();
  if (table instanceof Map && [...table.keys()].every((name) => typeof name === 'string')) return table;
  throw new FileError(`[paddle] ${path}: ${key}: expected a dict of names, got ${nameOf(table)}`);
}

function join(parts: readonly TensorData[], shape: Shape): TensorData | null {
  const length = parts.reduce((sum, { data }) => sum + data.length, 0);
  if (parts.length === 0 || length !== numel(shape) || parts.some(({ dtype }) => dtype !== parts[0].dtype)) return null;
  const { dtype } = parts[0];
  const data = allocate(dtype, length);
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { shape, dtype, data };
}

/**
 * Encodes a dict as `paddle.save` does.
 *
 * @returns the bytes of the file in pieces. Arrays are not copied.
 */
export function encodeDict(
  entries: ReadonlyMap<string, Picklable>,
  names: ReadonlyMap<string, string> | null,
  protocol: PickleProtocol,
  note: string | null = null,
): Iterable<Uint8Array> {
  const dict = protocol === 2 ? split(entries, maxSliceBytes) : new Map(entries);
  if (names !== null) dict.set(nameTable, names);
  return gathered(pickle(dict, protocol, note), pieceBytes);
}

/** @internal Cuts arrays into flat parts, with a table that says how they belong together. */
export function split(entries: ReadonlyMap<string, Picklable>, maxBytes: number): Map<string, Picklable> {
  const result = new Map<string, Picklable>();
  const table = new Map<string, Picklable>();
  for (const [key, value] of entries) {
    if (!isTensorData(value) || value.data.byteLength <= maxBytes) {
      result.set(key, value);
      continue;
    }
    const { shape, dtype, data } = value;
    const length = Math.floor(maxBytes / bytesPerElement(dtype));
    const parts: string[] = [];
    for (let begin = 0; begin < data.length; begin += length) {
      const part = data.subarray(begin, begin + length);
      parts.push(`${key}@@.${parts.length}`);
      result.set(parts[parts.length - 1], { shape: [part.length], dtype, data: part });
    }
    table.set(
      key,
      new Map<string, Picklable>([
        ['OriginShape', shape],
        ['slices', parts],
      ]),
    );
  }
  if (table.size > 0) result.set(sliceTable, table);
  return result;
}

function isTensorData(value: Picklable): value is TensorData {
  return typeof value === 'object' && value !== null && 'data' in value;
}
