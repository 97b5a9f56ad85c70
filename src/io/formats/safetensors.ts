import * as check from '../../check.js';
import { FileError, InputError, messageOf } from '../../errors.js';
import { allocate, bytesPerElement, type DType, dtypeOf, type TypedArray } from '../../graph/dtype.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';
import { parseJson } from '../../text/json.js';
import { fromBrain, fromHalf, fromLong } from './elements.js';
import { type TensorData, tensorsByName } from './tensorData.js';

export interface Safetensors {
  /** In the order of the data in the file. */
  readonly tensors: Map<string, TensorData>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Format {
  readonly bytes: number;
  readonly dtype: DType;
  /**
   * Turns the little-endian elements into the dtype; absent where the bytes are those of the dtype already.
   */
  readonly convert?: (elements: ArrayBuffer) => TypedArray;
}

const formats: Readonly<Record<string, Format>> = {
  F32: { bytes: 4, dtype: 'float32' },
  I32: { bytes: 4, dtype: 'int32' },
  U8: { bytes: 1, dtype: 'uint8' },
  F64: { bytes: 8, dtype: 'float32', convert: (elements) => new Float32Array(new Float64Array(elements)) },
  F16: { bytes: 2, dtype: 'float32', convert: fromHalf },
  BF16: { bytes: 2, dtype: 'float32', convert: fromBrain },
  I64: { bytes: 8, dtype: 'int32', convert: fromLong },
};
const names: Readonly<Record<DType, string>> = { float32: 'F32', int32: 'I32', uint8: 'U8' };

/** A tenth of the format's own limit: the header takes about 100 bytes for each tensor. */
const maxHeaderBytes = 10_000_000;

/** Texts by name: the metadata of a file. */
export const textsByName = check.rule<Readonly<Record<string, string>>>('texts by name', (x) => {
  return check.record.is(x) && Object.values(x).every(check.text.is);
});

/** The file begins with the length of the header. */
export const prefixBytes = 8;
const space = 0x20;

/**
 * Encodes arrays in Hugging Face's safetensors format.
 *
 * @param where names the file in messages
 * @returns the bytes of the file in pieces. Arrays are not copied: do not change them before the pieces are
 * written.
 * @throws {InputError} for arrays that do not match their shape or dtype
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = {},
  where = 'bytes',
): Uint8Array[] {
  check.requireValue('encodeSafetensors', 'tensors', tensors, tensorsByName);
  check.requireValue('encodeSafetensors', 'metadata', metadata, textsByName);
  for (const [name, { shape, dtype, data }] of tensors) {
    if (name === '__metadata__') {
      throw new InputError(`[safetensors] ${where}: tensor name: expected any but '__metadata__', which is reserved`);
    }
    if (numel(shape) !== data.length || dtypeOf(data) !== dtype) {
      throw new InputError(
        `[safetensors] ${where}: tensor '${name}': expected ${numel(shape)} elements of ${dtype} ` +
          `(shape ${formatShape(shape)}), got ${data.length} of ${dtypeOf(data)}`,
      );
    }
  }
  // Wide elements first, so that every array is aligned in the file.
  const ordered = [...tensors].sort(([, a], [, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
  const entries = Object.keys(metadata).length === 0 ? [] : [`"__metadata__":${JSON.stringify(metadata)}`];
  let offset = 0;
  for (const [name, { shape, dtype, data }] of ordered) {
    const entry = { dtype: names[dtype], shape, data_offsets: [offset, offset + data.byteLength] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset += data.byteLength;
  }
  const header = new TextEncoder().encode(`{${entries.join()}}`);
  const start = new Uint8Array(prefixBytes + Math.ceil(header.length / 8) * 8).fill(space);
  new DataView(start.buffer).setBigUint64(0, BigInt(start.length - prefixBytes), true);
  start.set(header, prefixBytes);
  return [start, ...ordered.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/**
 * Decodes a safetensors file. F32, I32 and U8 keep their type; F64, F16 and BF16 become float32 (F64
 * rounded), I64 becomes int32. Every array is a copy.
 *
 * @param where names the file in messages
 * @throws {FileError} for bytes that are truncated or not exactly as the format demands: header, names, sizes
 * and offsets are checked before an array is allocated
 */
export function decodeSafetensors(bytes: Uint8Array, where = 'bytes'): Safetensors {
  check.requireValue('decodeSafetensors', 'bytes', bytes, check.instanceOf(Uint8Array));
  check.requireValue('decodeSafetensors', 'where', where, check.text);
  return refusing(where, () => {
    const headerBytes = headerBytesOf(bytes.subarray(0, prefixBytes), bytes.length);
    const start = prefixBytes + headerBytes;
    const { entries, metadata } = parseHeader(bytes.subarray(prefixBytes, start), bytes.length - start);
    const tensors = new Map<string, TensorData>();
    for (const entry of entries) {
      const { target, finish } = receiverOf(entry);
      target.set(bytes.subarray(start + entry.begin, start + entry.end));
      tensors.set(entry.name, finish());
    }
    return { tensors, metadata };
  });
}

/** The problem of a file, without its name. */
export class Refusal extends Error {}

/** Adds the name of the file to a {@link Refusal}. */
function refusing<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new FileError(`[safetensors] ${where}: ${error.message}`, { cause: error });
  }
}

