import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { fingerprint } from '../../io/files/fingerprint.js';
import { loadSafetensors } from '../../io/weights/safetensors.js';
import type { Layer } from '../../nn/layer.js';
import { option } from '../../text/option.js';
import { bestFile } from '../../train/callbacks/bestWeights.js';
import type { RunFolder } from '../folder.js';
import { recordIn, weightsRecordOf } from '../weightsRecord.js';

/**
 * Overwrites the parameters and buffers of a network with the weights of the best epoch of a run.
 *
 * @returns the digest of their file
 * @throws {FileError} if there are none, or those of another run
 */
export async function loadBest({ path, config }: RunFolder, network: Layer): Promise<{ readonly sha256: string }> {
  const file = join(path, bestFile);
  if (!existsSync(file)) {
    throw new FileError(
      `[run] ${file}: expected the weights of the best epoch, got no such file; train with ${option('saveBest')}, or leave out ${option('best')}`,
    );
  }
  const { tensors, metadata } = await loadSafetensors(file);
  const [own, run] = [recordIn(metadata, file), weightsRecordOf(config)].map(
    (record) => record && JSON.stringify({ ...record, fovea: null }),
  );
  if (own !== null && own !== run) {
    throw new FileError(
      `[run] ${file}: expected weights of this run, got those of another training; restore the file, or leave out ${option('best')}`,
    );
  }
  network.loadStateDict(tensors);
  return { sha256: (await fingerprint(file)).sha256 };
}
