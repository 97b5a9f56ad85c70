/**
 * Trains the networks for photographs with several seeds and writes tables of the results: `npm run results`.
 *
 * Without `--data` it first makes the synthetic images in place of iChallenge-PM. It does not repeat finished trainings, so
 * the command can be interrupted and called again. A study is a set of trainings. The page has a table for each study, with
 * the networks for which all seeds are finished. The raw results go into a .json file beside the page; `--known` takes
 * finished trainings from such a file, to continue on another machine.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { networks, page, studies } from './resultsPage.mjs';

const usage = `usage: npm run results -- [--study ${Object.keys(studies).join(',')}] [--data palm:DIR]
       [--models ${Object.keys(networks).join(',')}] [--seeds 0,1,2]
       [--folder runs/results] [--known FILE.json] [--out docs/measured/results.md] [further options of fovea train]`;

function options() {
  const known = {
    study: { type: 'string', default: 'recipes' },
    data: { type: 'string' },
    models: { type: 'string', default: Object.keys(networks).join() },
    seeds: { type: 'string', default: '0,1,2' },
    folder: { type: 'string', default: 'runs/results' },
    known: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean' },
  };
  const { values, tokens } = parseArgs({ options: known, strict: false, tokens: true });
  // Unknown options are for `fovea train`, in the order given.
  const further = tokens.flatMap((token) => {
    if (token.kind === 'positional') return [token.value];
    if (token.kind !== 'option' || Object.hasOwn(known, token.name)) return [];
    return token.value === undefined ? [token.rawName] : [token.rawName, token.value];
  });
  const models = values.models.split(',');
  const seeds = values.seeds.split(',').map(Number);
  const study = values.study.split(',');
  const strange = [
    ...models.filter((name) => !Object.hasOwn(networks, name)),
    ...study.filter((name) => !Object.hasOwn(studies, name)),
  ];
  if (values.help || strange.length > 0 || seeds.some((seed) => !Number.isSafeInteger(seed) || seed < 0)) {
    console.error(usage);
    process.exit(values.help ? 0 : 2);
  }
  return {
    ...values,
    study,
    models,
    seeds,
    further,
    out: values.out ?? (values.data ? undefined : 'docs/measured/results.md'),
  };
}

/** Runs `fovea`; with `onLine`, the lines that it prints go there. */
function fovea(args, onLine) {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', onLine === undefined ? 'inherit' : 'pipe', 'inherit'];
    const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { stdio });
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) onLine(line);
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`fovea ${args[0]} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

function write(path, text) {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

/** Makes and imports the synthetic images once. */
async function synthetic(folder) {
  const archives = join(folder, 'archives');
  const palm = join(folder, 'palm');
  if (!existsSync(join(archives, 'valid_gt.zip'))) await fovea(['data', 'palm', 'synth', '--out', archives]);
  if (!existsSync(join(palm, 'palm.json'))) await fovea(['data', 'palm', 'import', archives, '--out', palm]);
  return `palm:${palm}`;
}

/** The record of a training for the page: its conditions and results, without the place where it ran. */
function recordOf({ run, config, ...rest }) {
  const { version, model, data, recipe, seed, engine, machine } = config;
  const split = ({ images, classCounts, sha256 }) => ({ images, classCounts, sha256 });
  const { title, synthetic, classNames } = data;
  const record = { title, synthetic, classNames, train: split(data.train), eval: split(data.eval) };
  return { ...rest, config: { version, model, data: record, recipe, seed, engine, machine } };
}

/** The options of a training, each configuration file followed by a digest of its contents. */
function askedFor({ data, further }, study, model) {
  const options = [...studies[study].options(model), ...further];
  const contents = options.map((option) => (existsSync(option) ? [option, digestOf(option)] : option));
  return { data, options: contents.flat() };
}

/** A digest of a configuration without its comments. */
function digestOf(file) {
  const text = readFileSync(file, 'utf8').replace(/^#.*\n/gm, '');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

const nameOf = (study, model, seed) => `${study === 'recipes' ? '' : `${study}-`}${model}-${seed}`;

/** The results of a training, or null if it is not finished. */
function known(asked, study, model, seed) {
  const wanted = JSON.stringify(askedFor(asked, study, model));
  const isWanted = (found) => JSON.stringify(found.asked) === wanted;
  const taken = asked.taken.find((entry) => entry.study === study && entry.model === model && entry.seed === seed);
  if (taken !== undefined && isWanted(taken)) return taken;
  const record = join(asked.folder, `${nameOf(study, model, seed)}.json`);
  if (!existsSync(record)) return null;
  const found = JSON.parse(readFileSync(record, 'utf8'));
  if (isWanted(found)) return found;
  throw new Error(`${record}: made with ${JSON.stringify(found.asked)}, not ${wanted}; give another --folder`);
}

/** Trains, and stores the results. */
async function trained(asked, study, model, seed) {
  const { folder, further, data } = asked;
  const name = nameOf(study, model, seed);
  const run = join(folder, name);
  // An interrupted training starts again; the folder belongs to this script.
  rmSync(run, { recursive: true, force: true });
  console.log(`\n${networks[model].title}, seed ${seed}${study === 'recipes' ? '' : `, ${studies[study].title}`}`);
  const epochs = [];
  const found = { study, model, seed, asked: askedFor(asked, study, model), run, epochs };
  const settings = ['--data', data, '--seed', String(seed), '--out', run, ...studies[study].options(model), ...further];
  await fovea(['train', model, ...settings, '--json'], (line) => {
    const { event, ...fields } = JSON.parse(line);
    if (event === 'start') found.config = fields.config;
    if (event === 'epoch') {
      epochs.push(fields);
      const { epoch, trainLoss, evalLoss, evalAccuracy, seconds } = fields;
      const evaluation =
        evalLoss === null ? '' : `  validation loss ${evalLoss.toFixed(4)}, accuracy ${evalAccuracy.toFixed(4)}`;
      console.log(`epoch ${epoch}  loss ${trainLoss.toFixed(4)}${evaluation}  ${seconds.toFixed(1)} s`);
    }
    if (event === 'end') {
      const { notice, screening } = fields;
      const { auc, atThreshold, atOperatingPoint } = screening;
      Object.assign(found, { notice, auc, atThreshold, atOperatingPoint });
    }
  });
  write(join(folder, `${name}.json`), `${JSON.stringify(found, null, 1)}\n`);
}

const asked = options();
mkdirSync(asked.folder, { recursive: true });
// Ctrl-C reaches the training too, which ends by itself.
process.on('SIGINT', () => {});
try {
  asked.data ??= await synthetic(asked.folder);
  asked.taken = asked.known === undefined ? [] : JSON.parse(readFileSync(asked.known, 'utf8'));
  const modelsOf = (study) => asked.models.filter((model) => studies[study].models.includes(model));
  const wanted = (study) => modelsOf(study).flatMap((model) => asked.seeds.map((seed) => [study, model, seed]));
  for (const study of asked.study) {
    // Seed by seed, so that the first results cover all networks.
    const order = wanted(study).sort((a, b) => a[2] - b[2]);
    for (const training of order) if (known(asked, ...training) === null) await trained(asked, ...training);
  }
  const done = Object.keys(studies).flatMap((study) => {
    const results = modelsOf(study).flatMap((model) => {
      const own = asked.seeds.map((seed) => known(asked, study, model, seed));
      return own.includes(null) ? [] : own;
    });
    return results.length === 0 ? [] : [[study, results]];
  });
  const text = page(new Map(done), asked);
  if (asked.out === undefined) console.log(`\n${text}`);
  else {
    const raw = asked.out.replace(/(\.md)?$/, '.json');
    mkdirSync(dirname(asked.out), { recursive: true });
    write(asked.out, text);
    const all = Object.keys(studies).flatMap(wanted);
    const found = all.map((training) => known(asked, ...training)).filter((result) => result !== null);
    write(raw, `[\n${found.map((result) => JSON.stringify(recordOf(result))).join(',\n')}\n]\n`);
    console.log(`\n${asked.out} and ${raw} written`);
  }
} catch (error) {
  console.error(`results: ${error.message}`);
  process.exitCode = 1;
}
