import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ownerOf } from '../../io/files/lock.js';
import { listRuns, metricsOf, type RunEntry, readRunEntry } from '../../run/overview/runEntry.js';
import { compareSettings } from '../../run/overview/settings.js';
import { predictionsFile } from '../../run/predictions/file.js';
import type { EpochPoint, RunDetails, RunList, RunRow } from '../api.js';
import type { StudioContext } from '../context.js';
import { nameParameter } from '../parameters.js';
import { Refusal } from '../refusal.js';
import type { Workspace } from '../workspace.js';

/** The folder of new runs, below that of the studio. */
export const runsFolder = 'runs';

/** The list of runs, and each of them. */
export function runsRoutes(app: FastifyInstance, { workspace }: StudioContext): void {
  app.get('/api/runs', () => runList(workspace));
  app.get('/api/run', async (request): Promise<RunDetails> => {
    const name = nameParameter(request, 'run');
    const run = await readRunEntry(await workspace.path(name));
    const settings = compareSettings([run.config], false);
    return {
      row: await rowOf(workspace, run),
      history: run.history.map(pointOf),
      settings: settings.map(({ setting, values: [value] }) => [setting, value ?? '–']),
    };
  });
}

/** Runs in the folder itself and in its folder `runs`, the newest first. */
async function runList(workspace: Workspace): Promise<RunList> {
  const places = [await workspace.path('')];
  try {
    places.push(await workspace.path(runsFolder));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  const rows: RunRow[] = [];
  const broken: { name: string; problem: string }[] = [];
  for (const place of places) {
    const found = await listRuns(place);
    for (const run of found.runs) rows.push(await rowOf(workspace, run));
    for (const { path, problem } of found.broken) broken.push({ name: workspace.nameOf(path) ?? path, problem });
  }
  rows.sort((a, b) => (a.started > b.started ? -1 : 1));
  return { runs: rows, broken };
}

export async function rowOf(workspace: Workspace, run: RunEntry): Promise<RunRow> {
  const { path, config, history, results } = run;
  const validation = metricsOf(run, 'validation');
  return {
    name: workspace.nameOf(path) ?? path,
    model: config.model.name,
    data: config.data.title,
    started: config.started,
    seed: config.seed,
    finished: results !== null,
    running: (await ownerOf(path)) !== null,
    epochs: history.length,
    allEpochs: config.recipe.epochs,
    loss: validation.loss,
    accuracy: validation.accuracy,
    testAccuracy: metricsOf(run, 'test').accuracy,
    evaluated: existsSync(join(path, predictionsFile)),
  };
}

export function pointOf(record: RunEntry['history'][number]): EpochPoint {
  const { epoch, trainLoss, trainAccuracy = null, evalLoss, evalAccuracy, imagesPerSecond } = record;
  return { epoch, trainLoss, trainAccuracy, evalLoss, evalAccuracy, imagesPerSecond };
}
