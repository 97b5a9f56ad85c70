import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { setThreads } from '../../src/engine/select.js';
import { type RatePoint, suggest } from '../../src/measure/learningRate.js';
import { RandomGenerator } from '../../src/random.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, type Result, runFovea } from './run.js';

const root = temporaryFolder();
let called: Result;
let args: string[] = [];

beforeAll(async () => {
  setThreads(1);
  const dataDir = await smallMnist(root, { train: 200, test: 10 });
  args = [
    'lr-find',
    'zoo-lenet',
    '--data',
    'mnist',
    '--data-dir',
    dataDir,
    '--batch-size',
    '20',
    '--steps',
    '60',
    '--json',
  ];
  called = await runFovea(...args, '--report', join(root, 'rates.html'));
});

test('finds a rate below the one at which the loss explodes, and writes nothing but the report', () => {
  expect(called).toMatchObject({ code: 0, err: '' });
  const [{ points, suggestion, reason }] = linesOf(called.out) as {
    points: RatePoint[];
    suggestion: number;
    reason: string;
  }[];
  const rates = points.map(({ rate }) => rate);
  expect(rates).toEqual([...rates].sort((a, b) => a - b));
  expect(rates[0]).toBeCloseTo(1e-7, 12);
  expect(suggestion).toBeGreaterThan(1e-4);
  expect(suggestion).toBeLessThan(rates[rates.length - 1]);
  expect(reason).toMatch(/falls fastest at/);
  expect(readdirSync(root).sort()).toEqual(['mnist', 'rates.html']);
  expect(readFileSync(join(root, 'rates.html'), 'utf8')).toMatch(/Suggestion: [\d.]+/);
});

test('the same seed gives the same curve, and people get a picture of it', async () => {
  expect((await runFovea(...args)).out).toBe(called.out);
  const { out } = await runFovea(...args.filter((arg) => arg !== '--json'));
  expect(out).toMatch(/█/);
  expect(out).toMatch(/Suggestion: --lr [\d.]+/);
});

const curve = (loss: (exponent: number) => number) =>
  Array.from({ length: 60 }, (_, i): RatePoint => {
    const exponent = -6 + (6 * i) / 59;
    return { rate: 10 ** exponent, loss: loss(exponent), smoothed: loss(exponent) };
  });

test('the suggestion is where the loss falls fastest, and there is none for a loss that does not fall', () => {
  // It falls fastest at 1e-3 and rises from 1e-1 on.
  const { suggestion } = suggest(curve((x) => 2 - Math.tanh(2 * (x + 3)) + (x > -1 ? 4 * (x + 1) ** 2 : 0)));
  expect(Math.log10(suggestion ?? 0)).toBeCloseTo(-3, 0);
  expect(suggest(curve(() => 2.3)).suggestion).toBeNull();
  expect(suggest(curve((x) => 2 + x / 10 + 1)).suggestion).toBeNull();
  expect(suggest([]).suggestion).toBeNull();
});

test('noise gives hardly ever a suggestion, and moves that of a loss that falls by less than a factor of ten', () => {
  let suggested = 0;
  for (let seed = 0; seed < 50; seed++) {
    const generator = new RandomGenerator(seed);
    const found = (loss: (exponent: number) => number) =>
      suggest(curve((x) => loss(x) + 0.15 * generator.normal())).suggestion;
    if (found(() => 2.3) !== null) suggested++;
    const rate = found((x) => 2.3 - 0.4 * Math.tanh(3 * (x + 3)) + (x > -1 ? 4 * (x + 1) ** 2 : 0));
    expect(Math.abs(Math.log10(rate ?? 0) + 3), `seed ${seed}`).toBeLessThan(1);
  }
  expect(suggested).toBeLessThan(5);
});

test('never writes over a file', async () => {
  const path = join(root, 'mine.html');
  writeFileSync(path, 'mine');
  const { code, err } = await runFovea(...args, '--report', path);
  expect(code).toBe(2);
  expect(err).toMatch(/expected a new file, got one that is there already/);
  expect(readFileSync(path, 'utf8')).toBe('mine');
});

test.each([
  ['reversed rates', ['--from', '1', '--to', '0.1'], /expected 0 < from < to/],
  ['too few steps', ['--steps', '5'], /at least 20/],
])('refuses %s', async (_, more, message) => {
  const { code, err } = await runFovea(...args, ...more);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});
