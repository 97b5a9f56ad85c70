import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { readFixes } from '../../src/run/dataCheck/fixes.js';
import { readPredictions } from '../../src/run/predictions/file.js';
import type {
  EvaluationView,
  ExplanationView,
  RelabelAnswer,
  ReportAnswer,
  RunList,
  SampleDetails,
  SampleList,
  ThresholdView,
} from '../../src/studio/api.js';
import type { NearPictures } from '../../src/studio/featuresApi.js';
import { temporaryFolder } from '../temporary.js';
import { smallRun } from './smallRun.js';
import { type TestStudio, testStudio } from './studioApp.js';

const root = join(temporaryFolder(), 'work');
let studio: TestStudio;
const at = 'run=runs/first&part=validation';

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  mkdirSync(root);
  await smallRun(root, 'first');
  studio = await testStudio(root);
});
afterAll(() => studio.app.close());

it('shows metrics, and the pictures behind each cell of the matrix', async () => {
  const { runs } = await studio.json<RunList>('/api/runs');
  expect(runs.map(({ name, evaluated, finished }) => [name, evaluated, finished])).toEqual([
    ['runs/first', true, true],
  ]);
  const view = await studio.json<EvaluationView>(`/api/evaluation?${at}`);
  const { labels } = await readPredictions(join(root, 'runs/first/predictions.csv'));
  expect(view).toMatchObject({ images: labels.length, classNames: ['blue', 'red'], canRelabel: true });
  expect(view.confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(labels.length);
  for (const [label, row] of view.confusion.entries()) {
    for (const [predicted, n] of row.entries()) {
      const { total, samples } = await studio.json<SampleList>(
        `/api/evaluation/samples?${at}&label=${label}&predicted=${predicted}`,
      );
      expect(total).toBe(n);
      expect(samples.every((sample) => sample.label === view.classNames[label])).toBe(true);
    }
  }
  const bars = view.binary?.histogram ?? [];
  expect(bars.flatMap(({ counts }) => counts).reduce((sum, n) => sum + n, 0)).toBe(labels.length);
});

it('moves the threshold, with its consequences at a prevalence', async () => {
  const all = await studio.json<ThresholdView>(`/api/evaluation/threshold?${at}&threshold=0&prevalence=0.1`);
  expect(all).toMatchObject({ sensitivity: 1, specificity: 0, ppv: 0.1, falseNegatives: 0 });
  expect(all.perThousand).toEqual({ missed: 0, falseAlarms: 900 });
  const view = await studio.json<EvaluationView>(`/api/evaluation?${at}&threshold=0`);
  expect(view.confusion.map((row) => row[0])).toEqual([0, 0]);
  expect((await studio.ask(`/api/evaluation/threshold?${at}&prevalence=2`)).status).toBe(422);
});

it('shows the pictures of each cell at every point of the ROC curve, also to several tabs at once', async () => {
  const { binary, classNames } = await studio.json<EvaluationView>(`/api/evaluation?${at}`);
  const [positive, other] = [binary?.positive, binary?.other].map((name) => classNames.indexOf(name ?? ''));
  const points = (binary?.roc ?? []).map(({ threshold }) => Math.min(1, threshold ?? 1));
  expect(points.length).toBeGreaterThan(1);
  const counted = await Promise.all(
    points.map(async (threshold) => {
      const view = await studio.json<ThresholdView>(
        `/api/evaluation/threshold?${at}&threshold=${threshold}&prevalence=0.1`,
      );
      const total = async (filter: string) =>
        (await studio.json<SampleList>(`/api/evaluation/samples?${at}&threshold=${threshold}&${filter}`)).total;
      const [falsePositives, falseNegatives, wrong] = await Promise.all([
        total(`label=${other}&predicted=${positive}`),
        total(`label=${positive}&predicted=${other}`),
        total('wrong=true'),
      ]);
      expect([falsePositives, falseNegatives]).toEqual([view.falsePositives, view.falseNegatives]);
      expect(wrong).toBe(falsePositives + falseNegatives);
      return falsePositives;
    }),
  );
  // From no positive at all to all of them.
  expect(counted).toEqual(counted.toSorted((a, b) => a - b));
  expect(counted.at(-1)).toBeGreaterThan(0);
});

it('finds the nearest training images of a picture', async () => {
  const near = await studio.json<NearPictures>(`/api/evaluation/neighbours?${at}&sample=0`);
  expect(near.searched).toBe(48);
  expect(near.neighbours).toHaveLength(6);
  const { path, label } = await studio.json<SampleDetails>(`/api/evaluation/sample?${at}&sample=0`);
  expect(readFileSync(join(root, path ?? '')).toString('latin1', 1, 4)).toBe('PNG');
  // Pictures of one class are noise around one colour.
  expect(near.neighbours.map(({ class: named }) => named)).toEqual(new Array(6).fill(label));
  const distances = near.neighbours.map(({ distance }) => distance);
  expect(distances).toEqual(distances.toSorted((a, b) => a - b));
  expect((await studio.ask(`/api/evaluation/neighbours?${at}&sample=9999`)).status).toBe(422);
});

it('shows a picture, explains it, and writes a label that --fixes takes', async () => {
  const { samples } = await studio.json<SampleList>(`/api/evaluation/samples?${at}&most=1`);
  const [{ sample, file, label }] = samples;
  const { body } = await studio.ask(`/api/evaluation/picture?${at}&sample=${sample}`);
  expect(body.slice(1, 4)).toBe('PNG');
  expect((await studio.ask(`/api/evaluation/picture?${at}&file=${file}`)).body).toBe(body);
  expect((await studio.ask(`/api/evaluation/picture?${at}&file=../secret.png`)).status).toBe(422);
  const details = await studio.json<SampleDetails>(`/api/evaluation/sample?${at}&sample=${sample}`);
  expect(details.probabilities[0] + details.probabilities[1]).toBeCloseTo(1);
  const found = await studio.json<ExplanationView>(
    `/api/evaluation/explanation?${at}&sample=${sample}&method=occlusion`,
  );
  expect(found.overlay).toMatch(/^data:image\/png;base64,/);
  const other = label === 'red' ? 'blue' : 'red';
  const relabel = (to: string | null) =>
    studio.post<RelabelAnswer>('/api/evaluation/relabel', { run: 'runs/first', part: 'validation', sample, label: to });
  const { fixes } = await relabel(other);
  expect(await readFixes(join(root, fixes))).toEqual({ excluded: [], relabelled: { [file]: other } });
  expect((await studio.json<SampleDetails>(`/api/evaluation/sample?${at}&sample=${sample}`)).relabelled).toBe(other);
  await relabel(null);
  expect(
    readFileSync(join(root, fixes, 'relabel.csv'), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(1);
});

it('puts maps into the report of the run, one picture after another', async () => {
  const { samples } = await studio.json<SampleList>(`/api/evaluation/samples?${at}&most=2`);
  const put = (sample: number, method: string) =>
    studio.post<ReportAnswer>('/api/evaluation/report', { run: 'runs/first', part: 'validation', sample, method });
  const page = () => readFileSync(join(root, 'runs/first/report.html'), 'utf8');
  expect(page()).not.toContain('Explanations');
  const [first, second] = samples.map(({ file }) => `photos/${file}`);
  await put(samples[0].sample, 'occlusion');
  const { report, files } = await put(samples[1].sample, 'occlusion');
  expect([report, files]).toEqual(['runs/first/report.html', [second, first]]);
  const section = page().slice(page().indexOf('Explanations'));
  for (const { file } of samples) expect(section).toContain(file.split('/')[1]);
  // Maps of two methods have no scale in common.
  expect((await put(samples[0].sample, 'gradcam')).files).toEqual([first]);
  rmSync(join(root, 'runs/first/report.html'));
  const payload = { run: 'runs/first', part: 'validation', sample: samples[0].sample };
  const { status, body } = await studio.ask('/api/evaluation/report', { method: 'POST', payload });
  expect([status, JSON.parse(body).error]).toEqual([422, expect.stringContaining('expected a run with a report')]);
});

it('names pictures that no longer decode, samples that are not there, and tables that were edited', async () => {
  const { samples } = await studio.json<SampleList>(`/api/evaluation/samples?${at}&most=1`);
  writeFileSync(join(root, 'photos', samples[0].file), 'no picture');
  for (const what of ['picture', 'explanation', 'neighbours']) {
    const { status, body } = await studio.ask(`/api/evaluation/${what}?${at}&sample=${samples[0].sample}`);
    expect([status, JSON.parse(body).code]).toEqual([422, 'input']);
  }
  expect((await studio.ask(`/api/evaluation/sample?${at}&sample=9999`)).status).toBe(422);
  expect((await studio.ask('/api/evaluation?run=runs/first&part=none')).status).toBe(422);
  const table = join(root, 'runs/first/predictions.csv');
  writeFileSync(table, readFileSync(table, 'utf8').replace('blue', 'red'));
  const { status, body } = await studio.ask(`/api/evaluation?${at}`);
  expect([status, JSON.parse(body).error]).toEqual([422, expect.stringContaining('cut or edited')]);
});
