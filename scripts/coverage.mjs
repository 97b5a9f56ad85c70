/**
 * Counts how often 95 % confidence intervals hold the true value, on sets of samples made by a model whose true values are
 * known: a person has class 1 with the prevalence, all pictures of a person have the person's class, and half of the variance
 * of the scores of one class is common to the pictures of a person.
 *
 * usage: node scripts/coverage.mjs [--sets=2000] [--resamples=2000] [--limit=N] [--fresh] [--write]
 *
 * Scenarios that were counted before with the same numbers are not counted again. `--limit` counts at most N more, `--write` puts
 * the scenarios that are counted into docs/measured/coverage.md.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { RandomGenerator, statistics } from '../dist/index.js';

const { bootstrapAll, compareAucs, prepareMetric, rocAuc, thresholdMetrics } = statistics;
const page = 'docs/measured/coverage.md';
const store = '.setup/coverage.json';

const { values: options } = parseArgs({
  options: {
    sets: { type: 'string', default: '2000' },
    resamples: { type: 'string', default: '2000' },
    limit: { type: 'string', default: '1000' },
    fresh: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const [sets, resamples] = [Number(options.sets), Number(options.resamples)];

const scenarios = [1, 4].flatMap((largest) =>
  [50, 400].flatMap((pictures) => [0.5, 0.1].map((prevalence) => ({ pictures, prevalence, largest }))),
);

/** Distance of the means of both classes, in standard deviations: of the model, and of the one that it is compared with. */
const [distance, otherDistance] = [1.8, 1.5];

/** P(X ≤ x) of the standard normal distribution by Simpson's rule: the true values owe nothing to the code under test. */
function normal(x) {
  const steps = 2000;
  const density = (t) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density((i * x) / steps);
  return 0.5 + (sum * x) / steps / 3;
}

