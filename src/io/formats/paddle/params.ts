import { FileError } from '../../../errors.js';
import type { Layer } from '../../../nn/layer.js';
import { reasonOf } from '../../files/atomic.js';
import { openInput } from '../../files/input.js';
import { arraysOf, checkOrder, type Named } from '../../named.js';
import type { TensorData } from '../safetensors.js';
import { nameOf, printable } from './callables.js';
import { isStoredTensor, readDict, writeDict } from './dict.js';
import { type PickleProtocol, pickleNote } from './pickleWriter.js';

/** What a `.pdparams` file holds. */
export interface PaddleParameters {
  /** Parameters and buffers by name (`conv1.weight`), in the order of the file; views of one memory. */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** Paddle's own names of parameters (`conv2d_0.w_0`) by those of `tensors`. Optimizer states go by them. */
  readonly parameterNames: ReadonlyMap<string, string>;
  /** Element types in the file, in NumPy's codes (`f4`, `i8`). */
  readonly types: ReadonlyMap<string, string>;
}

export interface PdparamsOptions {
  /** Paddle's own names of parameters by those of this network. */
  readonly parameterNames?: ReadonlyMap<string, string>;
  /** Of the pickle (4). */
  readonly protocol?: PickleProtocol;
  /** A text to keep in the file, which Paddle does not see; {@link pdparamsNote} reads it. Default: none. */
  readonly note?: string | null;
}

/**
 * Reads what `paddle.save(layer.state_dict(), path)` wrote, in any protocol.
 *
 * float64 and 16-bit floats become float32; integers int32, which they must fit; bool becomes uint8.
 *
 * @throws FileError for a file that is damaged, holds anything but arrays, or would have to be run
 */
export async function readPdparams(path: string): Promise<PaddleParameters> {
  const tensors = new Map<string, TensorData>();
  const parameterNames = new Map<string, string>();
  const types = new Map<string, string>();
  for (const [name, entry] of await readDict(path)) {
    if (!isStoredTensor(entry)) {
      throw new FileError(
        `[paddle] ${path}: '${printable(name)}': expected an array, got ${nameOf(entry)}; ` +
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
      `[paddle] ${path}: expected arrays by name, got an empty dict; save the state dict of a network`,
    );
  }
  return { tensors, parameterNames, types };
}

/**
 * Writes a layer, or tensors and arrays by name, as a `.pdparams` file, which `paddle.load` and `layer.set_state_dict` take.
 *
 * @throws FileError if writing fails
 */
export async function writePdparams(
  object: Named,
  path: string,
  { parameterNames = new Map(), protocol = 4, note = null }: PdparamsOptions = {},
): Promise<void> {
  const tensors = await arraysOf('writePdparams', object, path);
  // Paddle takes a table to be complete, and makes tensors of all arrays where there is none.
  const complete = [...tensors.keys()].every((name) => parameterNames.has(name));
  const names = [...tensors.keys()].map((name) => [name, parameterNames.get(name) as string] as const);
  await writeDict(path, tensors, complete ? new Map(names) : null, protocol, note);
}

/**
 * The note that {@link writePdparams} has put into a file.
 *
 * @returns null if there is none
 * @throws FileError for a file that cannot be read
 */
export async function pdparamsNote(path: string): Promise<string | null> {
  try {
    const handle = await openInput(path);
    try {
      return await pickleNote(async (position, length) => {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
        return buffer.subarray(0, bytesRead);
      });
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new FileError(`[paddle] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Overwrites the parameters and buffers of a network with those of a `.pdparams` file.
 *
 * @throws InputError naming what is missing, unknown or misshapen; nothing is overwritten then
 */
export async function loadPdparams(network: Layer, path: string): Promise<void> {
  network.loadStateDict((await readPdparams(path)).tensors);
}

/** Writes the parameters and buffers of a network, under {@link paddleNames} unless other names are given. */
export async function savePdparams(network: Layer, path: string, options: PdparamsOptions = {}): Promise<void> {
  checkOrder('savePdparams', network, path);
  await writePdparams(network, path, { parameterNames: paddleNames(network), ...options });
}

/**
 * The names that a new process of Paddle gives to the parameters of this network, by their names in the network:
 * `conv1.weight` → `conv2d_0.w_0`. Layers are numbered by class in the order in which they were made.
 */
export function paddleNames(network: Layer): Map<string, string> {
  const made = [
    ['', network] as const,
    ...[...network.namedSublayers()].map(([name, sub]) => [`${name}.`, sub] as const),
  ]
    .filter(([, layer]) => layer.ownState().size > 0)
    .map(([prefix, layer]) => {
      const fullName = layer.fullName();
      const end = fullName.lastIndexOf('_');
      return { prefix, layer, kind: fullName.slice(0, end), index: Number(fullName.slice(end + 1)) };
    })
    .sort((a, b) => a.index - b.index);
  const names = new Map<string, string>();
  const layers = new Map<string, number>();
  for (const { prefix, layer, kind } of made) {
    const index = layers.get(kind) ?? 0;
    layers.set(kind, index + 1);
    const count = { w: 0, b: 0 };
    for (const field of layer.ownState().keys()) {
      // Paddle makes the running statistics of batch norm in the same way as weights.
      const suffix = field === 'bias' ? 'b' : 'w';
      names.set(prefix + field, `${kind}_${index}.${suffix}_${count[suffix]++}`);
    }
  }
  return new Map([...network.stateDict().keys()].map((name) => [name, names.get(name) as string]));
}
