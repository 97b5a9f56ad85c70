/**
 * Compares `fovea sweep` (tree-structured Parzen estimators with successive halving) with random search of the same number of
 * epochs: the accuracy of the chosen recipe on test images that chose nothing, and the time beside its estimate.
 *
 * usage: node scripts/sweepTrial.mjs [--studies=eyes,digits] [--seeds=0,1,2] [--folder=runs/sweeps] [--minutes=N] [--write]
 *        [further options of fovea sweep, such as --threads=1]
 *
 * The images of eyes are synthetic, those of digits are MNIST's. Sweeps that are finished are not repeated, and one that was
 * stopped continues, so the command can be interrupted and called again; `--minutes` ends it by itself. `--write` puts the
 * sweeps that are finished into docs/measured/sweep.md.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { statistics, version, vision } from '../dist/index.js';

const page = 'docs/measured/sweep.md';

/** Values that every sweep searches: those that a person would try first. */
const searched = {
  optimizer: { choice: ['momentum', 'adam'] },
  lr: { log: [0.0001, 1] },
  momentum: { range: [0.5, 0.99], when: { optimizer: 'momentum' } },
  batchSize: { logInt: [4, 64] },
};

/** The searches, of the same number of epochs. The first one says how many there are. */
const arms = {
  tpe: { title: 'TPE with ASHA', settings: () => ({ method: 'tpe', trials: 24 }) },
  random: {
    title: 'random search',
    settings: (epochs, whole) => ({ method: 'random', asha: false, trials: Math.max(3, Math.round(epochs / whole)) }),
  },
};

const studies = {
  eyes: {
    title: 'LeNet on synthetic fundus images',
    text: `300 training, 100 validation and 400 test images of \`fovea data palm synth --size 256\`, grey and 28×28. The tutorial's recipe (momentum 0.9,
rate 0.001, batches of 10) is the plain one.`,
    base: (data) => ({ model: 'lenet', data, epochs: 30 }),
    data: eyes,
    test: ['--split', 'test'],
  },
  digits: {
    title: 'LeNet on MNIST',
    text: `The first 5,000 training images of MNIST to train on, the last 2,000 to choose by, and its 10,000 test images. The tutorial's recipe is the plain
one.`,
    base: (dataDir) => ({ model: 'lenet', data: 'mnist', dataDir, epochs: 6 }),
    data: digits,
    test: ['--data', 'mnist'],
  },
};

const known = {
  studies: { type: 'string', default: 'eyes,digits' },
  seeds: { type: 'string', default: '0,1,2' },
  folder: { type: 'string', default: 'runs/sweeps' },
  minutes: { type: 'string', default: '100000' },
  write: { type: 'boolean', default: false },
};
const { values: options, tokens } = parseArgs({ options: known, strict: false, tokens: true });
const further = tokens.flatMap(({ kind, name, value, rawName }) => {
  if (kind !== 'option' || Object.hasOwn(known, name)) return [];
  return value === undefined ? [rawName] : [`${rawName}=${value}`];
});
const seeds = options.seeds.split(',').map(Number);
const folder = resolve(options.folder);
const strange = options.studies.split(',').find((name) => !Object.hasOwn(studies, name));
if (strange !== undefined || !seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) {
  console.error(`expected studies of ${Object.keys(studies).join(', ')}, and seeds such as 0,1,2`);
  process.exit(2);
}
const end = Date.now() + 60_000 * Number(options.minutes);

class OutOfTime extends Error {}

function write(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Processor time of all processes that have ended, in seconds; null where the system does not say. */
function processorTime() {
  try {
    // The fields behind the name of the process; 13 and 14 are those of its children.
    const [user, system] = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ').slice(13, 15);
    return (Number(user) + Number(system)) / 100;
  } catch {
    return null;
  }
}

/** Runs `fovea` and gives each object that it prints to a function. At the end of the time it is stopped as by Ctrl-C. */
async function fovea(args, onLine = () => {}) {
  if (Date.now() > end) throw new OutOfTime();
  const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGINT'), Math.min(end - Date.now(), 2 ** 31 - 1));
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.startsWith('{')) onLine(JSON.parse(line));
  });
  const code = await new Promise((done) => {
    child.on('close', (status, signal) => done(status ?? signal));
  });
  clearTimeout(timer);
  if (code === 130 || code === 'SIGINT') throw new OutOfTime();
  if (code !== 0) throw new Error(`fovea ${args.join(' ')} ended with ${code}`);
}

