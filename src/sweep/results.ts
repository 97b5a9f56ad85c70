import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeFileAtomic } from '../io/files/atomic.js';
import { RunFolder } from '../run/folder.js';
import type { ChartTrial } from './charts.js';
import { type Progress, progressOf, trialsOf } from './decide.js';
import type { SweepDefinition } from './definition.js';
import type { SweepFolder } from './folder.js';
import { renderSweepReport } from './page.js';
import { type SweepSummary, summaryOf } from './summary.js';
import { folderOf } from './trial.js';
import { nameOf, shownSeeds } from './wording.js';

const bestRecipeFile = 'best.yaml';
const summaryFile = 'summary.json';
const reportFile = 'report.html';

/**
 * Writes `summary.json`, `best.yaml` (once a recipe was repeated) and `report.html`. Other processes may do
 * the same.
 */
export async function writeResults(folder: SweepFolder): Promise<SweepSummary> {
  const { path, definition } = folder;
  const progress = progressOf(await folder.locked(() => folder.journal.read()));
  const summary = await summaryOf(path, definition, progress);
  await writeFileAtomic(join(path, summaryFile), `${JSON.stringify(summary, null, 2)}\n`);
  const [first] = summary.candidates;
  if (first !== undefined) {
    const head = `# The best recipe of a sweep: ${nameOf(first)}, ${summary.metric} ${shownSeeds(summary.metric, first.fresh)} over ${first.fresh.values.length} seeds.\n`;
    await writeFileAtomic(
      join(path, bestRecipeFile),
      head + stringify({ ...first.values, epochs: epochsOf(first.values, definition) }),
    );
  }
  const trials = await chartTrials(path, definition, progress);
  await writeFileAtomic(join(path, reportFile), renderSweepReport(definition, summary, trials, new Date()));
  return summary;
}

function epochsOf({ epochs }: Readonly<Record<string, unknown>>, definition: SweepDefinition): number {
  return typeof epochs === 'number' ? epochs : definition.epochs;
}

async function chartTrials(path: string, definition: SweepDefinition, progress: Progress): Promise<ChartTrial[]> {
  return Promise.all(
    trialsOf(progress).map(async ({ id, values, results }): Promise<ChartTrial> => {
      const last = results[results.length - 1];
      const history = await RunFolder.open(folderOf(path, last.job)).then(
        (run) => run.history,
        () => [],
      );
      const isAccuracy = definition.settings.metric === 'accuracy';
      return {
        id,
        values,
        curve: history.map(({ evalAccuracy, evalLoss }) => (isAccuracy ? evalAccuracy : evalLoss)),
        value: last.value,
        isWhole: last.job.epochs === definition.epochs,
      };
    }),
  );
}
