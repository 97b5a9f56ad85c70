import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { toMarkdown, toPage } from '../../src/report/document.js';
import { binaryScores } from '../../src/run/decision.js';
import { worstMistakes } from '../../src/run/dossier/mistakes.js';
import { RunFolder } from '../../src/run/folder.js';
import { positiveOf } from '../../src/run/positive.js';
import { readPredictions } from '../../src/run/predictions/file.js';
import { partOf } from '../../src/run/predictions/predictions.js';
import { thresholdMetrics } from '../../src/statistics/index.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();
const [data, run] = ['data', 'run'].map((name) => join(root, name));
const table = join(data, 'table.csv');

/** The cells of a row of a table in Markdown. */
const cellsOf = (text: string, name: string) =>
  (text.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '')
    .split('|')
    .slice(2)
    .map((cell) => cell.trim());

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  const names = await writeRedAndBlue(data, 16);
  const rows = names.map(
    (name, i) => `${name},${name.split('/')[0]},P${i >> 1},${i % 3 === 0 ? 'left' : 'right'},${i}`,
  );
  writeFileSync(table, ['file,label,patient,eye,age', ...rows].join('\n'));
  const args = ['--data', `csv:${table}`, '--group', 'patient', '--hold-out', '0.25,0.5', '--calibration', 'platt'];
  const { code } = await runFovea(
    'train',
    'lenet',
    '--no-cache',
    '--epochs',
    '1',
    '--batch-size',
    '8',
    '--out',
    run,
    ...args,
  );
  expect(code).toBe(0);
});

it('a dossier has the values of the run, by image, by group and by subgroup, and the open items by name', async () => {
  const out = join(root, 'dossier');
  const made = await runFovea('dossier', run, '--prevalence', '0.03', '--robustness', '--out', out);
  expect(made).toMatchObject({ code: 0, out: expect.stringContaining('answered by the run') });
  const text = readFileSync(join(out, 'dossier.md'), 'utf8');
  const { splits, labels, probabilities, record } = await readPredictions(join(run, 'predictions.csv'));
  const test = splits.flatMap((split, i) => (split === 'test' ? [i] : []));
  const { sensitivity } = thresholdMetrics(
    {
      labels: Uint8Array.from(test, (i) => labels[i]),
      scores: Float32Array.from(test, (i) => probabilities[2 * i + 1]),
    },
    record.threshold ?? 0.5,
  );
  expect(text).toContain(`${sensitivity.hits} of ${sensitivity.total}`);
  for (const part of [
    '| by image (test) |',
    '| by image, intervals by patient |',
    '| by patient |',
    '| _eye: left_ |',
    '| _age: lowest third',
    '| JPEG, quality 50 |',
    '| darker by 20 % |',
  ]) {
    expect(text).toContain(part);
  }
  const [plain, byPatient] = ['by image (test)', 'by image, intervals by patient'].map((name) => cellsOf(text, name));
  const numberOf = (cell: string) => cell.split(' (')[0];
  expect(byPatient.map(numberOf)).toEqual(plain.map(numberOf));
  expect(byPatient).not.toEqual(plain);
  expect(text).toContain('At the stated prevalence of 3 %.');
  expect(text).toContain('no group (patient) is in two parts');
  // The classes themselves are no subgroups.
  expect(text).not.toContain('label:');
  expect(text).toContain('eye:');
  expect(text).toContain('CLAIM 32; TRIPOD+AI 16, external data');
  expect(text).toMatch(/CLAIM 14 to 16.*people that labelled/);
  const page = readFileSync(join(out, 'dossier.html'), 'utf8');
  expect(page.includes('<tr class="faint">')).toBe(true);
  expect(page).toMatch(/<svg role="img" aria-label="Decision curve: the network has a higher net benefit /);
  const again = await runFovea('dossier', run, '--out', out);
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('choose another --out') });
});

it('the worst mistakes are in the table, and on the page with the pictures that are in their place', async () => {
  const { config } = await RunFolder.open(run);
  const positive = positiveOf(config);
  if (positive === null) throw new Error('expected two classes');
  const predictions = partOf(await readPredictions(join(run, 'predictions.csv')), 'test');
  const { scores, labels } = binaryScores(predictions, positive);
  const distance = (i: number) => Math.abs(scores[i] - 0.5);
  const wrong = { ...predictions, labels: Int32Array.from(scores, (score) => (score >= 0.5 ? 0 : 1)) };
  const [gone] = predictions.files;
  const folder = join(root, 'some');
  cpSync(data, folder, { recursive: true });
  rmSync(join(folder, gone));
  const blocks = await worstMistakes(wrong, { labels, scores }, { threshold: 0.5, positive, folder });
  const worst = [...predictions.files.keys()].sort((a, b) => distance(b) - distance(a)).slice(0, 12);
  const files = worst.map((i) => predictions.files[i]);
  const text = toMarkdown(blocks);
  expect([...text.matchAll(/^\| (\w+\/\w+\.png) /gm)].map(([, file]) => file)).toEqual(files);
  const cards = toPage('', blocks).match(/<figure [\s\S]*?<\/figure>/g) ?? [];
  const named = cards.map((card) => /src="data:image\/png;base64,[\s\S]*<small>(\S+\.png)<\/small>/.exec(card)?.[1]);
  expect(named).toEqual(files.filter((file) => file !== gone));
  expect(text).not.toContain('<');
});

it('the rows of unchanged pictures in the robustness table are those of the stored predictions', async () => {
  const text = readFileSync(join(root, 'dossier', 'dossier.md'), 'utf8');
  expect(cellsOf(text, 'as they are')).toEqual(cellsOf(text, 'by image (test)'));
});

it('lists what is missing, as JSON too', async () => {
  const { out } = await runFovea('dossier', run, '--out', join(root, 'json'), '--json', '--subgroups', 'eye');
  const [{ items }] = linesOf(out) as { items: { topic: string; status: string }[] }[];
  const statusOf = (topic: string) => items.find((item) => item.topic === topic)?.status;
  expect(['robustness', 'subgroups', 'clinical use', 'ethics', 'threshold'].map(statusOf)).toEqual([
    'missing',
    'answered',
    'missing',
    'open',
    'answered',
  ]);
});

it.each([
  [['--prevalence', '1.5'], 'expected a share between 0 and 1'],
  [['--subgroups', 'eyes'], "expected a column 'eyes', got file, label, patient, eye, age"],
  [['--external', 'nothing.csv'], 'expected a table of predictions'],
])('a dossier with %s is refused, and leaves no folder', async (args, message) => {
  const refused = await runFovea('dossier', run, ...args, '--out', join(root, 'no'));
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(message) });
});
