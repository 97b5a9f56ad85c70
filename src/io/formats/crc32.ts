import * as zlib from 'node:zlib';

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** @internal For Node before 20.15, which has none of its own. */
export function portableCrc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

/** The checksum of zip and gzip. `before` is that of the bytes in front. */
export const crc32: (bytes: Uint8Array, before?: number) => number =
  (zlib as Partial<Pick<typeof zlib, 'crc32'>>).crc32 ?? portableCrc32;
