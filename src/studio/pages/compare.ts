import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { metricTitles } from '../../report/metricTitles.js';
import type { Comparison } from '../../run/comparison/compare.js';
import { readRunEntry } from '../../run/overview/runEntry.js';
import { compareSettings } from '../../run/overview/settings.js';
import { predictionsFile } from '../../run/predictions/file.js';
import type { ComparedRuns, ComparedTests } from '../api.js';
import type { StudioContext } from '../context.js';
import { parameters } from '../parameters.js';
import { resultOf } from '../program.js';
import { Recent } from '../recent.js';
import { pointOf, rowOf } from './runs.js';

const kept = 8;
/** Pictures on which runs differ that the page gets. */
const mostDifferences = 200;
const query = z.object({ runs: z.string().max(8192) });

/** Runs beside each other, and their paired tests. */
export function compareRoutes(app: FastifyInstance, { workspace, program, signal }: StudioContext): void {
  const recent = new Recent<ComparedTests>(kept);
  const namesIn = async (given: unknown): Promise<{ names: string[]; paths: string[] }> => {
    const names = parameters(given, query).runs.split('\n');
    if (names.length < 2) throw new InputError(`[studio] runs: expected two or more, got ${names.length}`);
    const paths: string[] = [];
    for (const name of names) paths.push(await workspace.path(name));
    return { names, paths };
  };

  app.get('/api/compare', async (request): Promise<ComparedRuns> => {
    const { paths } = await namesIn(request.query);
    const runs = await Promise.all(paths.map(readRunEntry));
    const rows = compareSettings(
      runs.map(({ config }) => config),
      true,
    );
    return {
      runs: await Promise.all(runs.map((run) => rowOf(workspace, run))),
      histories: runs.map(({ history }) => history.map(pointOf)),
      settings: rows.map(({ setting, values }) => ({ setting, values })),
    };
  });
  app.get('/api/compare/tests', async (request): Promise<ComparedTests> => {
    const { names, paths } = await namesIn(request.query);
    const times = await Promise.all(
      paths.map((path) =>
        stat(join(path, predictionsFile)).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      ),
    );
    return recent.get([...names, ...times].join('\n'), async () =>
      testsOf(await resultOf<Comparison>(program, workspace.root, ['compare', ...names, '--each'], signal)),
    );
  });
}

function testsOf({ part, images, metrics, mcnemar, differences }: Comparison): ComparedTests {
  return {
    part,
    images,
    metrics: metrics.map(({ metric, models, pairs }) => ({
      name: metricTitles[metric],
      models: models.map(({ value, interval }) => ({ value, interval })),
      pairs: pairs.map(({ a, b, difference, test, pValue, adjusted }) => ({
        a,
        b,
        difference: difference.value,
        interval: difference.interval,
        test,
        pValue: pValue.value,
        adjusted,
        reason: pValue.value === null ? pValue.reason : null,
      })),
    })),
    mcnemar: mcnemar.map(({ a, b, onlyA, onlyB, exact }) => ({ a, b, onlyA, onlyB, exact })),
    different: differences.length,
    differences: differences.slice(0, mostDifferences),
  };
}
