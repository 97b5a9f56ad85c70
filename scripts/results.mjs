/**
 * Trains the networks for photographs with several seeds and writes a table of what came out: `npm run results`.
 *
 * Without `--data` the stand-in for iChallenge-PM is drawn and imported first. Trainings that are done are not repeated,
 * so that the command may be interrupted and called again.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/** In the order of PaddlePaddle's tutorial, with the accuracy on the real photographs that it tells. */
const networks = {
  lenet224: { title: 'LeNet', published: 'does not converge' },
  alexnet: { title: 'AlexNet', published: 'about 94 %' },
  vgg16: { title: 'VGG-16', published: 'about 94 %' },
  googlenet: { title: 'GoogLeNet', published: 'about 95 %' },
  resnet50: { title: 'ResNet-50', published: 'about 96 %' },
};

const usage = `usage: npm run results -- [--data palm:DIR] [--models ${Object.keys(networks).join(',')}]
       [--seeds 0,1,2] [--folder runs/results] [--out docs/results.md] [further options of fovea train]`;

function options() {
  const known = {
    data: { type: 'string' },
    models: { type: 'string', default: Object.keys(networks).join() },
    seeds: { type: 'string', default: '0,1,2' },
    folder: { type: 'string', default: 'runs/results' },
    out: { type: 'string' },
    help: { type: 'boolean' },
  };
  const { values, tokens } = parseArgs({ options: known, strict: false, tokens: true });
  // What is not known here is for `fovea train`, in the order in which it was given.
  const further = tokens.flatMap((token) => {
    if (token.kind === 'positional') return [token.value];
    if (token.kind !== 'option' || Object.hasOwn(known, token.name)) return [];
    return token.value === undefined ? [token.rawName] : [token.rawName, token.value];
  });
  const models = values.models.split(',');
  const seeds = values.seeds.split(',').map(Number);
  const strange = models.filter((name) => !Object.hasOwn(networks, name));
  if (values.help || strange.length > 0 || seeds.some((seed) => !Number.isSafeInteger(seed) || seed < 0)) {
    console.error(usage);
    process.exit(values.help ? 0 : 2);
  }
  return { ...values, models, seeds, further, out: values.out ?? (values.data ? undefined : 'docs/results.md') };
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

/** The stand-in, drawn and imported once. */
async function synthetic(folder) {
  const archives = join(folder, 'archives');
  const palm = join(folder, 'palm');
  if (!existsSync(join(archives, 'valid_gt.zip'))) await fovea(['data', 'palm', 'synth', '--out', archives]);
  if (!existsSync(join(palm, 'palm.json'))) await fovea(['data', 'palm', 'import', archives, '--out', palm]);
  return `palm:${palm}`;
}

/** What one training came to: read if it is there already. */
async function result(folder, model, seed, data, further) {
  const record = join(folder, `${model}-${seed}.json`);
  const wanted = { data, further };
  if (existsSync(record)) {
    const found = JSON.parse(readFileSync(record, 'utf8'));
    if (JSON.stringify(found.asked) === JSON.stringify(wanted)) return found;
    throw new Error(`${record}: made with ${JSON.stringify(found.asked)}; give another --folder`);
  }
  const run = join(folder, `${model}-${seed}`);
  // A training that was interrupted begins anew; the folder is this script's own.
  rmSync(run, { recursive: true, force: true });
  console.log(`\n${networks[model].title}, seed ${seed}`);
  const epochs = [];
  const found = { model, seed, asked: wanted, run, epochs };
  await fovea(['train', model, '--data', data, '--seed', String(seed), '--out', run, '--json', ...further], (line) => {
    const { event, ...fields } = JSON.parse(line);
    if (event === 'start') found.config = fields.config;
    if (event === 'epoch') {
      epochs.push(fields);
      const { epoch, trainLoss, evalLoss, evalAccuracy, seconds } = fields;
      const figures = [trainLoss, evalLoss, evalAccuracy].map((x) => x.toFixed(4));
      console.log(
        `epoch ${epoch}  loss ${figures[0]}  validation loss ${figures[1]}, accuracy ${figures[2]}  ${seconds.toFixed(1)} s`,
      );
    }
    if (event === 'end') {
      const { notice, screening } = fields;
      const { auc, atThreshold, atOperatingPoint } = screening;
      Object.assign(found, { notice, auc, atThreshold, atOperatingPoint });
    }
  });
  writeFileSync(`${record}.tmp`, `${JSON.stringify(found, null, 1)}\n`);
  renameSync(`${record}.tmp`, record);
  return found;
}

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
const percent = (x) => (100 * x).toFixed(1);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function recipeOf({ recipe }) {
  const { optimizer, batchSize, epochs } = recipe;
  const name = optimizer.name === 'adam' ? 'Adam' : `Momentum ${optimizer.momentum}`;
  const decay = optimizer.weightDecay === 0 ? '' : `, weight decay ${optimizer.weightDecay}`;
  return `${name}, ${optimizer.learningRate}${decay}, batch ${batchSize}, ${epochs} epochs`;
}

function table(results, models) {
  const header = [
    'network',
    'parameters',
    'recipe',
    'accuracy, %',
    'mean',
    'AUC',
    'mean',
    'seconds an epoch',
    'published for the photographs',
  ];
  const rows = models.map((model) => {
    const own = results.filter((entry) => entry.model === model);
    const accuracies = own.map(({ atThreshold }) => atThreshold.accuracy.value);
    const areas = own.map(({ auc }) => auc.value);
    const seconds = own.flatMap(({ epochs }) => epochs.map((epoch) => epoch.seconds));
    const { title, published } = networks[model];
    return [
      title,
      own[0].config.model.parameters.toLocaleString('en'),
      recipeOf(own[0].config),
      accuracies.map(percent).join(', '),
      percent(mean(accuracies)),
      areas.map((area) => area.toFixed(3)).join(', '),
      mean(areas).toFixed(3),
      median(seconds).toFixed(1),
      published,
    ];
  });
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function page(results, { models, seeds, further }) {
  const { data, engine, machine, version } = results[0].config;
  const waits = results.flatMap(({ epochs }) => epochs.slice(1).map((epoch) => epoch.dataShare));
  const notices = results
    .filter(({ notice }) => notice !== null)
    .map(({ model, seed }) => `${networks[model].title} (seed ${seed})`);
  const real = data.synthetic ? '' : ` --data palm:DIR`;
  const again = `npm run results${further.length > 0 ? ` -- ${further.join(' ')}` : real && ` --${real}`}`;
  return `# Results

${data.synthetic ? 'On the synthetic stand-in for iChallenge-PM (`fovea data palm synth`, seed 0): pictures drawn by a program, which say nothing about eyes.' : 'On iChallenge-PM.'}
${data.train.images} training and ${data.eval.images} validation images, of which ${data.eval.classCounts[1]} show pathologic myopia; judged after the last epoch, with
the threshold 0.5. Seeds ${seeds.join(', ')}, one column entry each. With ${data.eval.images} images the 95 % interval of an accuracy of 95 % is about ±2 points:
networks that are closer than that are not told apart.

${table(results, models)}

- Made by \`${again}\`. Trainings that are done are not repeated; \`--folder DIR\` begins anew.
- Who has the photographs: \`fovea data palm import training.zip validation.zip valid_gt.zip --out palm\`, then
  \`npm run results -- --data palm:palm --folder runs/photographs --out results-photographs.md\`.
- Seconds are the median epoch of training, without the evaluation: ${engine.description}, up to ${engine.threads} threads, ${machine.processor},
  ${cpus().length} processors, Node ${machine.node}, Fovea ${version}. Waiting for data took ${(100 * median(waits)).toFixed(1)} % of them in the
  median epoch after the first, ${(100 * Math.max(...waits)).toFixed(1)} % in the worst.
${notices.length > 0 ? `- Loss at the entropy of the class shares to the end (nothing learned, and the command says so): ${notices.join(', ')}.\n` : ''}- The published figures are those of PaddlePaddle's tutorial on image classification, for the photographs, after 5 epochs.
- Checksum of the training images and labels: \`${data.train.sha256}\`; of the validation images: \`${data.eval.sha256}\`.
`;
}

const asked = options();
mkdirSync(asked.folder, { recursive: true });
// Ctrl-C reaches the training too, which ends by itself.
process.on('SIGINT', () => {});
try {
  const data = asked.data ?? (await synthetic(asked.folder));
  const results = [];
  for (const seed of asked.seeds) {
    for (const model of asked.models) results.push(await result(asked.folder, model, seed, data, asked.further));
  }
  const text = page(results, asked);
  if (asked.out === undefined) console.log(`\n${text}`);
  else {
    mkdirSync(dirname(asked.out), { recursive: true });
    writeFileSync(`${asked.out}.tmp`, text);
    renameSync(`${asked.out}.tmp`, asked.out);
    console.log(`\n${asked.out} written`);
  }
} catch (error) {
  console.error(`results: ${error.message}`);
  process.exitCode = 1;
}
