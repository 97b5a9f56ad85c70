import { checkPath, shown } from '../check.js';
import { InputError } from '../errors.js';
import { dtypeOf, type TypedArray } from '../graph/dtype.js';
import { formatShape, numel } from '../graph/shape.js';
import { Layer } from '../nn/layer.js';
import { Optimizer } from '../optimizer/optimizer.js';
import { Tensor } from '../tensor/tensor.js';
import { isTensorData, type TensorData } from './formats/tensorData.js';
import { snapshot } from './snapshot.js';

/** A tensor, a plain array with its shape, or a typed array, which has the shape `[length]`. */
export type Savable = Tensor | TensorData | TypedArray;

/**
 * An object that can be written to a file of tensors: a layer (its state dict), or tensors and arrays by
 * name.
 */
export type Named = Layer | ReadonlyMap<string, Savable> | Readonly<Record<string, Savable>>;

/**
 * The arrays of an object by name. Lazy tensors are computed; plain arrays are not copied.
 *
 * @param call names the called function in messages, such as `saveSafetensors`
 * @throws {InputError} if object and path are exchanged, or an entry is neither a tensor nor an array
 */
export async function arraysOf(call: string, named: Named, path: string): Promise<Map<string, TensorData>> {
  checkOrder(call, named, path);
  if (named instanceof Layer) return snapshot(named.stateDict());
  if (named instanceof Tensor || named instanceof Optimizer) {
    const instead =
      named instanceof Optimizer
        ? 'write an optimizer with savePdopt(optimizer, network, path), or a whole training with Model.save'
        : 'give it a name: { x: tensor }';
    throw new InputError(`[${call}] object: expected a layer, or tensors by name, got ${shown(named)}; ${instead}`);
  }
  if (Array.isArray(named) || ArrayBuffer.isView(named)) {
    throw new InputError(
      `[${call}] object: expected a layer, or tensors by name, got ${shown(named)}; give it a name: { x }`,
    );
  }
  const entries = [...(named instanceof Map ? named : Object.entries(named))] as [string, Savable][];
  const computed = await snapshot(
    new Map(entries.filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor)),
  );
  return new Map(entries.map(([name, value]) => [name, computed.get(name) ?? asData(call, name, value)]));
}

function asData(call: string, name: string, value: Savable): TensorData {
  if (value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array) {
    return { shape: [value.length], dtype: dtypeOf(value), data: value };
  }
  if (isTensorData(value)) {
    const { shape, dtype, data } = value;
    if (numel(shape) === data.length && dtypeOf(data) === dtype) return value;
    throw new InputError(
      `[${call}] ${name}: expected ${numel(shape)} elements of ${dtype} (shape ${formatShape(shape)}), ` +
        `got ${data.length} of ${dtypeOf(data)}`,
    );
  }
  throw new InputError(
    `[${call}] ${name}: expected a tensor, a typed array, or { shape, dtype, data }, got ${shown(value)}; ` +
      'make one with tensor()',
  );
}

/** Throws unless the arguments are an object and a path, in this order. */
export function checkOrder(call: string, object: unknown, path: unknown): void {
  if (typeof path === 'string') checkPath(call, path);
  if (typeof object === 'object' && object !== null && typeof path === 'string') return;
  const exchanged = typeof object === 'string' && typeof path === 'object';
  throw new InputError(
    `[${call}] arguments: expected ${call}(object, path), got ` +
      `${exchanged ? 'the path first; exchange them' : `${shown(object)} and ${shown(path)}`}`,
  );
}
