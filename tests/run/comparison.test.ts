import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RandomGenerator } from '../../src/random.js';
import { type CompareOptions, type Comparison, comparePredictions } from '../../src/run/comparison/compare.js';
import { ensembleOf } from '../../src/run/comparison/ensemble.js';
import type { PredictionSource } from '../../src/run/comparison/source.js';
import { readPredictions, writePredictions } from '../../src/run/predictions/file.js';
import { meanEvaluation } from '../../src/run/tta.js';
import { calibrate, compareAucs } from '../../src/statistics/index.js';
import { evaluationOf } from '../../src/train/evaluate.js';
import type { Evaluation } from '../../src/train/evaluation.js';
import { linesOf, runFovea } from '../cli/run.js';
import { temporaryFolder } from '../temporary.js';

const samples = 120;
const generator = new RandomGenerator(5);
const noise = () => generator.normal();
const labels = Int32Array.from({ length: samples }, (_, i) => i % 2);
const files = Array.from({ length: samples }, (_, i) => `eye${i}.png`);

interface Changes {
  readonly signal?: number;
  readonly patients?: boolean;
  readonly recipe?: string;
  readonly seed?: number;
  readonly order?: (indices: number[]) => number[];
  readonly labels?: Int32Array;
  readonly files?: readonly string[];
  readonly classNames?: readonly string[];
  readonly split?: string;
  readonly sha256?: string;
  readonly odds?: readonly number[];
}

/** Predictions of a model that knows the classes as well as `signal` says. */
function source(path: string, changes: Changes = {}): PredictionSource {
  const { signal = 1, patients = false, order = (indices) => indices, split = 'test' } = changes;
  const odds = changes.odds ?? Array.from(labels, (label) => signal * (2 * label - 1) + noise());
  const indices = order(Array.from({ length: samples }, (_, i) => i));
  const logits = Float32Array.from(indices.flatMap((i) => [0, odds[i]]));
  const classNames = changes.classNames ?? ['healthy', 'sick'];
  const own = changes.labels ?? labels;
  return {
    path,
    recipe: changes.recipe ?? null,
    seed: changes.seed ?? null,
    predictions: {
      classNames,
      files: indices.map((i) => (changes.files ?? files)[i]),
      splits: indices.map(() => split),
      groups: indices.map((i) => (patients ? `P${i >> 2}` : null)),
      labels: Int32Array.from(indices, (i) => own[i]),
      probabilities: Float32Array.from(calibrate({ method: 'temperature', temperature: 1 }, logits, 2)),
      logits,
      record: {
        format: 1,
        version: '0.2.0',
        bytes: 0,
        sha256: `${path}${'0'.repeat(64)}`,
        samples,
        classNames: [...classNames],
        model: 'lenet',
        started: '2026-01-01T00:00:00.000Z',
        weights: [{ which: 'last', sha256: 'b'.repeat(64) }],
        parts: [{ split, images: samples, sha256: changes.sha256 ?? 'a'.repeat(64) }],
        positive: 'sick',
        threshold: 0.4,
        synthetic: false,
      },
    },
  };
}

const strong = source('strong', { signal: 3 });
const weak = source('weak', { signal: 0.2 });
const reversed = (indices: number[]) => indices.reverse();

