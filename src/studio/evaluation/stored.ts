import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { type PredictionSource, readSource } from '../../run/comparison/source.js';
import { predictionsFile } from '../../run/predictions/file.js';
import { type Predictions, partOf } from '../../run/predictions/predictions.js';
import { Recent } from '../recent.js';

const kept = 4;

/** Tables of predictions that were read lately; one that has changed is read again. */
export class StoredTables {
  readonly #recent = new Recent<PredictionSource>(kept);

  /** @throws {FileError} for a run without predictions, or with a table that was edited or cut */
  async read(path: string): Promise<PredictionSource> {
    const { mtimeMs } = await stat(join(path, predictionsFile)).catch(() => ({ mtimeMs: 0 }));
    return this.#recent.get(`${path}\0${mtimeMs}`, () => readSource(path));
  }

  /** @param part default: the first of test and validation that there is */
  async part(path: string, part: string | undefined): Promise<{ part: string; parts: string[]; own: Predictions }> {
    const { predictions } = await this.read(path);
    const parts = [...new Set(predictions.splits)];
    const chosen = part ?? (parts.includes('test') ? 'test' : parts[0]);
    if (!parts.includes(chosen)) {
      throw new InputError(`[studio] part: expected ${parts.join(', ')}, got '${chosen}'`);
    }
    return { part: chosen, parts, own: partOf(predictions, chosen) };
  }
}
