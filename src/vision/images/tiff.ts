/** The first directory of a TIFF file: fields by their numbers. Only fields that affect pixels are read. */

/** The place of a field's entry, and its first value if that is a whole number. */
interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Place of the twelve bytes. */
  readonly at: number;
}

interface Directory {
  readonly view: DataView;
  readonly little: boolean;
  readonly fields: readonly Field[];
}

const entryBytes = 12;
/** ASCII, SHORT, LONG, RATIONAL and UNDEFINED, as the specification numbers them. */
const [ascii, short, long, rational, undefinedType] = [2, 3, 4, 5, 7];
const whole = [short, long];

/** The fields of baseline TIFF and its usual extensions, with the types that they may have. */
const knownTypes: ReadonlyMap<number, readonly number[]> = new Map(
  (
    [
      [[254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 284], whole],
      [[288, 289, 290, 291, 292, 293, 296, 297, 301, 317, 320, 321, 322, 323, 324, 325, 330, 332, 334, 336], whole],
      [[338, 339, 340, 341, 530, 531, 34665, 34853], whole],
      [[269, 270, 271, 272, 285, 305, 306, 315, 316, 333, 337, 33432], [ascii]],
      [[282, 283, 286, 287, 318, 319, 529, 532], [rational]],
      [
        [347, 700, 34377, 34675, 33723],
        [undefinedType, 1, long],
      ],
    ] as const
  ).flatMap(([tags, types]) => tags.map((tag): [number, readonly number[]] => [tag, types])),
);

/**
 * Width, height, bits, compression, colours, places and sizes of the data: a directory without them is
 * damaged.
 */
const needed = [[256], [257], [258], [259], [262], [273, 324], [277], [279, 325]];

const tags = { bits: 258, maxValue: 281, extraSamples: 338, sampleFormat: 339, largestValue: 341 } as const;

/** Indexed by the number of the sample format minus 1; the fourth one means "undefined". */
const valueFormats = ['unsigned', 'signed', 'float', 'unsigned'] as const;

/** The description of values in the first picture of a TIFF. */
export interface TiffValues {
  readonly bits: number;
  /** Whole numbers, signed ones, floats, or something else, such as complex numbers. */
  readonly format: 'unsigned' | 'signed' | 'float' | 'other';
  /** The largest value according to the file; null if the file does not say. */
  readonly largest: number | null;
  /** Whether a fourth (second) channel has another meaning than transparency. */
  readonly hasOtherChannel: boolean;
}

/** Null if the directory cannot be read. */
export function tiffValues(bytes: Uint8Array): TiffValues | null {
  const directory = readDirectory(bytes);
  if (directory === null) return null;
  const numberOf = (tag: number) => firstValue(directory, tag);
  const format = valueFormats[(numberOf(tags.sampleFormat) ?? 1) - 1] ?? 'other';
  return {
    bits: numberOf(tags.bits) ?? 1,
    format,
    largest: numberOf(tags.maxValue) ?? numberOf(tags.largestValue),
    hasOtherChannel: numberOf(tags.extraSamples) === 0,
  };
}

/**
 * The same file with its values declared as unsigned whole numbers, so that their bits are read unchanged.
 */
export function withUnsignedValues(bytes: Uint8Array): Uint8Array {
  const result = Uint8Array.from(bytes);
  const directory = readDirectory(result);
  const field = directory?.fields.find(({ tag }) => tag === tags.sampleFormat);
  if (directory == null || field === undefined || field.type !== short) return result;
  const { view, little } = directory;
  const at = field.count <= 2 ? field.at + 8 : view.getUint32(field.at + 8, little);
  for (let i = 0; i < field.count && at + 2 * i + 2 <= bytes.length; i++) view.setUint16(at + 2 * i, 1, little);
  return result;
}

/**
 * The same file with the fields of its directory in order, as the specification demands, and without
 * repetitions. Null if more is wrong. A directory in disorder may be damaged, so every field must be known
 * and have the right type, and all fields that pixels need must be there.
 */
export function withFieldsInOrder(bytes: Uint8Array): Uint8Array | null {
  const result = Uint8Array.from(bytes);
  const directory = readDirectory(result);
  if (directory === null) return null;
  const { fields, view, little } = directory;
  const isKnown = ({ tag, type, count }: Field) => count > 0 && knownTypes.get(tag)?.includes(type) === true;
  const isComplete = needed.every((some) => fields.some(({ tag }) => some.includes(tag)));
  if (!fields.every(isKnown) || !isComplete) return null;
  const contents = new Map<number, Uint8Array>();
  for (const { tag, at } of fields) {
    const entry = bytes.subarray(at, at + entryBytes);
    const other = contents.get(tag);
    if (other !== undefined && Buffer.compare(other, entry) !== 0) return null;
    contents.set(tag, entry);
  }
  const sorted = [...contents].sort(([a], [b]) => a - b).map(([, entry]) => entry);
  if (sorted.length === fields.length && fields.every(({ tag }, i) => i === 0 || tag > fields[i - 1].tag)) return null;
  const [{ at: start }] = fields;
  // The place of the next picture, which is not read, follows the last field.
  const end = start + sorted.length * entryBytes;
  view.setUint16(start - 2, sorted.length, little);
  sorted.forEach((entry, i) => {
    result.set(entry, start + i * entryBytes);
  });
  if (end + 4 <= result.length) view.setUint32(end, 0, little);
  return result;
}

function readDirectory(bytes: Uint8Array): Directory | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 8) return null;
  const little = bytes[0] === 0x49;
  // Files beyond 4 GB (BigTIFF) have another layout; files of that size are not read.
  if (view.getUint16(2, little) !== 42) return null;
  const start = view.getUint32(4, little);
  if (start + 2 > bytes.length) return null;
  const count = view.getUint16(start, little);
  if (count === 0 || start + 2 + count * entryBytes > bytes.length) return null;
  const fields = Array.from({ length: count }, (_, i): Field => {
    const at = start + 2 + i * entryBytes;
    const [tag, type] = [view.getUint16(at, little), view.getUint16(at + 2, little)];
    return { tag, type, count: view.getUint32(at + 4, little), at };
  });
  return { view, little, fields };
}

function firstValue({ view, little, fields }: Directory, wanted: number): number | null {
  const field = fields.find(({ tag }) => tag === wanted);
  if (field === undefined) return null;
  const { type, count, at } = field;
  if (!whole.includes(type) || count === 0) return null;
  const isInside = count * (type === short ? 2 : 4) <= 4;
  const place = isInside ? at + 8 : view.getUint32(at + 8, little);
  if (place + 4 > view.byteLength) return null;
  return type === short ? view.getUint16(place, little) : view.getUint32(place, little);
}