/**
 * The length of the header.
 *
 * @param prefix the first {@link prefixBytes} of the file, or fewer if it is shorter
 * @param size of the file
 */
export function headerBytesOf(prefix: Uint8Array, size: number): number {
  if (size < prefixBytes) throw new Refusal(`expected a length of the header in 8 bytes, got ${size} bytes in all`);
  const bytes = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (bytes <= maxHeaderBytes && bytes <= size - prefixBytes) return bytes;
  throw new Refusal(
    `length of the header: expected at most ${Math.min(maxHeaderBytes, size - prefixBytes)} bytes, got ${bytes}; ` +
      'the file is truncated or no safetensors file',
  );
}

/** Memory for the bytes that a file has of a tensor, and the function that makes the tensor of them. */
export function receiverOf({ name, format, shape }: Entry): {
  readonly target: Uint8Array<ArrayBuffer>;
  readonly finish: () => TensorData;
} {
  const { dtype, convert } = format;
  if (convert === undefined) {
    const data = allocate(dtype, numel(shape));
    return { target: new Uint8Array(data.buffer), finish: () => ({ shape, dtype, data }) };
  }
  const target = new Uint8Array(numel(shape) * format.bytes);
  const finish = () => {
    try {
      return { shape, dtype, data: convert(target.buffer) };
    } catch (error) {
      throw new Refusal(`tensor '${name}': ${messageOf(error)}`);
    }
  };
  return { target, finish };
}

/** A tensor as the header describes it. */
export interface Entry {
  readonly name: string;
  readonly format: Format;
  readonly shape: Shape;
  /** Position of its first byte behind the header. */
  readonly begin: number;
  readonly end: number;
}

/** Parses the header and checks everything that it says about `dataBytes` bytes of data. */
export function parseHeader(
  bytes: Uint8Array,
  dataBytes: number,
): { readonly entries: readonly Entry[]; readonly metadata: Safetensors['metadata'] } {
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = parseJson(text);
    refuseDuplicateKeys(text);
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(`header: expected JSON in UTF-8, got ${messageOf(error)}`);
  }
  if (!isObject(header)) throw new Refusal(`header: expected an object, got ${show(header)}`);
  const { __metadata__: metadata = {}, ...described } = header;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw new Refusal(`__metadata__: expected an object of strings, got ${show(metadata)}`);
  }
  const entries = Object.entries(described).map(([name, entry]) => parseEntry(name, entry));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const what = begin < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new Refusal(`tensor '${name}' ${what}: expected its data at byte ${position}, got ${begin}`);
    }
    position = end;
  }
  if (position !== dataBytes) {
    const what = position > dataBytes ? 'the file is truncated, copy it again' : 'something follows the last tensor';
    throw new Refusal(`expected ${position} bytes of data, got ${dataBytes}; ${what}`);
  }
  return { entries, metadata: metadata as Record<string, string> };
}

function parseEntry(name: string, entry: unknown): Entry {
  const refuse = (what: string, expected: string, value: unknown) =>
    new Refusal(`tensor '${name}': ${what}: expected ${expected}, got ${show(value)}`);
  if (!isObject(entry)) throw refuse('entry', 'an object', entry);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(formats, dtype)) {
    throw refuse('dtype', `one of ${Object.keys(formats).join(', ')}`, dtype);
  }
  if (!isSizes(shape)) throw refuse('shape', 'integers from 0 on', shape);
  if (!isSizes(offsets) || offsets.length !== 2) throw refuse('data_offsets', 'two integers from 0 on', offsets);
  const format = formats[dtype];
  const [begin, end] = offsets;
  if (end - begin !== numel(shape) * format.bytes) {
    throw refuse('data_offsets', `${numel(shape) * format.bytes} bytes (${dtype} ${formatShape(shape)})`, offsets);
  }
  return { name, format, shape, begin, end };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A value of the header for a message. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/**
 * JSON.parse keeps the last of equal keys in silence. `text` is valid JSON, so strings before a colon are the
 * keys.
 */
function refuseDuplicateKeys(text: string): void {
  const open: Set<string>[] = [];
  for (const [token, key, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(key) as string;
      const keys = open[open.length - 1];
      if (keys.has(name)) throw new Refusal(`header: expected every name once, got ${show(name)} twice`);
      keys.add(name);
    }
  }
}
