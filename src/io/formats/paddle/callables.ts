import type { FileError } from '../../../errors.js';
import { formatShape, numel, type Shape } from '../../../graph/shape.js';
import { latin1Bytes, latin1Text } from '../bytes.js';
import { Latin1Text } from './byteReader.js';
import { isNumpyType, NumpyArray, type NumpyType, numpyBytes, numpyTypes, readScalar } from './numpy.js';
import type { PickleKey, PickleValue } from './pickleValue.js';

/** A value on the stack of a pickle. */
export type Item = PickleValue | readonly Item[] | Map<PickleKey, Item> | Callable | DataType | Latin1Text;

type Arguments = readonly Item[];

/** The services that an unpickler offers to calls. */
export interface Host {
  /** Makes the error that refuses the value. */
  refuse(expected: string, got: string): FileError;
  /** Counts copied bytes or items: a small file must not fill the memory by repeating itself. */
  spend(amount: number): void;
}

/** A function that a pickle may name: it makes an array, a scalar or a plain container. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (parameters: Arguments, host: Host) => Item,
  ) {}
}

/** numpy.dtype */
export class DataType {
  constructor(readonly type: NumpyType) {}

  /** Takes the state `(3, '<', None, None, None, …)`: byte order, and nothing of structures. */
  build(state: Arguments, host: Host): void {
    const [, order, ...structure] = state;
    if (order !== '<' && order !== '|' && order !== '=') throw host.refuse('a little-endian dtype', nameOf(order));
    if (structure.slice(0, 3).some((part) => part !== null)) throw host.refuse('a plain dtype', 'a structure');
  }
}

/** Takes an array's state `(1, shape, dtype, fortranOrder, contents)`. */
export function fillArray(array: NumpyArray, state: Arguments, host: Host): void {
  const [version, shape, dtype, fortranOrder, contents] = state;
  if (array.contents !== null) throw host.refuse('one state for an array', 'a second one');
  if (state.length !== 5 || version !== 1) throw host.refuse('the state of an array', 'something else');
  array.contents = contentsOf(shape, dtype, fortranOrder, contents, host);
}

function contentsOf(shape: Item, dtype: Item, fortranOrder: Item, contents: Item, host: Host) {
  if (!isShape(shape)) throw host.refuse('a shape', nameOf(shape));
  if (!(dtype instanceof DataType)) throw host.refuse('a dtype', nameOf(dtype));
  const { type } = dtype;
  const bytes = bytesOf(contents, host);
  host.spend(bytes.length);
  if (bytes.length !== numel(shape) * numpyBytes(type)) {
    throw host.refuse(
      `an array ${formatShape(shape)} of ${numpyBytes(type)} bytes an element`,
      `${bytes.length} bytes`,
    );
  }
  return { type, shape, fortranOrder: fortranOrder === true || fortranOrder === 1, bytes };
}

/** Bytes come as text from Python 2, whose text they were. */
function bytesOf(item: Item, host: Host): Uint8Array {
  if (item instanceof Uint8Array) return item;
  if (item instanceof Latin1Text) return item.toBytes();
  if (typeof item === 'string' && /^[\0-\xff]*$/.test(item)) {
    host.spend(item.length);
    return latin1Bytes(item);
  }
  throw host.refuse('bytes', nameOf(item));
}

const never = (name: string) =>
  new Callable(name, (_, host) => {
    throw host.refuse('arrays and plain containers', `a call of ${name}`);
  });

const ndarray = never('numpy.ndarray');

const dtype = new Callable('numpy.dtype', ([code], host) => {
  if (!isNumpyType(code)) throw host.refuse(`numbers as ${numpyTypes.join(', ')}`, `elements of ${nameOf(code)}`);
  return new DataType(code);
});

const reconstruct = new Callable('numpy.core.multiarray._reconstruct', ([kind], host) => {
  if (kind !== ndarray) throw host.refuse('an array (numpy.ndarray)', nameOf(kind));
  return new NumpyArray(null);
});

