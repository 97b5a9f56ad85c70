import * as check from '../../check.js';
import { FileError } from '../../errors.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';

/** Bytes in an array of any rank. */
export interface IdxArray {
  readonly shape: Shape;
  readonly data: Uint8Array;
}

/** 1 for labels (magic number 0x801), 3 for images (0x803: count, rows, columns). */
export type IdxRank = 1 | 3;

/** Bytes before the data. */
export const idxHeaderBytes = (rank: IdxRank): number => 4 + 4 * rank;

/** The error for a file that is not as the format demands. @param where names the file */
export function idxRefusal(where: string, what: string, expected: string, got: string, cause?: unknown): FileError {
  return new FileError(
    `[idx] ${where}: ${what}: expected ${expected}, got ${got}; replace the file by an intact one of the data set`,
    { cause },
  );
}

/**
 * The sizes in the header of a file in MNIST's IDX format.
 *
 * @param bytes the beginning of the file
 * @throws {FileError} for another magic number, and for sizes of 0
 */
export function idxShape(bytes: Uint8Array, rank: IdxRank, where: string): Shape {
  const magic = 0x800 + rank;
  const start = idxHeaderBytes(rank);
  if (bytes.length < start) throw idxRefusal(where, 'header', `${start} bytes`, `${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  if (view.getUint32(0) !== magic) {
    const kind = rank === 1 ? 'labels' : 'images';
    throw idxRefusal(where, 'magic number', `${hex(magic)} (${kind})`, hex(view.getUint32(0)));
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  if (shape.includes(0)) throw idxRefusal(where, 'sizes', 'positive numbers', formatShape(shape));
  return shape;
}

/** @throws {FileError} unless a file has exactly the bytes of its header; `null` stands for more */
export function requireIdxBytes(bytes: Uint8Array | null, shape: Shape, where: string): void {
  const start = 4 + 4 * shape.length;
  const size = start + numel(shape);
  if (bytes?.length === size) return;
  const expected = `${size} bytes (${start} and ${formatShape(shape)})`;
  throw idxRefusal(where, 'size', expected, bytes === null ? 'more' : `${bytes.length}`);
}

/**
 * Decodes unsigned bytes in the IDX format of MNIST: the magic number 0x800 + rank, one 32-bit size for each
 * axis (big-endian), then the bytes. The result is a view of `bytes`.
 *
 * @param where names the file in messages
 * @throws {FileError} for anything that is not exactly such a file
 */
export function decodeIdx(bytes: Uint8Array, rank: IdxRank, where = 'bytes'): IdxArray {
  check.requireValue('decodeIdx', 'bytes', bytes, check.instanceOf(Uint8Array));
  check.requireValue(
    'decodeIdx',
    'rank',
    rank,
    check.rule<IdxRank>('1 or 3', (x) => x === 1 || x === 3),
  );
  check.requireValue('decodeIdx', 'where', where, check.text);
  const shape = idxShape(bytes, rank, where);
  requireIdxBytes(bytes, shape, where);
  // `subarray` of Node's `Buffer` would make another one.
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + idxHeaderBytes(rank), numel(shape));
  return { shape, data };
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
