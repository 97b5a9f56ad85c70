import { visibleLine } from '../../text/visible.js';

/** A field of a protocol buffer's message: its number, wire type and contents. */
function field(number: number, wireType: 0 | 1 | 2 | 5, contents: Uint8Array): Uint8Array {
  const head = varint((number << 3) | wireType);
  return Buffer.concat(wireType === 2 ? [head, varint(contents.length), contents] : [head, contents]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function float(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

const text = (value: string) => Buffer.from(visibleLine(value), 'utf8');
const wallTime = () => field(1, 1, double(Date.now() / 1000));

/** The message `Event` that an event file begins with. */
export function fileVersion(): Uint8Array {
  return Buffer.concat([wallTime(), field(3, 2, text('brain.Event:2'))]);
}

/** A message `Event` with values by tag (tensorflow/core/util/event.proto, framework/summary.proto). */
export function scalarEvent(step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const fields = Object.entries(values).map(([tag, value]) =>
    field(1, 2, Buffer.concat([field(1, 2, text(tag)), field(2, 5, float(value))])),
  );
  return Buffer.concat([wallTime(), field(2, 0, varint(step)), field(5, 2, Buffer.concat(fields))]);
}

/** A record of a TFRecord file: length, checksum, contents, checksum. */
export function tfRecord(contents: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(contents.length));
  return Buffer.concat([length, maskedCrc32c(length), contents, maskedCrc32c(contents)]);
}

/** Castagnoli's polynomial, bits reversed. */
const table = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

/** The checksum, rotated and shifted: a plain checksum of data that contain checksums would be weak. */
function maskedCrc32c(bytes: Uint8Array): Uint8Array {
  const crc = crc32c(bytes);
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return masked;
}
