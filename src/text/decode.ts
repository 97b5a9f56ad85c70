import { FileError } from '../errors.js';

export type Encoding = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'Windows-1252';

export interface DecodedText {
  /** Text without a byte order mark. */
  readonly text: string;
  readonly encoding: Encoding;
}

/** Windows-1252 from 0x80 to 0x9f. A space marks each of the five undefined bytes. */
const windowsUpper = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';
const advice = 'save it again as UTF-8';

/**
 * Decodes text: UTF-8, UTF-16 with a byte order mark, or else Windows-1252, in which spreadsheets on Windows
 * save western European text. No byte is lost or replaced. Callers that show the text report Windows-1252,
 * since nothing in the bytes proves it.
 *
 * @param where begins the message of an error, such as `[table] list.csv`
 * @throws {FileError} for other bytes
 */
export function decodeText(bytes: Uint8Array, where: string): DecodedText {
  const refuse = (got: string) => new FileError(`${where}: expected text, got ${got}; ${advice}`);
  const strict = (encoding: 'UTF-8' | 'UTF-16LE' | 'UTF-16BE'): DecodedText | null => {
    try {
      return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding };
    } catch {
      return null;
    }
  };
  const [a, b, c, d] = bytes;
  const isWide = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
  if (isWide && c === 0 && d === 0) throw refuse('UTF-32');
  const decoded = isWide ? strict(a === 0xff ? 'UTF-16LE' : 'UTF-16BE') : strict('UTF-8');
  if (isWide && decoded === null) throw refuse('broken UTF-16');
  if (decoded?.text.includes('\0') || (decoded === null && bytes.includes(0))) throw refuse('bytes that are no text');
  if (decoded !== null) return decoded;
  if (a === 0xef && b === 0xbb && c === 0xbf) throw refuse('broken UTF-8');
  const text = windowsText(bytes);
  if (text === null) throw refuse('text in an unknown encoding');
  return { text, encoding: 'Windows-1252' };
}

/**
 * Decodes Windows-1252; `null` if a byte is undefined. It has a table of its own, since Node's decoder takes
 * some of these bytes for control characters.
 */
function windowsText(bytes: Uint8Array): string | null {
  const meaningless = bytes.some((byte) => byte >= 0x80 && byte < 0xa0 && windowsUpper[byte - 0x80] === ' ');
  if (meaningless) return null;
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return latin.replace(/[\x80-\x9f]/g, (character) => windowsUpper[character.charCodeAt(0) - 0x80]);
}
