import type { FileHandle } from 'node:fs/promises';
import { checkPath, requireValue } from '../../check.js';
import { FileError } from '../../errors.js';
import { reasonOf, writeFileAtomic } from '../files/atomic.js';
import { openInput } from '../files/input.js';
import {
  encodeSafetensors,
  headerBytesOf,
  parseHeader,
  prefixBytes,
  Refusal,
  receiverOf,
  type Safetensors,
  textsByName,
} from '../formats/safetensors.js';
import type { TensorData } from '../formats/tensorData.js';
import { arraysOf, type Named } from '../named.js';

/**
 * Writes a layer, or tensors and arrays by name, in Hugging Face's safetensors format, through a temporary
 * file that replaces `path` at the end. Arrays are not copied: do not change them before the file is written.
 *
 * @throws {InputError} for arrays that do not match their shape or dtype
 * @throws {FileError} if writing fails
 */
export async function saveSafetensors(
  object: Named,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  requireValue('saveSafetensors', 'metadata', metadata, textsByName);
  const tensors = await arraysOf('saveSafetensors', object, path);
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata, path));
}

/**
 * Reads a safetensors file. F32, I32 and U8 keep their type; F64, F16 and BF16 become float32 (F64 rounded),
 * I64 becomes int32. Every array has memory of its own.
 *
 * @throws {FileError} for a file that is missing, truncated or not exactly as the format demands: header,
 * names, sizes and offsets are checked before an array is allocated
 */
export async function loadSafetensors(path: string): Promise<Safetensors> {
  checkPath('loadSafetensors', path);
  return reading(path, async (handle) => {
    const { entries, metadata, start } = await readHeader(handle);
    const tensors = new Map<string, TensorData>();
    for (const entry of entries) {
      const { target, finish } = receiverOf(entry);
      await readInto(handle, target, start + entry.begin);
      tensors.set(entry.name, finish());
    }
    return { tensors, metadata };
  });
}

/**
 * Reads the metadata of a safetensors file, and no tensor.
 *
 * @throws {FileError} for a file that is missing or whose header is not exactly as the format demands
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
    const problem = error instanceof Refusal ? error.message : `expected a readable file, got ${reasonOf(error)}`;
    throw new FileError(`[safetensors] ${path}: ${problem}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

/** The checked header, and the position of the data. */
async function readHeader(handle: FileHandle) {
  const { size } = await handle.stat();
  const prefix = new Uint8Array(Math.min(prefixBytes, size));
  await readInto(handle, prefix, 0);
  const bytes = new Uint8Array(headerBytesOf(prefix, size));
  await readInto(handle, bytes, prefixBytes);
  const start = prefixBytes + bytes.length;
  return { ...parseHeader(bytes, size - start), start };
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