const scalar = new Callable('numpy.core.multiarray.scalar', ([type, contents], host) => {
  const array = contentsOf(Object.freeze([]), type, false, contents, host);
  return readScalar(array.type, array.bytes);
});

const fromBuffer = new Callable('numpy.core.numeric._frombuffer', ([contents, type, shape, order], host) => {
  return new NumpyArray(contentsOf(shape, type, order === 'F', contents, host));
});

const encode = new Callable('_codecs.encode', ([text, encoding], host) => {
  if (encoding !== 'latin1') throw host.refuse('latin1', nameOf(encoding));
  return bytesOf(text, host);
});

const orderedDict = new Callable('collections.OrderedDict', ([pairs = []], host) => {
  const dict = new Map<PickleKey, Item>();
  if (!Array.isArray(pairs)) throw host.refuse('a list of pairs', nameOf(pairs));
  host.spend(pairs.length);
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) throw host.refuse('a key with its value', nameOf(pair));
    dict.set(keyOf(pair[0], host), pair[1]);
  }
  return dict;
});

const tuple = new Callable('builtins.tuple', ([items = []], host) => {
  if (!Array.isArray(items)) throw host.refuse('the items of a tuple', nameOf(items));
  host.spend(items.length);
  return Object.freeze([...items]);
});

/** The form of empty bytes in protocol 2. */
const noBytes = new Callable('builtins.bytes', (parameters, host) => {
  if (parameters.length > 0) throw host.refuse('bytes as such', 'a call of builtins.bytes with arguments');
  return new Uint8Array();
});

/** Everything that a pickle may call, by module and name; NumPy 2 has renamed its modules. */
export const callables: ReadonlyMap<string, Callable> = new Map([
  ['numpy.ndarray', ndarray],
  ['numpy.dtype', dtype],
  ['numpy.core.multiarray._reconstruct', reconstruct],
  ['numpy._core.multiarray._reconstruct', reconstruct],
  ['numpy.core.multiarray.scalar', scalar],
  ['numpy._core.multiarray.scalar', scalar],
  ['numpy.core.numeric._frombuffer', fromBuffer],
  ['numpy._core.numeric._frombuffer', fromBuffer],
  ['_codecs.encode', encode],
  ['collections.OrderedDict', orderedDict],
  ['builtins.tuple', tuple],
  ['__builtin__.tuple', tuple],
  ['builtins.bytes', noBytes],
  ['__builtin__.bytes', noBytes],
]);

export function isTuple(item: Item): item is readonly Item[] {
  return Array.isArray(item) && Object.isFrozen(item);
}

function isShape(item: Item): item is Shape {
  // NumPy has no more axes than that.
  if (!isTuple(item) || item.length > 64) return false;
  return item.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0);
}

/**
 * Short bytes count as Latin-1 text: what Python 2 wrote as one is the other where Python 3 reads it as
 * bytes.
 */
export function keyOf(item: Item, host: Host): PickleKey {
  if (item instanceof Uint8Array && item.length < 256) return latin1Text(item);
  if (item !== null && typeof item === 'object') throw host.refuse('text or a number as a key', nameOf(item));
  return item;
}

/** Describes a value in Python's words. */
export function nameOf(item: Item | undefined): string {
  if (item === undefined || item === null) return item === null ? 'None' : 'nothing';
  if (typeof item === 'string') return `'${printable(item.slice(0, 40))}'`;
  if (typeof item !== 'object') return String(item);
  if (item instanceof Callable) return `the function ${item.name}`;
  if (item instanceof DataType) return 'a dtype';
  if (item instanceof NumpyArray) return 'an array';
  if (item instanceof Latin1Text) return 'a text of more than 64 KiB';
  if (item instanceof Uint8Array) return `${item.length} bytes`;
  if (item instanceof Map) return 'a dict';
  return Object.isFrozen(item) ? 'a tuple' : 'a list';
}

/** Text of a file for a message, without line breaks and control characters. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