/** Synthetic images as a table: the training images of the set are for training and validation, the others for the test. */
async function eyes(place) {
  const [archives, palm, table] = [join(place, 'archives'), join(place, 'palm'), join(place, 'eyes-300.csv')];
  if (!existsSync(join(archives, 'valid_gt.zip'))) {
    await fovea(['data', 'palm', 'synth', '--out', archives, '--size', '256', '--json']);
  }
  if (!existsSync(join(palm, 'palm.json'))) await fovea(['data', 'palm', 'import', archives, '--out', palm, '--json']);
  const { images } = readJson(join(palm, 'palm.json'));
  // Every fourth image chooses; the classes are in the order of the files.
  const own = images.filter(({ set }) => set === 'train');
  const splitOf = (image) => {
    if (image.set !== 'train') return 'test';
    return own.indexOf(image) % 4 === 0 ? 'validation' : 'train';
  };
  const rows = images.map((image) => `palm/${image.file},${image.label === 1 ? 'PM' : 'non-PM'},${splitOf(image)}`);
  write(table, ['file,label,split', ...rows, ''].join('\n'));
  return `csv:${table}`;
}

/** A part of MNIST's training images as a set of its own: its test images are training images of MNIST too. */
async function digits(place) {
  const target = join(place, 'digits');
  const { source } = await vision.datasets.MNIST.open({ mode: 'train' });
  const [images, labels] = [readFileSync(source.images), readFileSync(source.labels)];
  const header = (magic, shape) => {
    const bytes = Buffer.alloc(4 + 4 * shape.length);
    [magic, ...shape].forEach((number, i) => {
      bytes.writeUInt32BE(number, 4 * i);
    });
    return bytes;
  };
  mkdirSync(target, { recursive: true });
  for (const [prefix, begin, count] of [
    ['train', 0, 5000],
    ['t10k', 58_000, 2000],
  ]) {
    const pixels = images.subarray(16 + 784 * begin, 16 + 784 * (begin + count));
    write(join(target, `${prefix}-images-idx3-ubyte`), Buffer.concat([header(0x803, [count, 28, 28]), pixels]));
    const own = labels.subarray(8 + begin, 8 + begin + count);
    write(join(target, `${prefix}-labels-idx1-ubyte`), Buffer.concat([header(0x801, [count]), own]));
  }
  return target;
}

