import { describe, expect, test } from 'vitest';
import type { ReportData, Screening } from '../../src/report/data.js';
import { describeOperatingRule, describeTarget } from '../../src/report/operatingPoint.js';
import { renderReport } from '../../src/report/report.js';
import { screeningFacts } from '../../src/report/screeningFacts.js';
import { noMedicalDevice } from '../../src/report/wording.js';
import { decide, decisionRule, describeDecision, screeningOf } from '../../src/run/decision.js';
import { type BinaryScores, chooseOperatingPoint, screeningMetrics } from '../../src/statistics/index.js';
import { formatThreshold } from '../../src/text/numbers.js';
import { loadGolden } from '../goldens/load.js';

function golden(name: string): BinaryScores {
  const found = loadGolden('screening').cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no golden ${name}`);
  return { labels: Int32Array.from(found.labels.data), scores: Float32Array.from(found.scores.data) };
}

function screening(changes: Partial<Screening> = {}): Screening {
  const operatingPoint = chooseOperatingPoint(golden('ties'), { specificity: 0.9 });
  return {
    metrics: screeningMetrics({ ...golden('normal'), operatingPoint }),
    positiveName: 'pathologic myopia',
    otherName: 'healthy',
    screeningTest: true,
    ...changes,
  };
}

function page(changes: Partial<Screening> = {}): string {
  const data: ReportData = {
    title: 'ResNet-50 on eyes',
    evalName: 'validation',
    run: {
      model: 'ResNet-50',
      parameters: 23_510_081,
      dataset: 'eyes',
      recipe: {},
      seed: 1,
      engine: 'onednn',
      threads: 1,
      version: '0.1.0',
      started: new Date('2025-01-02T03:04:05Z'),
      ended: new Date('2025-01-02T03:04:45Z'),
    },
    unreadable: 2,
    epochs: [{ epoch: 1, trainLoss: 0.5, evalLoss: 0.4, evalAccuracy: 0.9 }],
    screening: screening(changes),
  };
  return renderReport(data);
}

/**
 * The text that a reader sees, without tags and pictures, with single spaces and no characters against line
 * breaks.
 */
function textOf(html: string): string {
  const body = html.slice(html.indexOf('<body>')).replace(/<svg[\s\S]*?<\/svg>/g, ' ');
  return body
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('\u2060', '')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ');
}

describe('report', () => {
  test('shows every metric with its interval', () => {
    const text = textOf(page());
    expect(text).toContain('Accuracy 87.3 % 95 % interval 83.6–90.2 %');
    expect(text).toContain('AUC 0.935 95 % interval 0.905–0.955');
    expect(text).toContain('Prevalence 53.3 % 213 of 400 images: pathologic myopia');
    expect(text).toContain('Unreadable 2 pictures, left out');
    expect(text).toContain('Sensitivity at 0.5 88.3 % 95 % interval 83.2–91.9 %');
    expect(text).toMatch(/Specificity at operating point 9\d\.\d %/);
    expect(text).toContain(noMedicalDevice);
    expect(text).toContain('The positive class is pathologic myopia , with 213 of the 400 validation images');
    expect(text).toContain('Missed (false negatives) 25 ');
    expect(text).toContain('Average precision 0.9320');
    expect(text).toContain("Area 0.9345 (0.9050–0.9554; DeLong's interval on the logit scale)");
    expect(text).toContain('Expected calibration error 10.2 % (ten bins), Brier score 0.1089');
    // 0.883 · 0.01 / (0.883 · 0.01 + 0.139 · 0.99), and so on.
    expect(text).toContain('PPV and NPV where 1 % have it 6.0 %, 99.9 %');
  });

  test('has four pictures in words and colors of the page, each with ids of its own', () => {
    const html = page();
    const labels = [...html.matchAll(/<svg role="img" aria-label="([^"]*)"/g)].map((match) => match[1]);
    expect(labels.slice(0, 4)).toEqual([
      'ROC curve: area 0.935, 95 % interval 0.905–0.955',
      'Precision-recall curve: average precision 0.932',
      'Reliability diagram: expected calibration error 10.2 %, Brier score 0.1089',
      'Images by the probability of pathologic myopia that they were given',
    ]);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(html).not.toMatch(/ d="[^"]*(NaN|undefined)/);
    expect(html).not.toMatch(/fill="#(?!000")/);
    expect(page()).toBe(html);
  });

  test('marks the operating point on both curves and says how it was chosen', () => {
    const html = page({ operatingRule: 'as <agreed> before' });
    expect(textOf(html)).toContain(
      'The operating point was chosen by this rule: as &lt;agreed&gt; before. On the 150 images',
    );
    expect(html.match(/>operating point 0\.8</g)).toHaveLength(2);
    expect(textOf(page())).toContain('was chosen by this rule: specificity of at least 90 %. On');
    const without = page({ metrics: screeningMetrics(golden('normal')) });
    expect(textOf(without)).not.toContain('perating point');
    expect(without.match(/>threshold 0\.5</g)).toHaveLength(2);
  });

  test('says first of all that pictures are synthetic, and only then', () => {
    const text = textOf(page({ synthetic: true }));
    expect(text).toContain('ResNet-50 on eyes The pictures are synthetic.');
    expect(textOf(page())).not.toContain('synthetic');
  });

  test('names the data and the weights by their hashes', () => {
    const text = textOf(page({ dataSha256: 'da7a', weightsSha256: '<3' }));
    expect(text).toContain('Images and labels (SHA-256) da7a Weights (SHA-256) &lt;3');
    expect(textOf(page())).not.toContain('SHA-256');
  });

  test.each(['perfect', 'worst', 'tiny', 'constant', 'only class 0', 'only class 1'])('a set that is %s', (name) => {
    const metrics = screeningMetrics(golden(name));
    const html = page({ metrics });
    expect(textOf(html)).not.toMatch(/NaN|undefined|null|Infinity/);
    expect(html).not.toMatch(/ d="[^"]*(NaN|undefined)/);
    expect(html.includes('<h3>ROC curve</h3>')).toBe(!name.startsWith('only'));
    if (metrics.auc.value === null) expect(textOf(html)).toContain(`AUC – ${metrics.auc.reason}`);
  });

  test('a large set gives a picture of the same size', () => {
    const samples = 50_000;
    const labels = Uint8Array.from({ length: samples }, (_, i) => i % 2);
    const scores = Float32Array.from({ length: samples }, (_, i) => ((i * 7919) % samples) / samples);
    expect(page({ metrics: screeningMetrics({ labels, scores }) }).length).toBeLessThan(200_000);
  });
});

const about = {
  positive: { index: 1, name: 'pathologic myopia', other: 'healthy' },
  screening: true,
} as const;

describe('words', () => {
  test('are general ones unless a screening test is spoken of', () => {
    const html = page({ screeningTest: false, positiveName: 'stars', otherName: 'circles' });
    const text = textOf(html);
    expect(text).not.toMatch(/screening|medical|have it|prevalence|cleared|condition|patient/i);
    for (const part of [
      'The decision between two classes The positive class is stars ,',
      'Share of stars 53.3 %',
      'circles taken for stars (false positives) 26',
      'Precision and NPV where 1 % are stars 6.0 %, 99.9 %',
    ]) {
      expect(text).toContain(part);
    }
    const facts = screeningFacts(screeningMetrics(golden('normal')), { ...about, screening: false });
    expect(facts.slice(0, 2).map(([name]) => name)).toEqual(['positive class', 'share']);
  });
});

describe('an operating point', () => {
  const at = (scores: readonly number[]) => ({
    labels: Int32Array.from(scores, (_, i) => (i < scores.length / 2 ? 1 : 0)),
    scores: Float32Array.from(scores),
  });
  const operatingPoint = chooseOperatingPoint(at([0.9, 0.8, 0.75, 0.72, 0.3, 0.2, 0.1, 0]), { sensitivity: 0.95 });

  test('whose aim is missed on other images says so, in the report too', () => {
    const missed = screeningMetrics({ ...at([0.9, 0.8, 0.6, 0.5, 0.3, 0.2, 0.1, 0]), operatingPoint });
    const sentence =
      'A sensitivity of at least 95 % was wanted, and reached on the images that the threshold was chosen on; ' +
      'on these images it is 50.0 %.';
    expect(describeTarget(missed)).toBe(sentence);
    expect(screeningFacts(missed, about)).toContainEqual(['aim missed', sentence]);
    expect(textOf(page({ metrics: missed }))).toContain(sentence);
    const met = screeningMetrics({ ...at([0.9, 0.8, 0.75, 0.74, 0.3, 0.2, 0.1, 0]), operatingPoint });
    expect(describeTarget(met)).toBe(null);
    expect(textOf(page({ metrics: met }))).not.toContain('was wanted');
    expect(describeTarget(screeningMetrics(at([1, 0])))).toBe(null);
    const youden = chooseOperatingPoint(at([0.9, 0.1]), 'youden');
    expect(describeTarget(screeningMetrics({ ...at([0.1, 0.9]), operatingPoint: youden }))).toBe(null);
  });

  test('decides, for either class', () => {
    const positive = { index: 1, name: 'PM', other: 'non-PM' };
    const rule = decisionRule(positive, { ...operatingPoint, threshold: 0.71, part: 'validation' });
    const below = decide(rule, [0.32, 0.68]);
    expect(below).toEqual({
      class: 'non-PM',
      positiveClass: 'PM',
      probability: 0.68,
      threshold: 0.71,
      rule: { sensitivity: 0.95 },
    });
    expect(describeDecision(below)).toBe('PM 68.0 % is below 0.71');
    expect(describeDecision(decide(rule, [0.29, 0.71]))).toBe('PM 71.0 % reaches 0.71');
    const even = decisionRule({ index: 0, name: 'a', other: 'b' }, null);
    expect(decide(even, [0.6, 0.4])).toMatchObject({ class: 'a', probability: 0.6, threshold: 0.5, rule: null });
    expect(decide(even, [0.4, 0.6])).toMatchObject({ class: 'b', probability: 0.4 });
  });

  test('and all metrics are those of the positive class, at either index', () => {
    const labels = Int32Array.of(0, 0, 1, 1, 1);
    const probabilities = Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.6, 0.4);
    const [first, second] = [0, 1].map((index) =>
      screeningOf({ labels, probabilities }, { ...about.positive, index }, null),
    );
    expect(first?.atThreshold).toMatchObject({
      truePositives: 1,
      falseNegatives: 1,
      trueNegatives: 2,
      falsePositives: 1,
    });
    expect(second?.atThreshold).toMatchObject({
      truePositives: 2,
      falseNegatives: 1,
      trueNegatives: 1,
      falsePositives: 1,
    });
    expect(first?.auc.value).toBeCloseTo(second?.auc.value as number, 6);
    expect(screeningOf({ labels, probabilities }, null, null)).toBe(null);
  });
});

describe('table for the terminal', () => {
  test('has one line a metric', () => {
    const { metrics, operatingRule } = screening({ operatingRule: 'agreed on before' });
    const missed = describeTarget(metrics);
    expect(screeningFacts(metrics, { ...about, unreadable: 2, operatingRule })).toEqual([
      ['positive class', 'pathologic myopia, not healthy'],
      ['prevalence', '53.3 %  (213 of 400 images: pathologic myopia)'],
      ['unreadable', '2, in none of these metrics'],
      ['AUC', '0.9345  (95 % interval 0.9050 to 0.9554)'],
      ['average precision', '0.9320'],
      ['Brier score', '0.1089'],
      ['calibration error', '10.2 %  (ECE of ten bins)'],
      ['sensitivity at 0.5', '88.3 %  (188 of 213; 95 % interval 83.2–91.9 %)'],
      ['specificity at 0.5', '86.1 %  (161 of 187; 95 % interval 80.4–90.3 %)'],
      ['PPV at 0.5', '87.9 %  (188 of 214; 95 % interval 82.8–91.6 %)'],
      ['NPV at 0.5', '86.6 %  (161 of 186; 95 % interval 80.9–90.7 %)'],
      ['operating point', '0.8  (agreed on before)'],
      ['sensitivity at 0.8', expect.stringMatching(/^\d+\.\d % {2}\(\d+ of 213; 95 % interval/)],
      ['specificity at 0.8', expect.stringMatching(/^\d+\.\d % {2}\(\d+ of 187; 95 % interval/)],
      ['PPV at 0.8', expect.stringContaining(' of ')],
      ['NPV at 0.8', expect.stringContaining(' of ')],
      ...(missed === null ? [] : [['aim missed', missed]]),
    ]);
  });

  test('says why there is no area, and leaves out thresholds that were not chosen', () => {
    const facts = new Map(screeningFacts(screeningMetrics(golden('only class 0')), about));
    expect(facts.get('AUC')).toBe('–  (all 4 samples are of class 0)');
    expect(facts.get('average precision')).toBe('–');
    expect(facts.get('unreadable')).toBe('none');
    expect(facts.get('sensitivity at 0.5')).toBe('–  (0 of 0)');
    expect(facts.has('operating point')).toBe(false);
  });
});

test.each([
  [{ sensitivity: 0.95 }, 'sensitivity of at least 95 %'],
  [{ specificity: 0.975 }, 'specificity of at least 97.5 %'],
  ['youden' as const, 'highest sum of sensitivity and specificity'],
])('rule %o in words', (rule, words) => {
  expect(describeOperatingRule(rule)).toBe(words);
});

test.each([
  [0.5, '0.5'],
  [0.32576701, '0.326'],
  [0.99996, '0.99996'],
  [0.000031, '0.00003'],
  [1, '1'],
  [0, '0'],
  [1 + Number.EPSILON, '1.0000000000000002'],
  [Number.MIN_VALUE, '4.9e-324'],
])('threshold %f is written %s', (threshold, text) => {
  expect(formatThreshold(threshold)).toBe(text);
});
