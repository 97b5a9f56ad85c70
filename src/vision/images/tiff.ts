/** The first directory of a TIFF file: fields by their numbers. Only fields that affect pixels are read. */

/** The place of a field's entry, and its first value if that is a whole number. */
interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Place of the entry. */
  readonly at: number;
  /** Place of the values. */
  readonly values: number;
}

interface Directory {
  readonly view: DataView;
  readonly little: boolean;
  /** BigTIFF: counts and places have 64 bits. */
  readonly isBig: boolean;
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

const tags = {
  bits: 258,
  compression: 259,
  colours: 262,
  maxValue: 281,
  extraSamples: 338,
  sampleFormat: 339,
  largestValue: 341,
} as const;

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
  /** Whether 0 is white. */
  readonly isInverted: boolean;
  /** A reason why the decoder would give wrong colours; null if it reads them. */
  readonly unread: { readonly expected: string; readonly got: string } | null;
}

/** TIFF's numbers of kinds of colours, and of the compressions as JPEG. */
const [whiteIsZero, palette, inks, luma] = [0, 3, 5, 6];
const jpegs = [6, 7];
/** Kinds that are not read. */
const otherColours: ReadonlyMap<number, string> = new Map([
  [4, 'a mask'],
  [8, 'colours as Lab'],
  [9, 'colours as Lab'],
  [10, 'colours as Lab'],
  [32803, 'raw values of a camera'],
  [32844, 'logarithms of light'],
  [32845, 'logarithms of light'],
  [34892, 'raw values of a camera'],
]);

/** Null if the directory cannot be read. */
export function tiffValues(bytes: Uint8Array): TiffValues | null {
  const directory = readDirectory(bytes);
  if (directory === null) return null;
  const numberOf = (tag: number) => firstValue(directory, tag);
  const format = valueFormats[(numberOf(tags.sampleFormat) ?? 1) - 1] ?? 'other';
  const bits = numberOf(tags.bits) ?? 1;
  const colours = numberOf(tags.colours);
  return {
    bits,
    format,
    isInverted: colours === whiteIsZero,
    unread: unreadColours(colours, bits, format, numberOf(tags.compression)),
    largest: numberOf(tags.maxValue) ?? numberOf(tags.largestValue),
    hasOtherChannel: numberOf(tags.extraSamples) === 0,
  };
}

function unreadColours(
  colours: number | null,
  bits: number,
  format: TiffValues['format'],
  compression: number | null,
): TiffValues['unread'] {
  const other = otherColours.get(colours ?? -1);
  if (other !== undefined) return { expected: 'grey, or red, green and blue', got: other };
  const isByte = bits <= 8 && format === 'unsigned';
  if ((colours === inks || colours === palette) && !isByte) {
    return { expected: `${colours === inks ? 'CMYK' : 'a palette'} of 8 bits`, got: `${bits} bits, ${format}` };
  }
  if (colours === luma && !jpegs.includes(compression ?? 1)) {
    return { expected: 'grey, or red, green and blue', got: 'YCbCr without the compression of JPEG' };
  }
  if (colours === whiteIsZero && bits <= 8 && !isByte) {
    return { expected: 'values without a sign where 0 is white', got: `${bits} bits, ${format}` };
  }
  return null;
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
  const { count, values } = field;
  for (let i = 0; i < count && values + 2 * i + 2 <= bytes.length; i++) view.setUint16(values + 2 * i, 1, little);
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
  if (directory === null || directory.isBig) return null;
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
  if (bytes.length < 16) return null;
  const little = bytes[0] === 0x49;
  const magic = view.getUint16(2, little);
  const isBig = magic === 43;
  if (magic !== 42 && !isBig) return null;
  // Places beyond 2^53 are outside of any file.
  const word = (at: number) => (isBig ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const [wordBytes, countBytes, size] = isBig ? [8, 8, 20] : [4, 2, entryBytes];
  const start = word(isBig ? 8 : 4);
  if (start + countBytes > bytes.length) return null;
  const count = isBig ? word(start) : view.getUint16(start, little);
  if (count === 0 || start + countBytes + count * size > bytes.length) return null;
  const fields = Array.from({ length: count }, (_, i): Field => {
    const at = start + countBytes + i * size;
    const [tag, type, length] = [view.getUint16(at, little), view.getUint16(at + 2, little), word(at + 4)];
    const place = at + 4 + wordBytes;
    const isInside = length * (type === short ? 2 : 4) <= wordBytes;
    return { tag, type, count: length, at, values: isInside ? place : word(place) };
  });
  return { view, little, isBig, fields };
}

function firstValue({ view, little, fields }: Directory, wanted: number): number | null {
  const field = fields.find(({ tag }) => tag === wanted);
  if (field === undefined) return null;
  const { type, count, values } = field;
  if (!whole.includes(type) || count === 0 || values + 4 > view.byteLength) return null;
  return type === short ? view.getUint16(values, little) : view.getUint32(values, little);
}