function truthOf(prevalence) {
  const right = normal(distance / 2);
  const auc = normal(distance / Math.SQRT2);
  const [tp, fp] = [right * prevalence, (1 - right) * (1 - prevalence)];
  const [fn, tn] = [prevalence - tp, 1 - prevalence - fp];
  return {
    accuracy: right,
    sensitivity: right,
    ppv: tp / (tp + fp),
    balancedAccuracy: right,
    f1: (2 * tp) / (2 * tp + fp + fn),
    matthews: (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
    auc,
    difference: auc - normal(otherDistance / Math.SQRT2),
  };
}

/** Both models share half of what distinguishes the pictures of a class. */
function makeSet({ pictures, prevalence, largest }, random) {
  const labels = new Uint8Array(pictures);
  const groups = new Uint32Array(pictures);
  const scores = [new Float64Array(pictures), new Float64Array(pictures)];
  let group = -1;
  for (let i = 0, end = 0, label = 0, common = [0, 0]; i < pictures; i++) {
    if (i === end) {
      end += 1 + random.int(largest);
      group++;
      label = Number(random.uniform() < prevalence);
      const shared = random.normal();
      common = [0, 1].map(() => Math.sqrt(0.5) * (Math.SQRT1_2 * shared + Math.SQRT1_2 * random.normal()));
    }
    labels[i] = label;
    groups[i] = group;
    const shared = random.normal();
    [distance, otherDistance].forEach((apart, m) => {
      const own = Math.SQRT1_2 * shared + Math.SQRT1_2 * random.normal();
      const latent = apart * (label - 0.5) + common[m] + Math.sqrt(0.5) * own;
      scores[m][i] = 1 / (1 + Math.exp(-latent));
    });
  }
  return { labels, groups, scores };
}

function predictionsOf(labels, scores) {
  const probabilities = Float64Array.from({ length: 2 * scores.length }, (_, i) =>
    i % 2 === 1 ? scores[i >> 1] : 1 - scores[i >> 1],
  );
  return { labels, probabilities, classes: 2 };
}

/** Intervals of one set: name of metric and method, true value, interval or null. */
function intervalsOf({ labels, groups, scores }, truth, seed) {
  const data = { labels, scores: scores[0] };
  const at = thresholdMetrics(data);
  const [first, second] = scores.map((own) => predictionsOf(labels, own));
  const resampling = { samples: labels.length, groups, resamples, seed };
  const names = ['accuracy', 'sensitivity', 'ppv', 'balancedAccuracy', 'f1', 'matthews', 'auc'];
  const areas = [first, second].map((predictions) => prepareMetric('auc', predictions));
  const difference = (weights) => {
    const [a, b] = areas.map((area) => area(weights));
    return a.value === null || b.value === null ? a : { value: a.value - b.value };
  };
  const resampled = bootstrapAll([...names.map((name) => prepareMetric(name, first)), difference], resampling);
  return [
    ['accuracy', 'Wilson', truth.accuracy, at.accuracy.interval],
    ['sensitivity', 'Wilson', truth.sensitivity, at.sensitivity.interval],
    ['ppv', 'Wilson', truth.ppv, at.ppv.interval],
    ['auc', 'DeLong', truth.auc, rocAuc(data).interval ?? null],
    ['difference of AUCs', 'DeLong', truth.difference, compareAucs(data, scores[1]).interval ?? null],
    ['auc', 'DeLong by person', truth.auc, rocAuc(data, { groups }).interval ?? null],
    [
      'difference of AUCs',
      'DeLong by person',
      truth.difference,
      compareAucs(data, scores[1], { groups }).interval ?? null,
    ],
    ...resampled.map(({ interval }, i) => {
      const name = names[i] ?? 'difference';
      return [name === 'difference' ? 'difference of AUCs' : name, 'bootstrap', truth[name], interval];
    }),
  ];
}

function count(scenario, number) {
  const truth = truthOf(scenario.prevalence);
  const random = new RandomGenerator(20260109, number);
  const counts = {};
  for (let set = 0; set < sets; set++) {
    for (const [metric, method, value, interval] of intervalsOf(makeSet(scenario, random), truth, set)) {
      counts[`${metric}, ${method}`] ??= { metric, method, missing: 0, below: 0, above: 0, width: 0 };
      const own = counts[`${metric}, ${method}`];
      if (interval === null) own.missing++;
      else {
        if (interval[1] < value) own.below++;
        if (interval[0] > value) own.above++;
        own.width += interval[1] - interval[0];
      }
    }
  }
  return Object.values(counts);
}

function readStore() {
  if (options.fresh || !existsSync(store)) return { sets, resamples, counts: [] };
  const stored = JSON.parse(readFileSync(store, 'utf8'));
  return stored.sets === sets && stored.resamples === resamples ? stored : { sets, resamples, counts: [] };
}

function save(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const coverageOf = ({ missing, below, above }) => 1 - (below + above) / (sets - missing);
const isRight = (own) => Math.abs(coverageOf(own) - 0.95) < 0.02 + 1e-9;
const percent = (share) => (100 * share).toFixed(1);

/** The coverage, bold outside of 93 to 97 %, and the share of sets without an interval. */
function cell(own) {
  if (own.missing === sets) return 'none';
  const coverage = coverageOf(own);
  const text = isRight(own) ? percent(coverage) : `**${percent(coverage)}**`;
  return own.missing === 0 ? text : `${text} (${percent(own.missing / sets)})`;
}

function tableOf(counts, part) {
  const counted = scenarios.map((scenario, i) => ({ ...scenario, i })).slice(0, counts.length);
  const columns = counted.filter(({ largest }) => largest === part);
  if (columns.length === 0) return 'Not counted yet.';
  const heads = columns.map(({ pictures, prevalence }) => `${pictures} pictures, prevalence ${prevalence}`);
  const rows = counts[0].map(({ metric, method }, row) => {
    const cells = columns.map(({ i }) => cell(counts[i][row]));
    return `| ${metric} | ${method} | ${cells.join(' | ')} |`;
  });
  return [
    `| metric | interval | ${heads.join(' | ')} |`,
    `|---|---|${columns.map(() => '--:|').join('')}`,
    ...rows,
  ].join('\n');
}

function pageOf(counts) {
  const outside = (part, methods) => {
    const cells = counts.flatMap((own, i) => (scenarios[i].largest === part ? own : []));
    const own = cells.filter(({ method, missing }) => methods.includes(method) && missing < sets);
    const within = own.filter(isRight).length;
    return `${within} of ${own.length}`;
  };
  const closed = ['Wilson', 'DeLong'];
  return `# Coverage of confidence intervals

\`node scripts/coverage.mjs --sets=${sets} --resamples=${resamples} --write\`: ${sets} sets for each column, ${resamples} resamples for each bootstrap. The numbers are shares of
sets, in percent, whose 95 % interval holds the true value; those outside of 93 to 97 % are bold. In brackets: the share of sets without
an interval, for instance because all samples of a class are called right. They are left out; Wilson's and DeLong's intervals (with
Newcombe's in the place of DeLong's) exist there, unless a class has no or a single sample.

A person has class 1 with the prevalence. Scores of the classes are normal, ${distance} standard deviations apart; the model that the AUC is
compared with has ${otherDistance}. ${missingText(counts)}The standard error of a coverage of 95 % is ${percent(Math.sqrt((0.95 * 0.05) / sets))} points.

## One picture of each person

Within 93 to 97 %: ${outside(1, closed)} intervals of Wilson and DeLong, ${outside(1, ['bootstrap'])} of the bootstrap.

${tableOf(counts, 1)}

## One to four pictures of each person

All pictures of a person have the same class, and half of the variance of their scores is common to them. The bootstrap resamples
persons, and so does DeLong's interval by person (Obuchowski's variance); Wilson's and DeLong's by picture are too short.

Within 93 to 97 %: ${outside(4, closed)} intervals of Wilson and DeLong, ${outside(4, ['DeLong by person'])} of DeLong by person, ${outside(4, ['bootstrap'])} of the bootstrap.

${tableOf(counts, 4)}
`;
}

function missingText(counts) {
  const missing = scenarios.slice(counts.length).map(({ pictures, prevalence, largest }) => {
    return `${pictures} pictures, prevalence ${prevalence}, ${largest === 1 ? 'one' : 'one to four'} of each person`;
  });
  return missing.length === 0 ? '' : `Not counted yet: ${missing.join('; ')}. `;
}

const stored = readStore();
mkdirSync('.setup', { recursive: true });
for (let done = 0; stored.counts.length < scenarios.length && done < Number(options.limit); done++) {
  const number = stored.counts.length;
  const scenario = scenarios[number];
  console.log(`${number + 1} of ${scenarios.length}: ${JSON.stringify(scenario)}`);
  stored.counts.push(count(scenario, number));
  save(store, JSON.stringify(stored));
  for (const own of stored.counts[number]) {
    console.log(
      `  ${own.metric}, ${own.method}: ${cell(own)} (width ${(own.width / (sets - own.missing)).toFixed(3)})`,
    );
  }
}
if (options.write) save(page, pageOf(stored.counts));