describe('models on the same pictures', () => {
  test('get paired tests, in any order of their tables', () => {
    const shuffled = { ...source('weak', { order: reversed, odds: oddsOf(weak) }) };
    const [one, other] = [weak, shuffled].map((own) => comparePredictions([strong, own]));
    expect(other.metrics).toEqual(one.metrics);
    const auc = one.metrics.find(({ metric }) => metric === 'auc');
    const delong = compareAucs({ labels, scores: scoresOf(strong) }, scoresOf(weak)) as { pValue: number };
    expect(auc?.pairs[0]).toMatchObject({ test: 'delong', pValue: { value: delong.pValue } });
    expect(auc?.undistinguished).toEqual([[0], [1]]);
    expect(one).toMatchObject({ part: 'test', images: samples, groups: null, positive: 'sick' });
    const { onlyA, onlyB } = one.mcnemar[0];
    expect(one.differences).toHaveLength(onlyA + onlyB);
    for (const { predicted } of one.differences) expect(predicted[0]).not.toBe(predicted[1]);
  });

  test('are resampled by patient where there are patients, and by image where that is asked for', () => {
    const both = [source('a', { patients: true }), source('b', { patients: true, signal: 2 })];
    const byPatient = comparePredictions(both, { metrics: ['auc', 'accuracy'] });
    const tests = (found: Comparison) => found.metrics.map(({ pairs: [{ test: own }] }) => own);
    expect(byPatient.groups).toBe(30);
    expect(tests(byPatient)).toEqual(['delong', 'bootstrap']);
    const byImage = comparePredictions(both, { metrics: ['auc', 'accuracy'], byImage: true });
    expect(byImage.groups).toBeNull();
    expect(tests(byImage)).toEqual(['delong', 'mcnemar']);
    const [ownP, imageP] = [byPatient, byImage].map(({ metrics: [auc] }) => auc.pairs[0].pValue.value ?? 0);
    expect(ownP).not.toBe(imageP);
  });

  test('that differ in their seed alone are one model, with the mean of their metric', () => {
    const seeds = [1, 2].map((seed) => source(`seed ${seed}`, { recipe: 'x', seed, signal: 1 }));
    const found = comparePredictions([...seeds, strong], { metrics: ['auc'] });
    expect(found.models.map(({ runs }) => runs)).toEqual([['seed 1', 'seed 2'], ['strong']]);
    expect(found.mcnemar).toEqual([]);
    const apart = comparePredictions([...seeds, strong], { metrics: ['auc'], each: true });
    const [a, b] = apart.metrics[0].models.map(({ value }) => value as number);
    expect(found.metrics[0].models[0].value).toBeCloseTo((a + b) / 2, 12);
    expect(apart.metrics[0].pairs).toHaveLength(3);
    expect(() => comparePredictions(seeds)).toThrow('compare each of them with `each`');
    expect(() => comparePredictions([seeds[0], seeds[0]])).toThrow('got one with the same predictions');
  });

  test('with equal predictions are not distinguished, for a reason', () => {
    const copy = source('copy', { odds: oddsOf(strong) });
    const { metrics, differences } = comparePredictions([strong, copy], { metrics: ['balancedAccuracy'] });
    expect(metrics[0].pairs[0].pValue).toEqual({ value: null, reason: expect.stringContaining('same value') });
    expect(metrics[0].undistinguished).toEqual([[0, 1]]);
    expect(differences).toEqual([]);
  });

  test('of one class have no AUC, for a reason', () => {
    const sick = new Int32Array(samples).fill(1);
    const both = ['a', 'b'].map((name) => source(name, { labels: sick }));
    const [auc] = comparePredictions(both, { metrics: ['auc'] }).metrics;
    expect(auc.models[0]).toMatchObject({ value: null, interval: null, reason: expect.stringContaining('class') });
    expect(auc.pairs[0].pValue.value).toBe(null);
  });
});

const changedLabels = labels.slice();
changedLabels[7] = 0;

test.each<[string, PredictionSource[], CompareOptions, string]>([
  ['one run', [strong], {}, 'expected at least two, got 1'],
  [
    'other pictures',
    [strong, source('b', { files: files.map((name) => `x${name}`) })],
    {},
    'expected the 120 pictures of strong',
  ],
  ['another label', [strong, source('b', { labels: changedLabels })], {}, 'expected the label sick for eye7.png'],
  ['other classes', [strong, source('b', { classNames: ['healthy', 'ill'] })], {}, 'expected the classes of strong'],
  ['another part', [strong, source('b', { split: 'validation' })], {}, 'strong has test; b has validation'],
  ['a part that there is not', [strong, weak], { split: 'validation' }, 'expected those of validation'],
  ['other contents', [strong, source('b', { sha256: 'c'.repeat(64) })], {}, 'got others with the same names'],
  ['an unknown metric', [strong, weak], { metrics: ['acuracy'] }, 'did you mean accuracy?'],
  ['an unknown class', [strong, weak], { positive: 'sik' }, 'did you mean sick?'],
  ['a picture twice', [strong, source('b', { files: files.map(() => 'one.png') })], {}, 'expected each picture once'],
])('a comparison of %s is refused', (_, sources, options, message) => {
  expect(() => comparePredictions(sources, options)).toThrow(message);
});