/** Trains a sweep to its end, and evaluates its choice and the plain recipe on the test images. */
async function sweep(name, study, arm, seed, epochs) {
  const record = join(folder, `${name}.json`);
  const { base, test } = study;
  const plain = base(await study.data(folder));
  const asked = { ...plain, ...searched, sweep: { ...arms[arm].settings(epochs, plain.epochs), seed } };
  if (existsSync(record)) {
    const found = readJson(record);
    if (JSON.stringify(found.asked) === JSON.stringify(asked)) return found;
    throw new Error(`${record}: made with ${JSON.stringify(found.asked)}; give another --folder`);
  }
  const [out, partial] = [join(folder, name), join(folder, `${name}.partial.json`)];
  const found = existsSync(partial) ? readJson(partial) : { asked, estimate: null, processor: 0 };
  const config = join(folder, `${name}.yaml`);
  write(config, `${JSON.stringify(asked, null, 2)}\n`);
  const begun = existsSync(join(out, 'journal.jsonl'));
  console.log(`${name}${begun ? ', continued' : ''}`);
  const before = processorTime();
  let summary = null;
  let done = 0;
  try {
    const place = begun ? ['--resume', out] : ['--config', config, '--out', out];
    await fovea(['sweep', ...place, '--json', ...further], (line) => {
      if (line.event === 'sweep') found.estimate = { seconds: line.seconds, epochs: line.epochs };
      if (line.event === 'end') process.stdout.write(`\r${++done} trainings `);
      if (line.event === 'summary') summary = line;
    });
  } finally {
    found.processor = before === null ? null : found.processor + processorTime() - before;
    if (begun || done > 0) write(partial, JSON.stringify(found));
    process.stdout.write('\r');
  }
  const evaluated = async (trial) => {
    const accuracies = [];
    let images = 0;
    for (let i = 1; i <= summary.plain.values.length; i++) {
      const run = trial === 0 ? `plain/seed-${seed + i}` : `repeats/${String(trial).padStart(4, '0')}-seed-${seed + i}`;
      await fovea(['eval', join(out, run), ...test, '--json'], (line) => {
        accuracies.push(line.accuracy);
        images = line.images;
      });
    }
    return { images, accuracies };
  };
  const [first] = summary.candidates;
  const jobs = readFileSync(join(out, 'journal.jsonl'), 'utf8').split('\n').filter(Boolean).map(JSON.parse);
  const results = {
    ...found,
    version,
    processorName: cpus()[0]?.model.trim() ?? 'unknown',
    seconds: summary.seconds,
    searchEpochs: epochsOf(jobs),
    trials: summary.trials,
    chosen: first,
    luck: summary.luck,
    test: await evaluated(first.trial),
    plain: await evaluated(0),
  };
  write(record, `${JSON.stringify(results, null, 1)}\n`);
  return results;
}

/** Epochs that a search trained: a trial that continues does so from its last one. */
function epochsOf(jobs) {
  const last = new Map();
  for (const { event, job } of jobs) {
    if (event === 'done' && job.kind === 'trial') last.set(job.trial, Math.max(last.get(job.trial) ?? 0, job.epochs));
  }
  return [...last.values()].reduce((sum, epochs) => sum + epochs, 0);
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share) => (100 * share).toFixed(2);

/** Mean accuracy of the seeds on the test images, with Wilson's interval for so many images. */
function shownTest({ images, accuracies }) {
  const accuracy = mean(accuracies);
  const [low, high] = statistics.wilsonInterval(Math.round(accuracy * images), images);
  return `${percent(accuracy)} (${percent(low)} to ${percent(high)})`;
}

