import type { PickleValue } from './pickleValue.js';
import { Unpickler } from './unpickler.js';

/**
 * Reads a pickle of protocol 2 to 5 without running anything: arrays and scalars of NumPy (1 or 2), dict, OrderedDict,
 * list, tuple, str, bytes, numbers, None. Text of Python 2 is taken for Latin-1. Integers beyond 2^53 become bigint.
 *
 * @param bytes the file, which is used up: arrays become views of it, some moved by a few bytes into alignment
 * @param where the file's name for messages
 * @throws FileError for anything else, for truncated files, and for trailing bytes
 */
export function parsePickle(bytes: Uint8Array, where: string): PickleValue {
  return new Unpickler(bytes, where).load();
}
