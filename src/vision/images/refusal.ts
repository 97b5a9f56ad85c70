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

/**
 * The first line of an error of libvips, which writes one line for each complaint; the first one names the
 * cause.
 */
export function decoderReason(error: unknown): string {
  return reasonOf(error).split('\n')[0].trim();
}

/** Bytes as `ff d8`. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
