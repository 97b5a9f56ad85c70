import { extname } from 'node:path';
import { checkPath, shown } from '../../check.js';
import { InputError } from '../../errors.js';
import { Layer } from '../../nn/layer.js';
import { Optimizer } from '../../optimizer/optimizer.js';
import { Tensor } from '../../tensor/tensor.js';
import type { TensorData } from '../formats/tensorData.js';
import { checkOrder, type Named } from '../named.js';
import { readPdparams, savePdparams, writePdparams } from './pdparams.js';
import { loadSafetensors, saveSafetensors } from './safetensors.js';

/**
 * Saves a network, its state dict, or any tensors and arrays by name. The ending of the path selects the
 * format: `.safetensors` of Hugging Face or `.pdparams` of Paddle. The file appears when it is complete.
 *
 * @example
 * ```ts
 * import { io, nn } from 'fovea';
 *
 * const net = new nn.Sequential(new nn.Linear(784, 10));
 * await io.save(net.stateDict(), 'net.safetensors');
 * net.loadStateDict(await io.load('net.safetensors'));
 * ```
 *
 * @throws {InputError} for another ending or object
 * @throws {FileError} if writing fails
 */
export async function save(object: Named, path: string): Promise<void> {
  checkOrder('save', object, path);
  requireContents(object, path);
  if (formatOf('save', path) === '.safetensors') await saveSafetensors(object, path);
  else if (object instanceof Layer) await savePdparams(object, path);
  else await writePdparams(object, path);
}

/**
 * Reads the arrays of a `.safetensors` or `.pdparams` file, by name.
 *
 * @throws {InputError} for another ending
 * @throws {FileError} for a file that is missing or damaged
 */
export async function load(path: string): Promise<Map<string, TensorData>> {
  checkPath('load', path);
  const { tensors } = await (formatOf('load', path) === '.safetensors' ? loadSafetensors(path) : readPdparams(path));
  return new Map(tensors);
}

/** A file without a tensor would look like a damaged one. */
function requireContents(object: Named, path: string): void {
  const count = object instanceof Layer ? object.stateDict().size : object instanceof Map ? object.size : null;
  if ((count ?? Object.keys(object).length) > 0 || object instanceof Tensor || object instanceof Optimizer) return;
  throw new InputError(`[save] ${path}: expected at least one tensor to save, got ${shown(object)} without any`);
}

function formatOf(call: string, path: string): '.safetensors' | '.pdparams' {
  const ending = extname(path);
  if (ending === '.safetensors' || ending === '.pdparams') return ending;
  const got = ending === '' ? 'no ending' : ending;
  const instead = ending === '.pdopt' ? '; savePdopt and loadPdopt take the states of optimizers' : '';
  throw new InputError(
    `[${call}] ${path}: expected a path that ends in .safetensors or .pdparams, got ${got}${instead}`,
  );
}
