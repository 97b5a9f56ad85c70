import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();
const runs = join(root, 'runs');
const [one, two, begun, broken] = ['one', 'two', 'begun', 'broken'].map((name) => join(runs, name));

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  const dataDir = await smallMnist(root, { train: 60, test: 40 });
  const train = (out: string, ...args: string[]) =>
    runFovea(...['train', 'lenet', '--data-dir', dataDir, '--epochs', '1', '--out', out], ...args);
  expect(await train(one, '--lr', '0.01')).toMatchObject({ code: 0 });
  expect(await train(two, '--lr', '0.02', '--seed', '5')).toMatchObject({ code: 0 });
  cpSync(one, begun, { recursive: true });
  for (const name of ['results.json', 'metrics.jsonl']) rmSync(join(begun, name));
  mkdirSync(broken);
  writeFileSync(join(broken, 'config.json'), '{}');
  mkdirSync(join(runs, 'other'));
});

it('runs are listed with their metrics, and those that cannot be read are named', async () => {
  const { code, out, err } = await runFovea('runs', runs);
  expect(code).toBe(0);
  expect(out.split(runs)).toHaveLength(4);
  expect(out).toMatch(new RegExp(`${one} +lenet +finished +[\\d.]+ % +[\\d.]+ +–`));
  expect(out).toMatch(new RegExp(`${begun} +lenet +epoch 0 of 1 +– +– +–`));
  expect(err).toContain(join(broken, 'config.json'));
  const rows = linesOf((await runFovea('runs', 'list', runs, '--json', '--sort', 'loss')).out);
  expect(rows).toHaveLength(4);
  const { evaluations } = JSON.parse(readFileSync(join(two, 'results.json'), 'utf8'));
  expect(rows.find(({ run }) => run === two)).toMatchObject({
    model: 'lenet',
    seed: 5,
    state: 'finished',
    loss: evaluations[0].loss,
    accuracy: evaluations[0].accuracy,
    testAccuracy: null,
  });
  const losses = rows.slice(0, 2).map(({ loss }) => loss as number);
  expect(losses[0]).toBeLessThanOrEqual(losses[1]);
  expect(rows[2]).toMatchObject({ run: begun, loss: null });
  expect((await runFovea('runs', runs, '--model', 'resnet50')).out).toContain('No runs in');
});

it('runs are shown, compared and exported', async () => {
  const shown = await runFovea('runs', 'show', two);
  expect(shown.out).toMatch(/recipe\.optimizer\.learningRate +0\.02/);
  const diff = (await runFovea('runs', 'compare', one, two, '--diff')).out;
  expect(diff).toMatch(/recipe\.optimizer\.learningRate +0\.01 +0\.02/);
  expect(diff).toMatch(/seed +0 +5/);
  expect(diff).not.toContain('recipe.epochs');
  expect((await runFovea('runs', 'compare', one, two)).out).toMatch(/recipe\.epochs +1 +1/);
  const [json] = linesOf((await runFovea('runs', 'compare', one, two, '--diff', '--json')).out);
  expect(json.settings).toContainEqual({ setting: 'seed', values: ['0', '5'] });
  const out = join(root, 'runs.csv');
  expect((await runFovea('runs', 'export', runs, '--csv', '--out', out)).code).toBe(0);
  const [header, ...lines] = readFileSync(out, 'utf8').trimEnd().split('\n');
  expect(header).toBe('run,model,data,started,state,epochs,seed,loss,accuracy,testLoss,testAccuracy');
  expect(lines).toHaveLength(3);
  expect(await runFovea('runs', 'export', runs, '--csv', '--out', out)).toMatchObject({ code: 2 });
});

it.each([
  [['runs', join(root, 'nowhere')], 'expected a folder with runs, got ENOENT'],
  [['runs', runs, '--sort', 'acuracy'], 'did you mean accuracy?'],
  [['runs', 'compare', one], 'expected two runs or more'],
  [['runs', 'show', broken], 'config.json'],
])('%s is refused', async (args, message) => {
  expect(await runFovea(...args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
});
