import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { fingerprint } from '../../src/io/files/fingerprint.js';
import { RandomGenerator } from '../../src/random.js';
import { RunFolder } from '../../src/run/folder.js';
import { StateFolder } from '../../src/train/checkpoint/folder.js';
import type { EpochRecord } from '../../src/train/history.js';
import { buildProgram } from '../compiled.js';
import { fuzzing } from '../fuzzing.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

/** FOVEA_KILLS=100 makes the long test. */
const killsOf = (usual: number) => Number(process.env.FOVEA_KILLS ?? usual);
/** Ends tests that hang; a loaded machine takes many times as long as an idle one. */
const timeOf = (kills: number) => 300_000 + kills * 30_000;
const root = temporaryFolder();
const path = (name: string) => join(root, name);
let script = '';
let dataDir = '';

beforeAll(async () => {
  script = buildProgram(root);
  dataDir = await smallMnist(root, { train: 200, test: 50 });
});

interface Kill {
  readonly batches: number;
  readonly milliseconds: number;
  readonly signal: NodeJS.Signals;
  /** Whether the reader of the output goes away some time before. */
  readonly closesPipe: boolean;
}

/** Ways to end a training, with what its process then ends with. Those of the second kind let it save before. */
const kills: Readonly<Partial<Record<NodeJS.Signals, number | string>>> = { SIGKILL: 'SIGKILL' };
const stops: typeof kills = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
  SIGUSR2: 128 + constants.signals.SIGUSR2,
};

/** Runs a program that prints a line with `"event":"batch"` a batch; kills it some milliseconds after so many. */
function run(args: readonly string[], kill?: Kill): Promise<{ code: number | string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, OMP_NUM_THREADS: '1', FOVEA_DEBUG: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    let batches = 0;
    const look = (text: string) => {
      const before = batches;
      batches += text.split('"event":"batch"').length - 1;
      const due = kill !== undefined && batches >= kill.batches && (before < kill.batches || text === '');
      if (!due) return;
      if (kill.closesPipe) child.stdout.destroy();
      setTimeout(() => child.kill(kill.signal), kill.milliseconds);
    };
    child.stdout.setEncoding('utf8').on('data', look);
    look('');
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'unknown', err: withoutProgress(err) }));
  });
}

/** Text without the lines of progress, which a slow start has too. */
function withoutProgress(text: string): string {
  return text.replace(/^.* {2}ETA .*\n/gm, '');
}

/**
 * Ends a training again and again until it has finished, with as many interruptions as asked for at most: how far it
 * gets between two of them is up to the machine.
 *
 * @param args of the program that begins or resumes it
 * @param look called after each interruption
 * @param ways to end it
 */
async function killed(
  most: number,
  args: () => readonly string[],
  look: () => Promise<void>,
  ways = kills,
  seed = Number(process.env.FOVEA_KILL_SEED ?? 1),
): Promise<void> {
  const generator = new RandomGenerator(seed);
  const signals = Object.keys(ways) as NodeJS.Signals[];
  let count = 0;
  for (let attempt = 0; count < most; attempt++) {
    // Most hit a step or the saving after it, a few the opening of data and folder.
    const opening = count > 0 && generator.int(6) === 0;
    const when = opening
      ? { batches: 0, milliseconds: generator.int(1000) }
      : { batches: 1 + generator.int(8), milliseconds: count === 0 ? 0 : generator.int(30) };
    const signal = signals[generator.int(signals.length)];
    const closesPipe = Object.keys(ways).length > 1 && generator.int(4) === 0;
    const { code, err } = await run(args(), { ...when, signal, closesPipe });
    if (code === 0) break;
    // Before it listens a signal has its usual effect.
    expect([signal, ways[signal]], `attempt ${attempt}: ${err}`).toContain(code);
    if (signal === 'SIGKILL') expect(err).toBe('');
    count++;
    await look();
  }
  expect(count).toBeGreaterThan(0);
  expect(await run(args())).toEqual({ code: 0, err: '' });
}

async function expectSame(name: string, other: string): Promise<void> {
  const folders = [name, other].map((one) => new StateFolder(path(one)));
  for (const folder of folders) await folder.read();
  const [whole, resumed] = folders;
  for (const file of readdirSync(whole.path).filter((one) => one.endsWith('.safetensors'))) {
    expect(await fingerprint(join(resumed.path, file)), file).toEqual(await fingerprint(join(whole.path, file)));
  }
  const untimed = ({ history }: StateFolder) =>
    history.map((record: EpochRecord) => ({ ...record, seconds: 0, imagesPerSecond: 0, dataShare: 0 }));
  expect(untimed(resumed)).toEqual(untimed(whole));
  const names = (folder: StateFolder) => readdirSync(folder.path);
  expect(names(resumed).sort()).toEqual(names(whole).sort());
}

