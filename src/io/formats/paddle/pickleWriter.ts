import type { DType } from '../../../graph/dtype.js';
import { concatBytes, utf8Length, utf8OfLatin1 } from '../bytes.js';
import type { TensorData } from '../tensorData.js';

/**
 * A value that can be pickled: maps become dicts, arrays lists, tensors arrays of NumPy, whole numbers int.
 */
export type Picklable =
  | null
  | boolean
  | number
  | string
  | TensorData
  | readonly Picklable[]
  | ReadonlyMap<string, Picklable>;

/** 4 is Paddle's default; Paddle 2.0 and before write 2. */
export type PickleProtocol = 2 | 4;

const typeCodes: Readonly<Record<DType, readonly [type: string, byteOrder: string]>> = {
  float32: ['f4', '<'],
  int32: ['i4', '<'],
  uint8: ['u1', '|'],
};

/** Marks a note, so that other texts are not taken for one. */
const noteMark = 'fovea:';
const maxNoteBytes = 2 ** 20;

/**
 * Reads the note that {@link pickle} has put before the value; null if there is none.
 *
 * @param read returns up to `length` bytes from `position`
 */
export async function pickleNote(
  read: (position: number, length: number) => Promise<Uint8Array>,
): Promise<string | null> {
  const head = await read(0, 7);
  if (head.length < 7 || head[0] !== 0x80 || head[2] !== 0x58) return null;
  const length = viewOf(head).getUint32(3, true);
  if (length < noteMark.length || length > maxNoteBytes) return null;
  const bytes = await read(7, length + 1);
  if (bytes.length !== length + 1 || bytes[length] !== 0x30) return null;
  const note = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, length));
  return note.startsWith(noteMark) ? note.slice(noteMark.length) : null;
}

/** Bytes turned into text at a time. */
const textBytes = 2 ** 20;

/**
 * Pickles a value, in pieces. Arrays are not copied (protocol 4), or become text by the megabyte (protocol
 * 2): do not change them before the pieces are written.
 *
 * @param note a text that the pickle pushes and pops before the value: {@link pickleNote} finds it, other
 * readers ignore it
 */
export function* pickle(value: Picklable, protocol: PickleProtocol, note: string | null = null): Generator<Uint8Array> {
  const bytes = protocol === 2 ? bytesAsText : bytesAsBytes;
  yield operation(0x80, protocol);
  if (note !== null) {
    yield text(noteMark + note);
    yield operation(0x30); // POP
  }
  yield* write(value);
  yield operation(0x2e); // STOP

  function* write(item: Picklable): Generator<Uint8Array> {
    if (item === null) yield operation(0x4e);
    else if (typeof item === 'boolean') yield operation(item ? 0x88 : 0x89);
    else if (typeof item === 'number') yield number(item);
    else if (typeof item === 'string') yield text(item);
    else if (item instanceof Map) {
      yield operation(0x7d, 0x28); // EMPTY_DICT, MARK
      for (const [key, entry] of item) {
        yield text(key);
        yield* write(entry);
      }
      yield operation(0x75); // SETITEMS
    } else if (Array.isArray(item)) {
      yield operation(0x5d, 0x28); // EMPTY_LIST, MARK
      for (const entry of item) yield* write(entry);
      yield operation(0x65); // APPENDS
    } else yield* array(item as TensorData);
  }

  /**
   * As NumPy does it: `_reconstruct(ndarray, (0,), b'b')`, then the state. NumPy 2 knows the old name as
   * well.
   */
  function* array({ shape, dtype, data }: TensorData): Generator<Uint8Array> {
    const [type, byteOrder] = typeCodes[dtype];
    yield global('numpy.core.multiarray', '_reconstruct');
    yield global('numpy', 'ndarray');
    yield number(0);
    yield operation(0x85); // TUPLE1
    yield* bytes(Uint8Array.of(0x62));
    yield operation(0x87, 0x52, 0x28); // TUPLE3, REDUCE, MARK
    yield number(1);
    yield operation(0x28); // MARK
    for (const size of shape) yield number(size);
    yield operation(0x74); // TUPLE
    yield global('numpy', 'dtype');
    yield text(type);
    yield operation(0x89, 0x88, 0x87, 0x52, 0x28); // False, True, TUPLE3, REDUCE, MARK
    yield number(3);
    yield text(byteOrder);
    yield operation(0x4e, 0x4e, 0x4e); // None, None, None
    yield number(-1);
    yield number(-1);
    yield number(0);
    yield operation(0x74, 0x62, 0x89); // TUPLE, BUILD, False
    yield* bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    yield operation(0x74, 0x62); // TUPLE, BUILD
  }
}

function* bytesAsBytes(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length < 256)
    yield operation(0x43, bytes.length); // SHORT_BINBYTES
  else if (bytes.length < 2 ** 32)
    yield withLength(0x42, bytes.length); // BINBYTES
  else {
    const head = headOf(9, 0x8e); // BINBYTES8
    viewOf(head).setBigUint64(1, BigInt(bytes.length), true);
    yield head;
  }
  yield bytes;
}

/** `_codecs.encode(text, 'latin1')`: before protocol 3 there are no bytes. */
function* bytesAsText(bytes: Uint8Array): Generator<Uint8Array> {
  yield global('_codecs', 'encode');
  yield withLength(0x58, utf8Length(bytes)); // BINUNICODE
  for (let begin = 0; begin < bytes.length; begin += textBytes) {
    yield utf8OfLatin1(bytes.subarray(begin, begin + textBytes));
  }
  yield text('latin1');
  yield operation(0x86, 0x52); // TUPLE2, REDUCE
}

const utf8 = new TextEncoder();

function operation(...bytes: number[]): Uint8Array {
  return Uint8Array.from(bytes);
}

function global(module: string, name: string): Uint8Array {
  return utf8.encode(`c${module}\n${name}\n`);
}

/** BINUNICODE */
function text(content: string): Uint8Array {
  const bytes = utf8.encode(content);
  return concatBytes([withLength(0x58, bytes.length), bytes]);
}

function withLength(code: number, length: number): Uint8Array {
  const head = headOf(5, code);
  viewOf(head).setUint32(1, length, true);
  return head;
}

function number(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    const float = headOf(9, 0x47); // BINFLOAT
    viewOf(float).setFloat64(1, value, false);
    return float;
  }
  if (value >= 0 && value < 256) return operation(0x4b, value); // BININT1
  if (value === (value | 0)) return withLength(0x4a, value >>> 0); // BININT
  const long = headOf(10, 0x8a); // LONG1 of 8 bytes
  long[1] = 8;
  viewOf(long).setBigInt64(2, BigInt(value), true);
  return long;
}

/** An operation of this many bytes. Its arguments are still zero. */
function headOf(bytes: number, code: number): Uint8Array {
  const head = new Uint8Array(bytes);
  head[0] = code;
  return head;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