/** Quantiles of Student's t distribution for 95 % intervals, by degrees of freedom. */
const tQuantiles = [Number.NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

function differenceText(rows) {
  const pairs = rows
    .filter(({ arm }) => arm === 'tpe')
    .flatMap(({ seed, results }) => {
      const other = rows.find((row) => row.arm === 'random' && row.seed === seed);
      return other === undefined ? [] : [mean(results.test.accuracies) - mean(other.results.test.accuracies)];
    });
  if (pairs.length < 2) return '';
  const average = mean(pairs);
  const deviation = Math.sqrt(pairs.reduce((sum, pair) => sum + (pair - average) ** 2, 0) / (pairs.length - 1));
  const half = (tQuantiles[pairs.length - 1] * deviation) / Math.sqrt(pairs.length);
  const points = (value) => (100 * value).toFixed(2).replace('-', '−');
  return `\nTPE with ASHA minus random search, over ${pairs.length} seeds: ${points(average)} points (95 % interval ${points(average - half)} to ${points(average + half)}).\n`;
}

const shownValues = (values, keys) =>
  keys.flatMap((key) => (Object.hasOwn(values, key) ? [`${key} ${values[key]}`] : [])).join(', ');

function sectionOf(study, rows) {
  const { title, text, base } = studies[study];
  const lines = rows.map(({ arm, seed, results }) => {
    const { trials, searchEpochs, chosen, seconds, estimate, processor } = results;
    const name = chosen.trial === 0 ? 'the plain recipe' : shownValues(chosen.values, Object.keys(searched));
    const time = [seconds.toFixed(0), estimate?.seconds?.toFixed(0) ?? '', processor?.toFixed(0) ?? ''];
    return `| ${[arms[arm].title, seed, trials.asked, searchEpochs, name, percent(chosen.fresh.mean), shownTest(results.test), ...time].join(' | ')} |`;
  });
  const plain = rows.filter(({ arm }) => arm === 'tpe').map(({ results }) => mean(results.plain.accuracies));
  // Seeds that both searches have.
  const common = rows.filter(({ seed }) => rows.filter((row) => row.seed === seed).length === Object.keys(arms).length);
  const means = Object.keys(arms).flatMap((arm) => {
    const own = common.filter((row) => row.arm === arm).map(({ results }) => mean(results.test.accuracies));
    return own.length < 2 ? [] : [`${arms[arm].title} ${percent(mean(own))} %`];
  });
  return `## ${title}

${text} ${base('').epochs} epochs. The plain recipe has ${percent(mean(plain))} % on the test images.

| search | seed | trials | epochs | chosen recipe | validation, % | test, % (95 % interval) | time, s | estimate, s | processor, s |
| --- | --: | --: | --: | --- | --: | --- | --: | --: | --: |
${lines.join('\n')}
${means.length === 0 ? '' : `\nMeans on the test images: ${means.join(', ')}.\n`}${differenceText(rows)}`;
}

/** `lr: { log: [0.0001, 1] }`: ranges as a file of YAML has them. */
function shownRanges(ranges) {
  const shown = (value) => {
    if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
    if (typeof value !== 'object') return String(value);
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key}: ${shown(inner)}`)
      .join(', ')} }`;
  };
  return Object.entries(ranges)
    .map(([key, range]) => `\`${key}: ${shown(range)}\``)
    .join(', ');
}

function pageOf(found) {
  const [{ results }] = found;
  return `# Sweeps beside random search

\`node scripts/sweepTrial.mjs --studies=${[...new Set(found.map(({ study }) => study))].join(',')} --write\`; Fovea ${results.version}, ${results.processorName}, on a machine with other work.

Each search has the ranges ${shownRanges(searched)}. TPE with ASHA has 24 trials;
random search has as many whole trainings as have about the same number of epochs. Both begin with the same random trials. The best three recipes of a search and the plain one are trained again with
three fresh seeds, and the best by its mean is the chosen recipe. Its accuracy on the test images is the mean of those trainings; the interval is Wilson's
for so many images. Time, estimate and processor time are those of the whole sweep. An estimate is of the machine at the time when the sweep begins.

${Object.keys(studies)
  .flatMap((study) => {
    const rows = found.filter((one) => one.study === study);
    return rows.length === 0 ? [] : [sectionOf(study, rows)];
  })
  .join('\n')}`;
}

mkdirSync(folder, { recursive: true });
// Ctrl-C reaches the sweep too, which saves its state and ends by itself.
process.on('SIGINT', () => {});
const found = [];
try {
  const all = options.studies
    .split(',')
    .flatMap((study) => (studies[study].seeds ?? seeds).map((seed) => ({ study, seed })));
  // Seed by seed, so that the first results cover all studies.
  for (const { study, seed } of all.sort((a, b) => a.seed - b.seed)) {
    let epochs = 0;
    for (const arm of Object.keys(arms)) {
      const results = await sweep(`${study}-${arm}-${seed}`, studies[study], arm, seed, epochs);
      if (arm === 'tpe') epochs = results.searchEpochs;
      found.push({ study, arm, seed, results });
      const { chosen, seconds, estimate } = results;
      console.log(
        `${study}, ${arms[arm].title}, seed ${seed}: validation ${percent(chosen.fresh.mean)}, test ${shownTest(results.test)}, ` +
          `plain ${percent(mean(results.plain.accuracies))}, ${seconds.toFixed(0)} s, estimate ${estimate?.seconds?.toFixed(0)} s`,
      );
    }
  }
} catch (error) {
  if (!(error instanceof OutOfTime)) throw error;
  console.log('The time is over; the same command continues.');
}
if (options.write && found.length > 0) write(page, pageOf(found));
