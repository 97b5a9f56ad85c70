import * as check from '../../../check.js';
import { FileError, InputError } from '../../../errors.js';
import { namesByName, type TensorData, tensorsByName } from '../tensorData.js';
import { nameOf, printable } from './callables.js';
import { encodeDict, isStoredTensor, parseDict } from './dict.js';
import type { PickleProtocol } from './pickleWriter.js';

/** The contents of a `.pdparams` file. */
export interface PaddleParameters {
  /** Parameters and buffers by name (`conv1.weight`), in the order of the file; views of one memory. */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** Paddle's own names of parameters (`conv2d_0.w_0`) by those of `tensors`. Optimizer states use them. */
  readonly parameterNames: ReadonlyMap<string, string>;
  /** Element types in the file, in NumPy's codes (`f4`, `i8`). */
  readonly types: ReadonlyMap<string, string>;
}

export interface PdparamsOptions {
  /** Paddle's own names of parameters by those of this network. */
  readonly parameterNames?: ReadonlyMap<string, string>;
  /** Protocol of the pickle. Default 4. */
  readonly protocol?: PickleProtocol;
  /** A text to store in the file, which Paddle does not see; `pdparamsNote` reads it. Default: none. */
  readonly note?: string | null;
}

export const protocolCheck = check.oneOf([2, 3, 4]);
const pdparamsChecks: check.OptionChecks<PdparamsOptions> = {
  parameterNames: namesByName,
  protocol: protocolCheck,
  note: check.orNull(check.text),
};

/**
 * Decodes a `.pdparams` file, which `paddle.save(layer.state_dict(), path)` wrote in any protocol.
 *
 * float64 and 16-bit floats become float32; integers become int32, which they must fit; bool becomes uint8.
 *
 * @param bytes of the file. They are overwritten, and the arrays become views of them.
 * @param where names the file in messages
 * @throws {FileError} for bytes that are damaged, hold anything but arrays, or would have to be run
 */
export function decodePdparams(bytes: Uint8Array, where = 'bytes'): PaddleParameters {
  check.requireValue('decodePdparams', 'bytes', bytes, check.instanceOf(Uint8Array));
  check.requireValue('decodePdparams', 'where', where, check.text);
  const tensors = new Map<string, TensorData>();
  const parameterNames = new Map<string, string>();
  const types = new Map<string, string>();
  for (const [name, entry] of parseDict(bytes, where)) {
    if (!isStoredTensor(entry)) {
      throw new FileError(
        `[paddle] ${where}: '${printable(name)}': expected an array, got ${nameOf(entry)}; ` +
          'save the state dict of the network alone',
      );
    }
    const { parameterName, type, ...tensor } = entry;
    tensors.set(name, tensor);
    types.set(name, type);
    if (parameterName !== null) parameterNames.set(name, parameterName);
  }
  if (tensors.size === 0) {
    throw new FileError(
      `[paddle] ${where}: expected arrays by name, got an empty dict; save the state dict of a network`,
    );
  }
  return { tensors, parameterNames, types };
}

/**
 * Encodes arrays as a `.pdparams` file, which `paddle.load` and `layer.set_state_dict` read.
 *
 * @returns the bytes of the file in pieces. Arrays are not copied: do not change them before the pieces are
 * written.
 */
export function encodePdparams(
  tensors: ReadonlyMap<string, TensorData>,
  options: PdparamsOptions = {},
): Iterable<Uint8Array> {
  check.requireValue('encodePdparams', 'tensors', tensors, tensorsByName);
  const {
    parameterNames = new Map(),
    protocol = 4,
    note = null,
  } = check.requireOptions('encodePdparams', options, pdparamsChecks);
  if (tensors.size === 0) throw new InputError('[encodePdparams] tensors: expected at least one, got none');
  // Paddle takes a table to be complete, and makes tensors of all arrays where there is none.
  const complete = [...tensors.keys()].every((name) => parameterNames.has(name));
  const names = [...tensors.keys()].map((name) => [name, parameterNames.get(name) as string] as const);
  return encodeDict(tensors, complete ? new Map(names) : null, protocol, note);
}
