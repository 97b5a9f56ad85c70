import { record, requireValue } from '../../check.js';
import { FileError } from '../../errors.js';
import { aLayer, type Layer } from '../../nn/layer.js';
import { reasonOf, writeFileAtomic } from '../files/atomic.js';
import { openInput } from '../files/input.js';
import { paddleNames } from '../formats/paddle/names.js';
import {
  decodePdparams,
  encodePdparams,
  type PaddleParameters,
  type PdparamsOptions,
} from '../formats/paddle/params.js';
import { pickleNote } from '../formats/paddle/pickleWriter.js';
import { arraysOf, checkOrder, type Named } from '../named.js';
import { readWhole } from './pickle.js';

/**
 * Reads a file that `paddle.save(layer.state_dict(), path)` wrote in any protocol.
 *
 * float64 and 16-bit floats become float32; integers become int32, which they must fit; bool becomes uint8.
 *
 * @throws {FileError} for a file that is missing or damaged, holds anything but arrays, or would have to be
 * run
 */
export async function readPdparams(path: string): Promise<PaddleParameters> {
  return decodePdparams(await readWhole(path, 'pickle'), path);
}

/**
 * Writes a layer, or tensors and arrays by name, as a `.pdparams` file, which `paddle.load` and
 * `layer.set_state_dict` read.
 *
 * @throws {FileError} if writing fails
 */
export async function writePdparams(object: Named, path: string, options: PdparamsOptions = {}): Promise<void> {
  await writeFileAtomic(path, encodePdparams(await arraysOf('writePdparams', object, path), options));
}

/**
 * Reads the note that {@link writePdparams} has put into a file.
 *
 * @returns null if there is none
 * @throws {FileError} for a file that cannot be read
 */
export async function pdparamsNote(path: string): Promise<string | null> {
  try {
    const handle = await openInput(path);
    try {
      return await pickleNote(async (position, length) => {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, position);
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
 * @throws {InputError} naming the missing, unknown and misshapen entries; nothing is overwritten then
 */
export async function loadPdparams(network: Layer, path: string): Promise<void> {
  requireValue('loadPdparams', 'network', network, aLayer);
  network.loadStateDict((await readPdparams(path)).tensors);
}

/** Writes the parameters and buffers of a network, under {@link paddleNames} unless other names are given. */
export async function savePdparams(network: Layer, path: string, options: PdparamsOptions = {}): Promise<void> {
  checkOrder('savePdparams', network, path);
  requireValue('savePdparams', 'network', network, aLayer);
  requireValue('savePdparams', 'options', options, record);
  await writePdparams(network, path, { parameterNames: paddleNames(network), ...options });
}
