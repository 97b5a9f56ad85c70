import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { option } from '../../text/option.js';
import type { RunConfig } from '../config.js';
import { RunFolder } from '../folder.js';
import { CrossValidation } from '../folds/crossValidation.js';
import { bestPredictionsFile, predictionsFile, readPredictions, type StoredPredictions } from '../predictions/file.js';

/** Stored predictions, and the run that they are of. */
export interface PredictionSource {
  /** The path as it was given. */
  readonly path: string;
  readonly predictions: StoredPredictions;
  /** Equal for runs that differ in seed and division of the data alone; null for a table by itself. */
  readonly recipe: string | null;
  readonly seed: number | null;
}

/**
 * Reads the predictions of a run folder, of a cross-validation, or of a table.
 *
 * @param best whether to take the weights of the best epoch of runs
 * @throws {FileError} if there are none, or they were edited, cut or made by other weights
 */
export async function readSource(path: string, best = false): Promise<PredictionSource> {
  if (!existsSync(path)) {
    throw new InputError(`[predictions] ${path}: expected a run folder or a table of predictions, got no such path`);
  }
  if (!statSync(path).isDirectory()) {
    return { path, predictions: await readPredictions(path), recipe: null, seed: null };
  }
  if (CrossValidation.is(path)) {
    if (best)
      throw new InputError(
        `[predictions] ${path}: expected the last weights of a cross-validation, got ${option('best')}`,
      );
    const { config } = await RunFolder.begun(join(path, 'fold-1'));
    const predictions = await readPredictions(join(path, predictionsFile));
    return { path, predictions, recipe: recipeOf(config), seed: config.seed };
  }
  const { config } = await RunFolder.begun(path);
  const file = join(path, best ? bestPredictionsFile : predictionsFile);
  const predictions = await readPredictions(file);
  if (predictions.record.started !== config.started) {
    throw new InputError(
      `[predictions] ${file}: expected the predictions of the run in ${path}, got those of another run; restore the file, or ` +
        'resume the run to make it again',
    );
  }
  return { path, predictions, recipe: recipeOf(config), seed: config.seed };
}

/** Everything that a person chooses about a training but its seed. */
function recipeOf({ model, data, recipe, operatingRule, calibration, positive, engine }: RunConfig): string {
  return JSON.stringify({
    model: { ...model, pretrained: model.pretrained?.sha256 },
    data: [data.name, data.location, data.images, data.classNames, data.group, data.testData, data.holdOut?.share],
    folds: data.fold?.of,
    recipe,
    operatingRule,
    calibration,
    positive,
    precision: engine.precision,
  });
}
