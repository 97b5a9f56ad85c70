import { InputError } from '../errors.js';
import { formatCount } from '../text/numbers.js';
import { RunFolder } from './folder.js';

/**
 * Removes the optimizer's state of a finished training. Its network can still be evaluated, used for
 * predictions and used as initial weights. The training can no longer be resumed. A second call removes
 * nothing more.
 *
 * @param path the run folder
 * @param onBytes called with the number of bytes that this frees, before anything is removed
 * @returns that number
 * @throws {FileError} naming a file of the folder that is missing, altered or cannot be written
 * @throws {InputError} if the training has not finished, or another process writes to the folder
 */
export async function slimRun(path: string, onBytes?: (bytes: number) => void): Promise<number> {
  const folder = await RunFolder.begun(path);
  return folder.locked(async () => {
    await folder.read();
    await requireFinished(folder);
    const bytes = await folder.optimizerBytes();
    onBytes?.(bytes);
    await folder.removeOptimizer();
    return bytes;
  });
}

async function requireFinished(folder: RunFolder): Promise<void> {
  if (await folder.isFinished()) return;
  const { path, state, config } = folder;
  const { epoch, batch } = state.training;
  const { epochs } = config.recipe;
  const place =
    epoch > epochs
      ? 'one that was stopped after its last epoch'
      : `one that stands in epoch ${epoch} of ${epochs}, after batch ${formatCount(batch)}`;
  throw new InputError(
    `[slim] ${path}: expected a finished training, got ${place}; resume it first, for that needs the optimizer's state`,
  );
}
