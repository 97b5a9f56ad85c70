import { existsSync } from 'node:fs';
import { FileError, InputError } from '../../errors.js';
import { loadPdopt, savePdopt } from '../../io/weights/pdopt.js';
import { readPdparams, savePdparams } from '../../io/weights/pdparams.js';
import { loadSafetensors, saveSafetensors } from '../../io/weights/safetensors.js';
import type { Layer } from '../../nn/layer.js';
import type { StateMismatch } from '../../nn/stateEntries.js';
import type { Optimizer } from '../../optimizer/index.js';
import { parseRecord } from '../../text/record.js';
import { progress } from './schema.js';

interface ModelFiles {
  readonly weights: string;
  readonly optimizer: string;
  readonly paddle: boolean;
}

/** Files of a model that is saved as `path`: Paddle's if the path ends in `.pdparams`, else safetensors. */
export function modelFiles(path: string): ModelFiles {
  const paddle = path.endsWith('.pdparams');
  const stem = path.replace(/\.(pdparams|safetensors)$/, '');
  return paddle
    ? { weights: path, optimizer: `${stem}.pdopt`, paddle }
    : { weights: `${stem}.safetensors`, optimizer: `${stem}.optimizer.safetensors`, paddle };
}

/** Writes a network, and an optimizer unless it is null. */
export async function saveModel(path: string, network: Layer, optimizer: Optimizer | null): Promise<void> {
  const files = modelFiles(path);
  if (files.paddle) {
    await savePdparams(network, files.weights);
    if (optimizer !== null) await savePdopt(optimizer, network, files.optimizer);
    return;
  }
  await saveSafetensors(network, files.weights);
  if (optimizer === null) return;
  const { steps, learningRate, schedule } = optimizer;
  await saveSafetensors(optimizer.stateDict(network.namedParameters()), files.optimizer, {
    progress: JSON.stringify({ steps, learningRate, schedule: schedule?.stateDict() ?? null }),
  });
}

export interface LoadOptions {
  /**
   * Leaves parameters and states of the optimizer unchanged if the file lacks them or has another shape
   * (false: an error).
   */
  readonly skipMismatch?: boolean | undefined;
  /** Leaves the optimizer as it is (false: its file is read if it is there). */
  readonly resetOptimizer?: boolean | undefined;
}

/**
 * Reads the files of {@link saveModel} or of Paddle.
 *
 * @returns the skipped tensors
 */
export async function loadModel(
  path: string,
  network: Layer,
  optimizer: Optimizer | null,
  { skipMismatch = false, resetOptimizer = false }: LoadOptions,
): Promise<StateMismatch[]> {
  const candidates = [path, `${path}.pdparams`].map(modelFiles);
  const files = candidates.find(({ weights }) => existsSync(weights));
  if (files === undefined) {
    const names = [...new Set(candidates.map(({ weights }) => weights))].join(' or ');
    throw new FileError(`[load] ${path}: expected ${names}, got neither; give the path that was given to save`);
  }
  const { tensors } = await (files.paddle ? readPdparams(files.weights) : loadSafetensors(files.weights));
  // All tensors are checked first, so that an error leaves the network unchanged.
  network.checkStateDict(tensors, { skipMismatch });
  let states: StateMismatch[] = [];
  if (!resetOptimizer && optimizer !== null && existsSync(files.optimizer)) {
    const load = files.paddle ? loadPdopt : loadOptimizer;
    states = await load(optimizer, network, files.optimizer, { skipMismatch }).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      const todo = 'give resetOptimizer: true to load the weights alone';
      throw new InputError(`[load] ${files.optimizer}: ${error.message}; ${todo}`, { cause: error });
    });
  }
  return [...network.loadStateDict(tensors, { skipMismatch }), ...states];
}

async function loadOptimizer(
  optimizer: Optimizer,
  network: Layer,
  path: string,
  { skipMismatch }: Pick<LoadOptions, 'skipMismatch'>,
): Promise<StateMismatch[]> {
  const { tensors, metadata } = await loadSafetensors(path);
  const { steps, learningRate, schedule } = parseRecord(progress, 'progress', metadata.progress ?? 'null', path);
  const skipped = optimizer.loadStateDict(network.namedParameters(), tensors, { steps, skipMismatch });
  if (optimizer.schedule === null) optimizer.learningRate = learningRate;
  else if (schedule !== null) optimizer.schedule.setStateDict(schedule);
  return skipped;
}
