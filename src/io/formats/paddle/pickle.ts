import { instanceOf, requireValue, text } from '../../../check.js';
import type { PickleValue } from './pickleValue.js';
import { Unpickler } from './unpickler.js';

/**
 * Reads a pickle of protocol 2 to 5 without running anything: arrays and scalars of NumPy (1 or 2), dict,
 * OrderedDict, list, tuple, str, bytes, numbers, None. Text of Python 2 is taken for Latin-1. Integers beyond
 * 2^53 become bigint.
 *
 * @param bytes of the file. Arrays become views of them, and some are moved by a few bytes into alignment.
 * @param where names the file in messages
 * @throws {FileError} for other objects, truncated files and trailing bytes
 */
export function parsePickle(bytes: Uint8Array, where: string): PickleValue {
  requireValue('parsePickle', 'bytes', bytes, instanceOf(Uint8Array));
  requireValue('parsePickle', 'where', where, text);
  return new Unpickler(bytes, where).load();
}
