import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { comparePredictions } from '../../src/run/comparison/compare.js';
import { readSource } from '../../src/run/comparison/source.js';
import type { ComparedRuns, ComparedTests } from '../../src/studio/api.js';
import { temporaryFolder } from '../temporary.js';
import { smallRun } from './smallRun.js';
import { type TestStudio, testStudio } from './studioApp.js';

const root = join(temporaryFolder(), 'work');
let studio: TestStudio;
const runs = encodeURIComponent('runs/a\nruns/b');

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  mkdirSync(root);
  await smallRun(root, 'a');
  await smallRun(root, 'b', { seed: 2, epochs: 2 });
  const found = comparePredictions(await Promise.all(['a', 'b'].map((name) => readSource(join(root, 'runs', name)))));
  // In place of the command line, which prints the same.
  writeFileSync(`${root}.fake.mjs`, `console.log(${JSON.stringify(JSON.stringify(found))});`);
  studio = await testStudio(root, [process.execPath, `${root}.fake.mjs`]);
});
afterAll(() => studio.app.close());

it('shows curves, settings that differ, and paired tests', async () => {
  const compared = await studio.json<ComparedRuns>(`/api/compare?runs=${runs}`);
  expect(compared.runs.map(({ name }) => name)).toEqual(['runs/a', 'runs/b']);
  expect(compared.histories.map((points) => points.length)).toEqual([1, 2]);
  const settings = new Map(compared.settings.map(({ setting, values }) => [setting, values]));
  expect(settings.get('recipe.epochs')).toEqual(['1', '2']);
  expect(settings.has('model.name')).toBe(false);
  const tests = await studio.json<ComparedTests>(`/api/compare/tests?runs=${runs}`);
  expect(tests).toMatchObject({ part: 'validation', images: 32 });
  expect(tests.metrics.map(({ name }) => name)).toContain('AUC');
  expect(tests.metrics[0].pairs).toHaveLength(1);
  expect(tests.different).toBe(tests.differences.length);
});

it('needs two runs of the folder', async () => {
  const status = async (names: string) => (await studio.ask(`/api/compare?runs=${encodeURIComponent(names)}`)).status;
  expect(await status('runs/a')).toBe(422);
  expect(await status('runs/a\n../b')).toBe(403);
  expect(await status('runs/a\nruns/none')).toBe(404);
});
