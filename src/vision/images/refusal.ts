import { FileError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';

/** The error for a picture that is not as expected. */
export function refusal(
  name: string,
  expected: string,
  got: string,
  cause?: unknown,
  advice = 'replace it or leave it out',
): FileError {
  return new FileError(`[image] ${name}: expected ${expected}, got ${got}; ${advice}`, { cause });
}

/** Words by which a complaint of the decoder belongs to a format. */
const decoders: Readonly<Record<string, RegExp>> = {
  JPEG: /jpe?g/i,
  PNG: /png/i,
  WebP: /webp/i,
  TIFF: /tiff/i,
  GIF: /gif/i,
};

/**
 * Why a picture could not be decoded. libvips collects the complaints about all pictures that are decoded
 * at the same time, so only those about the format of this one are used.
 *
 * @param format null if it is unknown
 */
export function decoderReason(error: unknown, format: string | null): string {
  const own = format === null ? undefined : decoders[format];
  const complaint = reasonOf(error)
    .replace('Input buffer has corrupt header:', '')
    .split('\n')
    .find((line) => own?.test(line));
  const detail = complaint?.replace(/^\s*\w+: /, '').trim() ?? '';
  return `damaged or truncated contents${detail === '' ? '' : ` (${detail})`}`;
}

/** Bytes as `ff d8`. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
