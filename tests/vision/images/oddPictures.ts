import sharp from 'sharp';

/** Files of pictures that are odd or damaged, made of intact ones. */

const [width, height] = [64, 48];
const noise = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i * i * 31) >>> 5) & 255);
const picture = () => sharp(noise, { raw: { width, height, channels: 3 } });
const jfif = Buffer.from('ffe000104a46494600010100000100010000', 'hex');

/** Intact pictures of 64×48. */
export async function intactPictures() {
  const bare = await picture().jpeg({ quality: 80 }).toBuffer();
  const scans = await picture().jpeg({ quality: 80, progressive: true }).toBuffer();
  return {
    bare,
    jpeg: inserted(bare, 2, jfif),
    progressive: inserted(scans, 2, jfif),
    png: await picture().png().toBuffer(),
    gif: await picture().gif().toBuffer(),
    webp: await picture().webp().toBuffer(),
    tiff: await picture().tiff({ compression: 'none' }).toBuffer(),
  };
}

export function inserted(bytes: Buffer, at: number, more: Uint8Array | readonly number[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(more), bytes.subarray(at)]);
}

/** With one byte changed for another. */
export function changed(bytes: Buffer, at: number, value: number): Buffer {
  const result = Buffer.from(bytes);
  result[at] = value;
  return result;
}

/** Where a segment of a JPEG begins. */
export function segmentAt(bytes: Buffer, code: number): number {
  let at = 2;
  while (bytes[at + 1] !== code) at += 2 + bytes.readUInt16BE(at + 2);
  return at;
}

export const adobeSegment = (transform: number) => [
  ...[0xff, 0xee, 0, 14],
  ...Buffer.from('Adobe'),
  ...[0, 100, 0, 0, 0, 0, transform],
];

/** The entries of a TIFF's directory, changed. */
export function withEntries(tiff: Buffer, change: (entries: Buffer[]) => Buffer[]): Buffer {
  const at = tiff.readUInt32LE(4);
  const count = tiff.readUInt16LE(at);
  const entries = Array.from({ length: count }, (_, i) => tiff.subarray(at + 2 + 12 * i, at + 14 + 12 * i));
  const made = change(entries);
  const head = Buffer.alloc(2);
  head.writeUInt16LE(made.length);
  const result = Buffer.concat([tiff, Buffer.alloc(tiff.length % 2), head, ...made, Buffer.alloc(4)]);
  result.writeUInt32LE(tiff.length + (tiff.length % 2), 4);
  return result;
}

type TiffInput = readonly [
  values: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array,
  size: readonly [height: number, width: number, channels: number],
  tags?: Readonly<Record<number, readonly number[]>>,
];

/** The data of an uncompressed TIFF of one strip, and the entries of its directory. */
function tiffParts([values, [rows, columns, channels], tags = {}]: TiffInput, dataAt: number) {
  const isSigned = values instanceof Int8Array || values instanceof Int16Array || values instanceof Int32Array;
  const format = values instanceof Float32Array || values instanceof Float64Array ? 3 : isSigned ? 2 : 1;
  const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const all: Record<number, readonly number[]> = {
    256: [columns],
    257: [rows],
    258: new Array<number>(channels).fill(8 * values.BYTES_PER_ELEMENT),
    259: [1],
    262: [channels < 3 ? 1 : 2],
    273: [dataAt],
    277: [channels],
    278: [rows],
    279: [data.length],
    339: new Array<number>(channels).fill(format),
    ...tags,
  };
  return { data, entries: Object.entries(all).map(([tag, list]) => [Number(tag), list] as const) };
}

/** The same picture as {@link tiffOf} makes, as a BigTIFF. No list may have more than four numbers. */
export function bigTiffOf(...input: TiffInput): Buffer {
  const { data, entries } = tiffParts(input, 16);
  const directory = Buffer.alloc(8 + 20 * entries.length + 8);
  directory.writeBigUInt64LE(BigInt(entries.length));
  entries.forEach(([tag, list], i) => {
    const at = 8 + 20 * i;
    directory.writeUInt16LE(tag, at);
    const isShort = ![273, 279].includes(tag);
    directory.writeUInt16LE(isShort ? 3 : 4, at + 2);
    directory.writeBigUInt64LE(BigInt(list.length), at + 4);
    list.forEach((value, k) => {
      if (isShort) directory.writeUInt16LE(value, at + 12 + 2 * k);
      else directory.writeUInt32LE(value, at + 12);
    });
  });
  const head = Buffer.from('II+\0\x08\0\0\0\0\0\0\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(16 + data.length, 8);
  return Buffer.concat([head, data, directory]);
}

/** An uncompressed TIFF of one strip. */
export function tiffOf(...input: TiffInput): Buffer {
  const { data, entries } = tiffParts(input, 8);
  let extra = 8 + data.length + 2 + 12 * entries.length + 4;
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  const lists: Buffer[] = [];
  directory.writeUInt16LE(entries.length);
  entries.forEach(([tag, list], i) => {
    const at = 2 + 12 * i;
    directory.writeUInt16LE(tag, at);
    const isShort = ![273, 279].includes(tag);
    directory.writeUInt16LE(isShort ? 3 : 4, at + 2);
    directory.writeUInt32LE(list.length, at + 4);
    const bytes = Buffer.alloc(isShort ? 2 * list.length : 4);
    list.forEach((value, k) => {
      if (isShort) bytes.writeUInt16LE(value, 2 * k);
      else bytes.writeUInt32LE(value);
    });
    if (bytes.length <= 4) bytes.copy(directory, at + 8);
    else {
      directory.writeUInt32LE(extra, at + 8);
      lists.push(bytes);
      extra += bytes.length;
    }
  });
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(8 + data.length, 4);
  return Buffer.concat([head, data, directory, ...lists]);
}
