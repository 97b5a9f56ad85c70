import { existsSync } from 'node:fs';
import { InputError } from '../../errors.js';
import type { TensorData } from '../../io/formats/tensorData.js';
import { snapshot } from '../../io/snapshot.js';
import { loadSafetensors, saveSafetensors } from '../../io/weights/safetensors.js';
import type { Layer } from '../../nn/layer.js';

/** Name of the file, in the folder of the training. */
export const bestFile = 'best.safetensors';

/**
 * Checks that the best weights, which a resumed training restores at its end, exist.
 *
 * @throws {InputError} if the training has stored none
 */
export function requireBest(where: string, path: string | null, epoch: number): void {
  if (path === null || existsSync(path)) return;
  throw new InputError(
    `[${where}] restoreBest: expected the best weights, of epoch ${epoch}, in ${path}, got no such file; leave ` +
      'restoreBest out, or begin a new training with it',
  );
}

/** Keeps a copy of the weights: in a file, or in memory if there is no folder. */
export class BestWeights {
  readonly #metadata: Readonly<Record<string, string>>;
  #kept: ReadonlyMap<string, TensorData> | null = null;

  /** @param metadata metadata of the file, which identifies the owner of the weights */
  constructor(metadata: Readonly<Record<string, string>> = {}) {
    this.#metadata = metadata;
  }

  /** @param path the file to write, or null */
  async keep(network: Layer, path: string | null): Promise<void> {
    const tensors = await snapshot(network.stateDict());
    if (path === null) {
      const copies = [...tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }] as const);
      this.#kept = new Map(copies);
    } else await saveSafetensors(tensors, path, this.#metadata);
  }

  /** Overwrites a network's weights with the stored ones; false if there are none. */
  async restore(network: Layer, path: string | null): Promise<boolean> {
    const tensors = path === null ? this.#kept : (await loadSafetensors(path)).tensors;
    if (tensors === null) return false;
    network.loadStateDict(tensors);
    return true;
  }
}