test('the command compares tables, and writes the pictures that are not predicted alike', async () => {
  const root = temporaryFolder();
  const paths = [strong, weak].map(({ path }) => join(root, `${path}.csv`));
  for (const [i, { predictions }] of [strong, weak].entries()) {
    const {
      format: _,
      version: __,
      bytes: ___,
      sha256: ____,
      samples: _____,
      classNames: ______,
      ...origin
    } = predictions.record;
    await writePredictions(paths[i], predictions, origin);
  }
  const table = join(root, 'differences.csv');
  const { code, out } = await runFovea('compare', ...paths, '--differences', table);
  expect(code).toBe(0);
  expect(out).toContain('2 models on 120 test images; the positive class is sick');
  expect(out).toMatch(/A − B +[\d.]+ +[\d.]+ to [\d.]+ +DeLong, paired/);
  expect(out).toContain('All models are distinguished');
  const [header, ...rows] = readFileSync(table, 'utf8').trimEnd().split('\n');
  expect(header).toBe(
    `file,group,label,predicted:${paths[0]},predicted:${paths[1]},probability:${paths[0]},probability:${paths[1]}`,
  );
  const { out: json } = await runFovea('compare', ...paths, '--json', '--metrics', 'auc');
  expect(JSON.parse(json).differences).toHaveLength(rows.length);
  const again = await runFovea('compare', ...paths, '--differences', table);
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('choose another --differences') });
  const mean = join(root, 'mean.csv');
  const averaged = await runFovea('ensemble', ...paths, '--predictions', mean);
  expect(averaged).toMatchObject({ code: 0, out: expect.stringContaining('Ensemble of 2 on 120 test images') });
  expect((await readPredictions(mean)).record).toMatchObject({ model: 'ensemble of 2', weights: { length: 2 } });
  expect((await runFovea('compare', mean, ...paths)).out).toContain('3 models on 120 test images');
  const [lines] = linesOf((await runFovea('ensemble', ...paths, '--json', '--metrics', 'auc')).out);
  expect(lines).toMatchObject({ thresholdChosen: false, models: { length: 3 }, images: 120 });
  const missing = await runFovea('compare', paths[0], join(root, 'nothing'));
  expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('got no such path') });
});

describe('an ensemble', () => {
  const members = [1, 2, 3].map((seed) => source(`run ${seed}`, { signal: 0.6, recipe: 'x', seed }));

  test('is the mean of the probabilities, compared with each member', () => {
    const { predictions, comparison, threshold, thresholdChosen, disagreement, disagreementAuc } = ensembleOf(members);
    const mean = (i: number) =>
      members.reduce((sum, { predictions: own }) => sum + own.probabilities[i], 0) / members.length;
    predictions.probabilities.forEach((p, i) => {
      expect(p).toBeCloseTo(mean(i), 6);
      expect(Math.exp(predictions.logits[i])).toBeCloseTo(p, 6);
    });
    expect(comparison.models).toHaveLength(4);
    for (const { pairs } of comparison.metrics)
      expect(pairs.map(({ a, b }) => [a, b])).toEqual([
        [0, 1],
        [0, 2],
        [0, 3],
      ]);
    const auc = comparison.metrics[0];
    for (const { difference } of auc.pairs) expect(difference.value).toBeGreaterThan(0);
    expect([threshold, thresholdChosen]).toEqual([0.5, false]);
    expect(disagreement).toHaveLength(samples);
    expect(disagreementAuc).toBeGreaterThan(0.5);
  });

  test('has a threshold of its own where all members have validation predictions', () => {
    const both = members.map((member) => {
      const { predictions } = member;
      const splits = predictions.splits.map((_, i) => (i % 4 < 2 ? 'validation' : 'test'));
      return { ...member, predictions: { ...predictions, splits } };
    });
    const { part, thresholdChosen, threshold, predictions } = ensembleOf(both, { rule: { sensitivity: 0.9 } });
    expect([part, thresholdChosen, predictions.files.length]).toEqual(['test', true, samples / 2]);
    expect(threshold).not.toBe(0.5);
  });

  test('of one run is refused', () => {
    expect(() => ensembleOf([strong])).toThrow('expected at least two, got 1');
  });
});

test('the outputs of several views are averaged', () => {
  const view = (outputs: readonly number[]): Evaluation => {
    const probabilities = Float32Array.from(outputs.flatMap((z) => [1 / (1 + Math.exp(z)), 1 / (1 + Math.exp(-z))]));
    const computed = { labels: Int32Array.of(0, 1), outputs: Float32Array.from(outputs), probabilities };
    return { ...evaluationOf(computed, 0), metrics: {} };
  };
  const { outputs, accuracy, loss } = meanEvaluation([view([-1, -2]), view([-3, 4])]);
  expect(Array.from(outputs)).toEqual([-2, 1]);
  expect(accuracy).toBe(1);
  expect(loss).toBeCloseTo((Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(-1))) / 2, 9);
});

function scoresOf({ predictions }: PredictionSource): Float32Array {
  return predictions.probabilities.filter((_, i) => i % 2 === 1);
}

function oddsOf({ predictions }: PredictionSource): number[] {
  return Array.from(predictions.logits.filter((_, i) => i % 2 === 1));
}
