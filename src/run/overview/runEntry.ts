import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, FoveaError, InputError, messageOf } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readText } from '../../io/files/input.js';
import { parseRecord } from '../../text/record.js';
import { epochRecord } from '../../train/checkpoint/schema.js';
import type { EpochRecord } from '../../train/history.js';
import type { RunConfig } from '../config.js';
import { RunFolder } from '../folder.js';
import type { ResultRecord, RunResults } from '../results/record.js';

/** A run as a list shows it. The weights are not read. */
export interface RunEntry {
  readonly path: string;
  readonly config: RunConfig;
  readonly history: readonly EpochRecord[];
  /** Null until the training has finished. */
  readonly results: RunResults | null;
}

/** A folder that looks like a run and cannot be read. */
interface BrokenRun {
  readonly path: string;
  readonly problem: string;
}

/**
 * Reads the record, the epochs and the results of a run.
 *
 * @throws {FileError} naming the file that is missing or not what it should be
 */
export async function readRunEntry(path: string): Promise<RunEntry> {
  const folder = await RunFolder.begun(path);
  const file = join(path, 'metrics.jsonl');
  const text = await readText(file).catch((error: unknown) => {
    // A training that has saved nothing has no epochs.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new FileError(`[runs] ${file}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
  });
  const lines = text.split('\n').slice(0, -1);
  const history = lines.map((line, i) => parseRecord(epochRecord, 'epoch', line, `${file}, line ${i + 1}`));
  return { path, config: folder.config, history, results: await folder.readResults() };
}

/**
 * The runs in a folder, in the order of their beginning. Folders without `config.json` are no runs.
 *
 * @throws {InputError} if the folder cannot be read
 */
export async function listRuns(
  folder: string,
): Promise<{ readonly runs: readonly RunEntry[]; readonly broken: readonly BrokenRun[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new InputError(`[runs] ${folder}: expected a folder with runs, got ${reasonOf(error)}`, { cause: error });
  });
  const runs: RunEntry[] = [];
  const broken: BrokenRun[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    if (!(await readdir(path).catch((): string[] => [])).includes('config.json')) continue;
    try {
      runs.push(await readRunEntry(path));
    } catch (error) {
      if (!(error instanceof FoveaError)) throw error;
      broken.push({ path, problem: messageOf(error) });
    }
  }
  runs.sort((a, b) => (a.config.started < b.config.started ? -1 : 1));
  return { runs, broken };
}

/** The metrics of a run on a part of the data; of the last epoch where the training has not finished. */
interface RunMetrics {
  readonly loss: number | null;
  readonly accuracy: number | null;
}

const nothing: RunMetrics = { loss: null, accuracy: null };

export function metricsOf({ results, history }: RunEntry, split: ResultRecord['split']): RunMetrics {
  const found = results?.evaluations.find((one) => one.split === split && one.weights === 'last');
  if (found !== undefined) return found;
  const last = history.findLast(({ evalLoss }) => evalLoss !== null);
  return split === 'test' || last === undefined ? nothing : { loss: last.evalLoss, accuracy: last.evalAccuracy };
}

/** `finished`, or the number of whole epochs. */
export function stateOfRun({ results, history, config }: RunEntry): string {
  return results === null ? `epoch ${history.length} of ${config.recipe.epochs}` : 'finished';
}