const configuration = `
optimizer: adamw
lr: 0.01
schedule: { LinearWarmup: { warmupSteps: 10, after: CosineAnnealingDecay } }
transforms: RandomAffine(10, translate=[0.1, 0.1]),Normalize(127.5, 127.5)
accumulateGradBatches: 3
classWeight: auto
saveBest: loss
workers: 1
`;

test.each([
  ['of the command line', killsOf(2), ''],
  ['with a configuration', killsOf(1), configuration],
])(
  'a run %s that is killed %i times ends with the same bits as one left alone',
  async (_, kills, yaml) => {
    const name = yaml === '' ? 'plain' : 'configured';
    const epochs = String(Math.max(3, Math.ceil(kills / 2)));
    writeFileSync(path('config.yaml'), yaml);
    const train = [script, 'train', '--json', '--save-steps', '1', '--log-every', '1', '--data-dir', dataDir];
    const begin = (out: string) => [
      ...train,
      'lenet',
      '--epochs',
      epochs,
      '--config',
      path('config.yaml'),
      '--out',
      path(out),
    ];
    expect(await run(begin(name))).toEqual({ code: 0, err: '' });
    const broken = `${name} killed`;
    const has = (file: string) => readdirSync(root).includes(broken) && readdirSync(path(broken)).includes(file);
    const steps: number[] = [];
    await killed(
      kills,
      () => (has('config.json') ? [...train, '--resume', path(broken)] : begin(broken)),
      async () => {
        mkdirSync(path(broken), { recursive: true });
        // Whenever it was killed, what was saved can be read.
        if (has('state.json')) steps.push((await RunFolder.open(path(broken))).state.training.steps);
      },
    );
    if (steps.length > 2) expect(new Set(steps).size).toBeGreaterThan(1);
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    await expectSame(name, broken);
  },
  timeOf(killsOf(5)),
);

const { numRuns, seed: fuzzSeed } = fuzzing('kills', 2);

test(
  'a run that is killed and stopped in any way, at any moment, ends with the same bits',
  async () => {
    const train = [script, 'train', '--json', '--save-steps', '3', '--log-every', '1', '--data-dir', dataDir];
    const epochs = String(Math.max(2, Math.ceil(numRuns / 2)));
    const begin = (out: string) => [...train, 'lenet', '--epochs', epochs, '--out', path(out)];
    expect(await run(begin('fuzzed'))).toEqual({ code: 0, err: '' });
    const has = (file: string) => existsSync(join(path('fuzzed killed'), file));
    await killed(
      numRuns,
      () => (has('config.json') ? [...train, '--resume', path('fuzzed killed')] : begin('fuzzed killed')),
      async () => {
        if (has('state.json')) await RunFolder.open(path('fuzzed killed'));
      },
      { ...kills, ...stops },
      fuzzSeed,
    );
    await expectSame('fuzzed', 'fuzzed killed');
  },
  timeOf(2 * numRuns),
);

/** A training with all callbacks that remember something. */
const program = `
import { callbacks, Model, nn, optimizer, seed, vision } from './dist/index.js';
const [, , dataDir, saveDir, epochs] = process.argv;
seed(1);
const [trainData, evalData] = await Promise.all(
  ['train', 'test'].map((mode) => vision.datasets.MNIST.open({ mode, dataDir })),
);
const model = new Model(new vision.models.course.LeNet({ numClasses: 10 }));
const learningRate = new optimizer.lr.ReduceOnPlateau({ learningRate: 0.01, patience: 0 });
const { EarlyStopping, ModelCheckpoint, CSVLogger } = callbacks;
model.prepare({
  optimizer: new optimizer.Momentum({ learningRate, parameters: model.parameters() }),
  loss: new nn.CrossEntropyLoss(),
});
const line = { onBatchEnd: () => void process.stdout.write('"event":"batch"\\n') };
await model.fit({
  trainData, evalData, saveDir, epochs: Number(epochs), batchSize: [10, 50], saveSteps: 1, resume: true, verbose: 0,
  callbacks: [
    line,
    new EarlyStopping({ patience: 50, verbose: 0 }),
    new ModelCheckpoint({ saveBest: true, keepLastN: 2, verbose: 0 }),
    new CSVLogger(saveDir + '/log.csv'),
  ],
});
`;

test(
  `Model.fit that is killed ${killsOf(2)} times ends with the same bits as one left alone`,
  async () => {
    const epochs = String(Math.max(3, Math.ceil(killsOf(2) / 2)));
    writeFileSync(path('fit.mjs'), program);
    const training = (name: string) => [path('fit.mjs'), dataDir, path(name), epochs];
    expect(await run(training('fit'))).toEqual({ code: 0, err: '' });
    await killed(
      killsOf(2),
      () => training('fit killed'),
      async () => {
        const folder = new StateFolder(path('fit killed'));
        if (await folder.hasState()) await folder.read();
      },
    );
    await expectSame('fit', 'fit killed');
    const lines = (name: string) => readFileSync(join(path(name), 'log.csv'), 'utf8').split('\n').length;
    expect(lines('fit killed')).toBe(lines('fit'));
  },
  timeOf(killsOf(5)),
);
