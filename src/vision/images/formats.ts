/**
 * Kinds of picture files, recognized by their first bytes; names do not matter. This table alone decides
 * which files of a folder are pictures and which of them are read.
 */
export interface PictureFormat {
  /** Name for people, such as `JPEG` or `HEIC`. */
  readonly name: string;
  /** Whether the decoder can read it. */
  readonly isRead: boolean;
}

/** The number of first bytes that {@link pictureFormat} needs: DICOM has its name at 128. */
export const formatBytes = 132;

type Test = (start: string) => boolean;

/** Whether one of these texts is at this place. */
const at =
  (place: number, ...texts: readonly string[]): Test =>
  (start) =>
    texts.some((text) => start.startsWith(text, place));
const both =
  (one: Test, other: Test): Test =>
  (start) =>
    one(start) && other(start);
const either =
  (...tests: readonly Test[]): Test =>
  (start) =>
    tests.some((test) => test(start));

/** Recognizes brands of ISO's media files. */
const brand = (...names: readonly string[]) => at(4, ...names.map((name) => `ftyp${name}`));

/**
 * Bytes in latin1; the first match counts. Formats that are not read are here so that messages can name them.
 */
const known: readonly (readonly [name: string, isRead: boolean, holds: Test])[] = [
  ['JPEG', true, at(0, '\xff\xd8\xff')],
  ['PNG', true, at(0, '\x89PNG\r\n\x1a\n')],
  ['WebP', true, both(at(0, 'RIFF'), at(8, 'WEBP'))],
  ['camera raw', false, both(at(0, 'II*\0'), at(8, 'CR'))],
  ['camera raw', false, either(at(0, 'FUJIFILMCCD-RAW', 'IIRO', 'IIRS', 'MMOR', 'IIU\0'), brand('crx '))],
  ['TIFF', true, at(0, 'II*\0', 'MM\0*', 'II+\0', 'MM\0+')],
  ['GIF', true, at(0, 'GIF87a', 'GIF89a')],
  ['AVIF', false, brand('avif', 'avis')],
  ['HEIC', false, brand('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1')],
  ['JPEG XL', false, at(0, '\xff\x0a', '\0\0\0\x0cJXL ')],
  ['JPEG 2000', false, at(0, '\0\0\0\x0cjP  ', '\xff\x4f\xff\x51')],
  // Two letters could begin any text, so the size of the second header must be one of a few.
  ['BMP', false, both(at(0, 'BM'), at(14, ...[12, 16, 40, 52, 56, 64, 108, 124].map(uint32)))],
  ['PNM', false, both(at(0, 'P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7'), at(2, '\n', '\r', ' ', '\t'))],
  ['Photoshop', false, at(0, '8BPS')],
  ['DICOM', false, at(128, 'DICM')],
  ['OpenEXR', false, at(0, 'v/1\x01')],
  ['Radiance', false, at(0, '#?RADIANCE', '#?RGBE')],
  ['icon', false, at(0, '\0\0\x01\0', '\0\0\x02\0')],
  ['SVG', false, (start) => /^(ï»¿)?\s*(<\?xml.*|<!--.*)?<svg\b/is.test(start)],
];

function uint32(n: number): string {
  return `${String.fromCharCode(n)}\0\0\0`;
}

/** Raw files of cameras that begin like a TIFF. Only their thumbnail could be read. */
const rawEnding = /\.(nef|nrw|arw|sr2|srf|dng|pef|srw|3fr|iiq|erf|mef|mos|kdc|dcr|raw)$/i;

/** The names of the formats that are read. */
export const readFormats: readonly string[] = known.flatMap(([name, isRead]) => (isRead ? [name] : []));

/**
 * The kind of picture that a file contains; null if it is none or unknown.
 *
 * @param start the first {@link formatBytes} bytes, or all of a shorter file
 * @param name of the file; it distinguishes raw files of cameras from TIFF
 */
export function pictureFormat(start: Uint8Array, name = ''): PictureFormat | null {
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, formatBytes)).toString('latin1');
  const found = known.find(([, , holds]) => holds(text));
  if (found === undefined) return null;
  if (found[0] === 'TIFF' && rawEnding.test(name)) return { name: 'camera raw', isRead: false };
  return { name: found[0], isRead: found[1] };
}

/**
 * Whether a name promises a picture in a format that is read. Such a file with other contents is a damaged
 * picture.
 */
export function promisesPicture(name: string): boolean {
  return /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?)$/i.test(name);
}
