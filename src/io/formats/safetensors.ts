import type { FileHandle } from 'node:fs/promises';
import { FileError, InputError, messageOf } from '../../errors.js';
import { allocate, bytesPerElement, type DType, dtypeOf, type TypedArray } from '../../graph/dtype.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';
import { parseJson } from '../../text/json.js';
import { reasonOf, writeFileAtomic } from '../files/atomic.js';
import { openInput } from '../files/input.js';
import { arraysOf, type Named } from '../named.js';
import { fromBrain, fromHalf, fromLong } from './elements.js';

/** A plain array with its shape, in row-major order. */
export interface TensorData {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

export interface Safetensors {
  /** In the order in which the data lie in the file. */
  readonly tensors: Map<string, TensorData>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Format {
  readonly bytes: number;
  readonly dtype: DType;
  /** Turns the little-endian elements into the dtype; absent where the bytes are those of the dtype already. */
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

/**
 * Writes a layer, or tensors and arrays by name, in Hugging Face's safetensors format, through a temporary file that
 * replaces `path` at the end. Arrays are written from where they lie, one after the other: do not change them meanwhile.
 *
 * @throws InputError for arrays that do not match their shape or dtype, FileError if writing fails
 */
export async function saveSafetensors(
  object: Named,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = await arraysOf('saveSafetensors', object, path);
  for (const [name, { shape, dtype, data }] of tensors) {
    if (name === '__metadata__') {
      throw new InputError(`[safetensors] ${path}: tensor name: expected any but '__metadata__', which is reserved`);
    }
    if (numel(shape) !== data.length || dtypeOf(data) !== dtype) {
      throw new InputError(
        `[safetensors] ${path}: tensor '${name}': expected ${numel(shape)} elements of ${dtype} ` +
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
  const header = Buffer.from(`{${entries.join()}}`);
  const start = Buffer.alloc(8 + Math.ceil(header.length / 8) * 8, ' ');
  start.writeBigUInt64LE(BigInt(start.length - 8));
  header.copy(start, 8);
  await writeFileAtomic(
    path,
    (function* () {
      yield start;
      for (const [, { data }] of ordered) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    })(),
  );
}

/**
 * Reads a safetensors file. F32, I32 and U8 are taken as they are; F64, F16 and BF16 become float32 (F64 rounded), I64
 * becomes int32. Every array has memory of its own.
 *
 * @throws FileError for a file that is missing, truncated or not exactly as the format demands: header, names, sizes
 * and offsets are checked before anything of the size that they claim is allocated
 */
export async function loadSafetensors(path: string): Promise<Safetensors> {
  return reading(path, readAll);
}

/**
 * Reads the metadata of a safetensors file, and no tensor.
 *
 * @throws FileError for a file that is missing or whose header is not exactly as the format demands
 */
export async function safetensorsMetadata(path: string): Promise<Safetensors['metadata']> {
  return reading(path, async (handle) => (await readHeader(handle)).metadata);
}

async function reading<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | null = null;
  try {
    handle = await openInput(path);
    return await read(handle);
  } catch (error) {
    throw new FileError(`[safetensors] ${path}: ${error instanceof Refusal ? error.message : unreadable(error)}`, {
      cause: error,
    });
  } finally {
    await handle?.close();
  }
}

/** What is wrong with a file, without its name. */
class Refusal extends Error {}

function unreadable(error: unknown): string {
  return `expected a readable file, got ${reasonOf(error)}`;
}

async function readAll(handle: FileHandle): Promise<Safetensors> {
  const { entries, metadata, start } = await readHeader(handle);
  const tensors = new Map<string, TensorData>();
  for (const { name, format, shape, begin } of entries) {
    const data = await readTensor(handle, name, format, numel(shape), start + begin);
    tensors.set(name, { shape, dtype: format.dtype, data });
  }
  return { tensors, metadata };
}

/** What the header says, checked, and where the data begin. */
async function readHeader(handle: FileHandle) {
  const stat = await handle.stat();
  if (stat.size < 8) throw new Refusal(`expected a length of the header in 8 bytes, got ${stat.size} bytes in all`);
  const prefix = new Uint8Array(8);
  await readInto(handle, prefix, 0);
  const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes || headerBytes > stat.size - 8) {
    throw new Refusal(
      `length of the header: expected at most ${Math.min(maxHeaderBytes, stat.size - 8)} bytes, got ${headerBytes}; ` +
        'the file is truncated or no safetensors file',
    );
  }
  const bytes = new Uint8Array(headerBytes);
  await readInto(handle, bytes, 8);
  return { ...parseHeader(bytes, stat.size - 8 - headerBytes), start: 8 + headerBytes };
}

async function readTensor(handle: FileHandle, name: string, format: Format, length: number, position: number) {
  if (format.convert === undefined) {
    const data = allocate(format.dtype, length);
    await readInto(handle, new Uint8Array(data.buffer), position);
    return data;
  }
  const raw = new Uint8Array(length * format.bytes);
  await readInto(handle, raw, position);
  try {
    return format.convert(raw.buffer);
  } catch (error) {
    throw new Refusal(`tensor '${name}': ${messageOf(error)}`);
  }
}

async function readInto(handle: FileHandle, target: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < target.length) {
    // One read() cannot give 2 GiB or more.
    const length = Math.min(target.length - done, 2 ** 30);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) throw new Refusal(`expected ${target.length - done} more bytes, got the end of the file`);
    done += bytesRead;
  }
}

interface Entry {
  readonly name: string;
  readonly format: Format;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/** Checks everything that the header says about `dataBytes` bytes of data. */
function parseHeader(bytes: Uint8Array, dataBytes: number) {
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

/** JSON.parse keeps the last of equal keys in silence. `text` is valid JSON, so strings before a colon are the keys. */
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
