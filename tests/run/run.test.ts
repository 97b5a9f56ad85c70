import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { FileError, FoveaError, InputError } from '../../src/errors.js';
import { fingerprint } from '../../src/io/files/fingerprint.js';
import { loadSafetensors } from '../../src/io/weights/safetensors.js';
import { namedModel } from '../../src/run/catalog/models.js';
import { evaluateRun, openRun } from '../../src/run/evaluate.js';
import { RunFolder } from '../../src/run/folder.js';
import { makeOptimizer } from '../../src/run/optimizers.js';
import { Run } from '../../src/run/run.js';
import { parseSchedule } from '../../src/run/schedule.js';
import { slimRun } from '../../src/run/slim.js';
import type { Callback, Training } from '../../src/train/callback.js';
import type { EpochRecord } from '../../src/train/history.js';
import { version } from '../../src/version.js';
import { parseTransforms } from '../../src/vision/transforms/parse.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
let dataDir = '';
let trained = '';

/** Options of a training that takes a moment. */
function options(name: string) {
  const changes = { epochs: 2, optimizer: 'adam', learningRate: 0.005, batchSize: 10 } as const;
  return { model: 'lenet', data: 'mnist', out: join(root, name), seed: 3, dataDir, changes };
}

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root);
  const run = await Run.create(options('trained'));
  await run.train();
  trained = run.folder.path;
});

/** A copy that a test may damage. */
let folder = '';
beforeEach((context) => {
  folder = join(root, context.task.id);
  cpSync(trained, folder, { recursive: true });
});

const files = [
  'config.json',
  'metrics.jsonl',
  'optimizer.safetensors',
  'pictures.json',
  'predictions.csv',
  'predictions.csv.json',
  'report.html',
  'results.json',
  'state.json',
  'weights.safetensors',
];
/** Those that a state speaks of. */
const saved = files.filter((name) => !/^(report|results|pictures|predictions)/.test(name));

describe('a run folder', () => {
  test('holds everything, and nothing else', () => {
    expect(readdirSync(trained).sort()).toEqual(files);
    const config = JSON.parse(readFileSync(join(trained, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      format: 2,
      version,
      model: { name: 'lenet', options: { numClasses: 10 }, inputShape: [1, 28, 28], parameters: 41_806 },
      data: { name: 'mnist', train: { images: 500 }, eval: { images: 230, source: `folder ${dataDir}` } },
      recipe: {
        optimizer: { name: 'adam', learningRate: 0.005, weightDecay: 0 },
        loss: 'crossEntropy',
        batchSize: 10,
        shuffle: true,
        epochs: 2,
      },
      seed: 3,
      engine: { name: 'onednn', threads: 1, description: expect.stringMatching(/^oneDNN [23]\./) },
    });
    expect(config.data.train.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(config.data.train.classCounts.reduce((sum: number, n: number) => sum + n)).toBe(500);
    const lines = readFileSync(join(trained, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual(
      [1, 2].map(() => [
        'epoch',
        'trainLoss',
        'evalLoss',
        'evalAccuracy',
        'imagesPerSecond',
        'seconds',
        'dataShare',
        'learningRate',
        'trainAccuracy',
      ]),
    );
    const page = readFileSync(join(trained, 'report.html'), 'utf8');
    expect(page).toContain('LeNet on MNIST');
    expect(page).toContain('data:image/png;base64,');
    expect(page).not.toContain('Stopped early');
  });

  test('names its tensors', async () => {
    const { tensors, metadata } = await loadSafetensors(join(trained, 'weights.safetensors'));
    expect(metadata).toMatchObject({ model: 'lenet', data: 'mnist', fovea: version });
    expect([...tensors.keys()].sort()).toEqual(
      ['conv1', 'conv2', 'conv3', 'fc1', 'fc2'].flatMap((layer) => [`${layer}.bias`, `${layer}.weight`]),
    );
    const optimizer = await loadSafetensors(join(trained, 'optimizer.safetensors'));
    expect(optimizer.tensors.get('conv1.weight.moment2')?.shape).toEqual([6, 1, 5, 5]);
  });

  test('gives back a network with the same evaluation', async () => {
    const run = await openRun(folder);
    const result = await evaluateRun(run, { dataDir, batchSize: 7 });
    const last = run.folder.history[1];
    expect(result.sameData).toBe(true);
    expect(result.samples).toBe(230);
    expect(result.accuracy).toBe(last.evalAccuracy);
    expect(result.loss).toBeCloseTo(last.evalLoss as number, 5);
    const other = await smallMnist(root, { test: 20, name: 'fewer' });
    expect((await evaluateRun(run, { dataDir: other })).sameData).toBe(false);
  });

  test('of the same seed has the same weights, bit by bit', async () => {
    await (await Run.create(options('again'))).train();
    const weights = async (path: string) => (await fingerprint(join(path, 'weights.safetensors'))).sha256;
    expect(await weights(join(root, 'again'))).toBe(await weights(trained));
    await (await Run.create({ ...options('other'), seed: 4 })).train();
    expect(await weights(join(root, 'other'))).not.toBe(await weights(trained));
  });
});

describe('a damaged run folder', () => {
  test.each(saved)('without %s is refused', async (name) => {
    rmSync(join(folder, name));
    await refused(`${join(folder, name)}: expected `, 'ENOENT');
  });

  test.each(saved)('with %s cut is refused', async (name) => {
    truncateSync(join(folder, name), 100);
    await refused(`${join(folder, name)}: expected `, 'got ');
  });

  test.each(saved)('with one byte of %s altered is refused', async (name) => {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    // A letter in the configuration, a digit elsewhere: what is read stays well-formed.
    const place = bytes.lastIndexOf(name === 'config.json' ? process.arch : '1');
    bytes[place] ^= 1;
    writeFileSync(path, bytes);
    await refused(`${path}: expected the contents that were saved`, 'got others');
  });

  test('with an unfit configuration says which field', async () => {
    const path = join(folder, 'config.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"seed": 3', '"seed": -3'));
    await refused(`${path}: seed: `);
    writeFileSync(path, '[]');
    await refused(`${path}: config: invalid input: expected object`);
  });

  test('that is no folder, or not one of ours, is refused', async () => {
    await expect(openRun(join(root, 'nothing'))).rejects.toThrow(/expected the folder of a training .*ENOENT/);
    await expect(openRun(join(trained, 'config.json'))).rejects.toThrow(FileError);
    await expect(openRun(dataDir)).rejects.toThrow(FileError);
    await expect(openRun(undefined as never)).rejects.toThrow('[run] path: expected text, got undefined');
  });

  async function refused(...parts: string[]): Promise<void> {
    const error = await openRun(folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    for (const part of parts) expect((error as Error).message).toContain(part);
  }
});

describe('saving', () => {
  /** A training that stands where the saved one ended, with other weights. */
  async function laterTraining(): Promise<Training> {
    const run = await openRun(folder);
    const { history, state } = run.folder;
    for (const parameter of run.network.parameters()) parameter.load(new Float32Array(parameter.size).fill(0.5));
    const optimizer = makeOptimizer(run.folder.config.recipe.optimizer, run.network.parameters());
    const { training } = state;
    return { network: run.network, optimizer, history, epochs: 2, state: () => training } as unknown as Training;
  }

  async function firstWeight(): Promise<number> {
    const [parameter] = (await openRun(folder)).network.parameters();
    return (await parameter.data())[0];
  }

  test('that was killed before the new state was valid leaves the old one', async () => {
    const before = await firstWeight();
    for (const name of saved) writeFileSync(join(folder, `${name}.new`), 'half of');
    expect(await firstWeight()).toBe(before);
    await (await RunFolder.open(folder)).save(await laterTraining());
    expect(await firstWeight()).toBe(0.5);
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual(['config.json.new', 'state.json.new']);
  });

  test('that was killed after the new state was valid is made up for', async () => {
    const old = readFileSync(join(folder, 'weights.safetensors'));
    await (await RunFolder.open(folder)).save(await laterTraining());
    renameSync(join(folder, 'weights.safetensors'), join(folder, 'weights.safetensors.new'));
    writeFileSync(join(folder, 'weights.safetensors'), old);
    expect(await firstWeight()).toBe(0.5);
    await (await RunFolder.open(folder)).save(await laterTraining());
    expect(readdirSync(folder).sort()).toEqual(files);
    expect(await firstWeight()).toBe(0.5);
  });

  test('that fails leaves the old state and no rest', async () => {
    const before = await firstWeight();
    const training = await laterTraining();
    mkdirSync(join(folder, 'optimizer.safetensors.new'));
    const error = await (await RunFolder.open(folder)).save(training).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect(readdirSync(folder)).not.toContain('weights.safetensors.new');
    expect(await firstWeight()).toBe(before);
  });
});

describe('a training that ends early', () => {
  test('by a signal is saved, and ends with the same bits after it is resumed', async () => {
    const controller = new AbortController();
    const interrupt: Callback = {
      onBatchEnd: ({ epoch, batch }) => {
        if (epoch === 2 && batch === 7) controller.abort();
      },
    };
    const run = await Run.create(options('interrupted'));
    const { completed } = await run.train({ callbacks: [interrupt], signal: controller.signal, tensorBoard: true });
    expect(completed).toBe(false);
    const opened = await openRun(run.folder.path);
    const { state } = opened.folder;
    expect(state).toMatchObject({ finished: false, training: { epoch: 2, batch: 7, samples: 70, steps: 57 } });
    expect(readFileSync(join(run.folder.path, 'report.html'), 'utf8')).toContain(
      'Stopped early: in epoch 2 of 2, after batch 7 of 50.',
    );
    await expect(slimRun(run.folder.path)).rejects.toThrow(
      /expected a finished training, got one that stands in epoch 2 of 2, after batch 7; resume it first/,
    );
    await (await Run.resume(run.folder.path, { dataDir })).train({ tensorBoard: true });
    // TensorBoard shows the files of one folder as one curve.
    expect(readdirSync(join(run.folder.path, 'tensorboard'))).toHaveLength(2);
    const resumed = await openRun(run.folder.path);
    expect(resumed.folder.state).toMatchObject({ finished: true, training: { epoch: 3, steps: 100 } });
    expect(readFileSync(join(run.folder.path, 'report.html'), 'utf8')).not.toContain('Stopped early');
    const whole = await openRun(trained);
    expect(resumed.folder.history).toMatchObject(whole.folder.history.map(untimed));
    for (const [name, expected] of whole.network.namedParameters()) {
      const got = resumed.network.namedParameters().get(name);
      expect(await got?.data(), name).toEqual(await expected.data());
    }
  });

  test('by a loss that is no number keeps the last state and says so', async () => {
    const poison: Callback = {
      onBatchEnd: ({ epoch, batch, network }) => {
        if (epoch === 2 && batch === 3) network.parameters().at(-1)?.load(new Float32Array(10).fill(Number.NaN));
      },
    };
    const run = await Run.create(options('diverged'));
    const error = await run.train({ callbacks: [poison] }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FoveaError);
    expect(error).not.toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(
      /got NaN in epoch 2, batch 4; .*; the state after epoch 1 is kept in .*diverged$/,
    );
    const opened = await openRun(run.folder.path);
    expect(opened.folder.history).toHaveLength(1);
    expect((await evaluateRun(opened, { dataDir })).loss).toBeCloseTo(opened.folder.history[0].evalLoss as number, 5);
    expect(readFileSync(join(run.folder.path, 'report.html'), 'utf8')).toContain('got NaN in epoch 2');
  });

  test.each([1, 2])('names the newest state, in the midst of epoch %i', async (poisoned) => {
    const poison: Callback = {
      onBatchEnd: ({ epoch, batch, network }) => {
        if (epoch === poisoned && batch === 5) network.parameters().at(-1)?.load(new Float32Array(10).fill(Number.NaN));
      },
    };
    const run = await Run.create(options(`diverged in ${poisoned}`));
    await expect(run.train({ callbacks: [poison], saveSteps: 2 })).rejects.toThrow(
      new RegExp(`in epoch ${poisoned}, batch 6; .*; the state after batch 4 of epoch ${poisoned} is kept in .*$`),
    );
    const { folder } = await openRun(run.folder.path);
    expect(folder.state.training).toMatchObject({ epoch: poisoned, batch: 4 });
  });
});

const untimed = ({ epoch, trainLoss, evalLoss, evalAccuracy }: EpochRecord) => {
  return { epoch, trainLoss, evalLoss, evalAccuracy };
};

const stateOf = (path: string) => JSON.parse(readFileSync(join(path, 'state.json'), 'utf8'));

describe('what comes short', () => {
  test('a report that fails ends no training that has finished', async () => {
    const run = await Run.create(options('no report'));
    mkdirSync(join(run.folder.path, 'report.html'));
    const notes: string[] = [];
    const { completed } = await run.train({ onNote: (note) => notes.push(note) });
    expect(completed).toBe(true);
    expect(stateOf(run.folder.path)).toMatchObject({ finished: true });
    expect(notes).toEqual([
      `[run] report: [file] ${join(run.folder.path, 'report.html')}: expected to write it, got EISDIR: illegal ` +
        `operation on a directory; choose a name that is not a folder; the training is saved in ${run.folder.path}, ` +
        'resume it to try again',
    ]);
    rmSync(join(run.folder.path, 'report.html'), { recursive: true });
    await (await Run.resume(run.folder.path, { dataDir })).train();
    expect(readdirSync(run.folder.path).sort()).toEqual(files);
  });

  test('a folder that is moved away is reported, with its saved state', async () => {
    const run = await Run.create(options('moved'));
    const { path } = run.folder;
    const move: Callback = {
      onBatchEnd: ({ epoch, batch }) => {
        if (epoch === 2 && batch === 3) renameSync(path, `${path} away`);
      },
    };
    await expect(run.train({ callbacks: [move] })).rejects.toThrow(
      new FileError(
        `[run] ${path}: expected the folder to save the state in, got none; do not move it; the state after epoch 1 ` +
          `was saved in ${path}, which is no longer there; resume it where it is now`,
      ),
    );
    // This process lives on; that of a command has ended by then.
    rmSync(join(`${path} away`, '.lock'));
    await (await Run.resume(`${path} away`, { dataDir })).train();
    expect(readdirSync(`${path} away`).sort()).toEqual(files);
    const weights = (folder: string) => fingerprint(join(folder, 'weights.safetensors'));
    expect(await weights(`${path} away`)).toEqual(await weights(trained));
  });

  test('what only the training would find out is found before a folder is made', async () => {
    const techniques = { saveBest: 'nonsense' } as const;
    const wrong = { ...options('nonsense'), changes: { ...options('').changes, techniques } };
    await expect(Run.create(wrong)).rejects.toThrow(/monitor: expected one of loss, .*, got 'nonsense'/);
    const nowhere = { ...options('nowhere'), out: join(trained, 'config.json/run'), dataDir: '/nonexistent' };
    await expect(Run.create(nowhere)).rejects.toThrow(/expected to write it, got a file where a folder is needed/);
    expect(readdirSync(root)).not.toContain('nonsense');
  });

  test('a callback that fails at once leaves no folder', async () => {
    const run = await Run.create(options('failed start'));
    const fail: Callback = {
      onTrainBegin: () => {
        throw new Error('no');
      },
    };
    await expect(run.train({ callbacks: [fail] })).rejects.toThrow('no');
    expect(readdirSync(root)).not.toContain('failed start');
  });
});

describe('a run that is resumed', () => {
  test('was stopped before its first batch', async () => {
    const run = await Run.create(options('stopped at once'));
    const outcome = await run.train({ signal: AbortSignal.abort() });
    expect(outcome.completed).toBe(false);
    expect(stateOf(run.folder.path).training).toMatchObject({ epoch: 1, batch: 0, steps: 0 });
    // Predictions and results are those of a finished training.
    expect(readdirSync(run.folder.path).sort()).toEqual(files.filter((name) => !/^(predictions|results)/.test(name)));
    await (await Run.resume(run.folder.path, { dataDir })).train();
    const weights = (folder: string) => fingerprint(join(folder, 'weights.safetensors'));
    expect(await weights(run.folder.path)).toEqual(await weights(trained));
  });

  test('begins again if nothing was saved yet', async () => {
    const run = await Run.create(options('early'));
    writeFileSync(join(run.folder.path, '.weights.safetensors.new.0123456789ab.tmp'), 'half of');
    await (await Run.resume(run.folder.path, { dataDir })).train();
    const weights = async (path: string) => (await fingerprint(join(path, 'weights.safetensors'))).sha256;
    expect(await weights(run.folder.path)).toBe(await weights(trained));
    expect(readdirSync(run.folder.path).sort()).toEqual(files);
  });

  test('brings its techniques along', async () => {
    const techniques = {
      schedule: parseSchedule({ OneCycleLR: { phasePct: 0.4 } }),
      transforms: parseTransforms('RandomAffine(10, translate=[0.1, 0.1])').toJSON() ?? [],
      classWeight: 'auto',
      sampler: 'balanced',
      accumulateGradBatches: 3,
      clipGradNorm: 1,
    } as const;
    const settings = (name: string) => ({ ...options(name), changes: { ...options(name).changes, techniques } });
    const whole = await Run.create(settings('techniques'));
    await whole.train();
    const run = await Run.create(settings('techniques stopped'));
    const controller = new AbortController();
    const interrupt: Callback = {
      onBatchEnd: ({ epoch, batch }) => {
        if (epoch === 2 && batch === 7) controller.abort();
      },
    };
    await run.train({ callbacks: [interrupt], signal: controller.signal });
    expect(run.folder.state.training).toMatchObject({ epoch: 2, batch: 9, steps: 20 });
    const resumed = await Run.resume(run.folder.path, { dataDir });
    await resumed.train();
    expect(resumed.folder.history).toMatchObject(whole.folder.history.map(untimed));
    for (const name of ['weights.safetensors', 'optimizer.safetensors']) {
      const [one, other] = [whole, resumed].map(({ folder: { path } }) => fingerprint(join(path, name)));
      expect(await other, name).toEqual(await one);
    }
  });

  test('that has finished gets its report again, and nothing else', async () => {
    rmSync(join(folder, 'report.html'));
    const { evaluation } = await (await Run.resume(folder, { dataDir })).train({ tensorBoard: true });
    expect(readdirSync(folder).sort()).toEqual(files);
    expect(evaluation?.accuracy).toBe((await openRun(folder)).folder.history[1].evalAccuracy);
    expect(await fingerprint(join(folder, 'state.json'))).toEqual(await fingerprint(join(trained, 'state.json')));
  });

  test('needs the same images', async () => {
    const other = await smallMnist(root, { train: 490, name: 'others' });
    await expect(Run.resume(folder, { dataDir: other })).rejects.toThrow(/expected the images and labels of the run/);
  });

  test('is read whole while it trains, and cannot be resumed by another', async () => {
    const changes = { ...options('watched').changes, epochs: 1 };
    const run = await Run.create({ ...options('watched'), changes });
    let goesOn = true;
    const refusals: Promise<unknown>[] = [];
    const resume: Callback = {
      onBatchEnd: ({ batch }) => {
        if (batch % 5 === 0)
          refusals.push(Run.resume(run.folder.path, { dataDir }).catch((error: Error) => error.message));
      },
    };
    const training = run.train({ callbacks: [resume], saveSteps: 3 }).finally(() => {
      goesOn = false;
    });
    const seen = new Set<number>();
    while (goesOn) {
      if (!readdirSync(run.folder.path).includes('state.json')) await setTimeout(1);
      else seen.add((await openRun(run.folder.path)).folder.state.training.steps);
    }
    await training;
    expect(seen.size).toBeGreaterThan(3);
    const messages = await Promise.all(refusals);
    expect(messages).toHaveLength(10);
    for (const message of messages) expect(message).toMatch(/expected no other process to write there, got process/);
  });

  test('is read again by a run that has read an earlier state, also after the writer has ended', async () => {
    const run = await Run.create(options('generations'));
    const readers: RunFolder[] = [];
    const look: Callback = {
      onEpochSaved: async () => {
        readers.push(await RunFolder.open(run.folder.path));
      },
    };
    await run.train({ callbacks: [look] });
    const [early] = readers;
    expect(early.state.training.epoch).toBe(2);
    const network = namedModel('lenet').create({ numClasses: 10 }, [1, 28, 28]);
    await early.loadWeights(network);
    expect(early.state.training.epoch).toBe(3);
    const { tensors } = await loadSafetensors(join(run.folder.path, 'weights.safetensors'));
    for (const [name, parameter] of network.namedParameters()) {
      expect(await parameter.data()).toEqual(tensors.get(name)?.data);
    }
  });

  test('names the process that writes to a folder that cannot be read', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const began = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')[19];
    writeFileSync(join(folder, '.lock'), JSON.stringify({ host: hostname(), pid: child.pid, began }));
    writeFileSync(join(folder, 'weights.safetensors'), 'half of');
    const message = `; process ${child.pid} on ${hostname()} writes to the folder; wait for it, or read a copy`;
    await expect(openRun(folder)).rejects.toThrow(message);
    child.kill();
  });

  test('keeps others out of its folder', async () => {
    const run = await Run.create(options('locked'));
    const other = await Run.resume(run.folder.path, { dataDir });
    const errors: unknown[] = [];
    const intrude: Callback = {
      onEpochBegin: async ({ epoch }) => {
        if (epoch > 1) return;
        for (const work of [() => other.train(), () => slimRun(run.folder.path)]) {
          errors.push(await work().catch((error: unknown) => error));
        }
      },
    };
    await run.train({ callbacks: [intrude] });
    expect(errors).toHaveLength(2);
    for (const error of errors) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(/expected no other process to write there, got process \d+ on /);
    }
    // Now the folder is free, but the other run does not know the new state.
    await expect(other.train()).rejects.toThrow(/got one that another training has written to meanwhile/);
    expect(readdirSync(run.folder.path).sort()).toEqual(files);
  });

  test('does not save over another training that has taken its folder over', async () => {
    const run = await Run.create(options('stood still'));
    const path = run.folder.path;
    const lock = join(path, '.lock');
    const states: string[] = [];
    const takeOver: Callback = {
      onEpochBegin: async ({ epoch }) => {
        if (epoch !== 2) return;
        // As another process does after this one was silent for minutes.
        rmSync(lock);
        await (await Run.resume(path, { dataDir })).train();
        states.push(readFileSync(join(path, 'state.json'), 'utf8'));
      },
    };
    await expect(run.train({ callbacks: [takeOver] })).rejects.toThrow(
      /expected to be alone there, got another training that has taken the folder over; nothing was saved/,
    );
    expect([readFileSync(join(path, 'state.json'), 'utf8')]).toEqual(states);
    expect((await openRun(path)).folder.state.finished).toBe(true);
  });

  test('takes over from a process that is dead, and from none of another machine', async () => {
    const lock = join(folder, '.lock');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(lock, JSON.stringify({ host: hostname(), pid: dead, began: null }));
    await (await Run.resume(folder, { dataDir })).train();
    expect(readdirSync(folder)).not.toContain('.lock');
    writeFileSync(lock, JSON.stringify({ host: 'elsewhere', pid: dead, began: null }));
    await expect(Run.resume(folder, { dataDir })).rejects.toThrow(/on elsewhere; .* delete .*\.lock/);
  });
});

describe('a run without the state of its optimizer', () => {
  const optimizerFile = () => join(folder, 'optimizer.safetensors');
  const sizes = (names: readonly string[]) => names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

  test('is whole but for that, and cannot be resumed', async () => {
    const before = sizes(files);
    const told: number[] = [];
    const freed = await slimRun(folder, (bytes) => {
      told.push(bytes);
      expect(existsSync(optimizerFile())).toBe(true);
    });
    const left = files.filter((name) => name !== 'optimizer.safetensors');
    expect(readdirSync(folder).sort()).toEqual(left);
    // state.json has a few bytes less or more.
    expect(Math.abs(before - sizes(left) - freed)).toBeLessThan(200);
    expect(told).toEqual([freed]);
    const opened = await openRun(folder);
    const [ours, theirs] = [opened, await openRun(trained)].map(({ network }) => network.parameters()[0].data());
    expect(await ours).toEqual(await theirs);
    const message =
      /expected the optimizer's state, got a run from which `fovea slim` removed it on 20\d\d-.*cannot continue/;
    await expect(Run.resume(folder, { dataDir })).rejects.toThrow(message);
    const optimizer = makeOptimizer(opened.folder.config.recipe.optimizer, opened.network.parameters());
    await expect(opened.folder.loadOptimizer(optimizer, opened.network)).rejects.toThrow(message);
  });

  test('can be read if the removal was killed, and is slimmed by the next call', async () => {
    cpSync(optimizerFile(), join(root, 'kept'));
    const bytes = await slimRun(folder);
    cpSync(join(root, 'kept'), optimizerFile());
    writeFileSync(`${optimizerFile()}.new`, 'half');
    expect((await openRun(folder)).folder.history).toHaveLength(2);
    expect(await slimRun(folder)).toBe(bytes + 4);
    expect(await slimRun(folder)).toBe(0);
    expect(existsSync(optimizerFile())).toBe(false);
  });

  test('is not made of one that has been given more epochs', async () => {
    await Run.resume(folder, { dataDir, epochs: 3 });
    await expect(slimRun(folder)).rejects.toThrow(/got one that stands in epoch 3 of 3, after batch 0; resume it/);
  });

  test('is not made of one that is damaged', async () => {
    truncateSync(join(folder, 'weights.safetensors'), 100);
    await expect(slimRun(folder)).rejects.toThrow(FileError);
    expect(existsSync(optimizerFile())).toBe(true);
    await expect(slimRun(join(root, 'nothing'))).rejects.toThrow(/expected the folder of a training/);
  });
});

test('LeNet learns from 500 images', async () => {
  const changes = { epochs: 12, optimizer: 'adam', batchSize: 5 } as const;
  const run = await Run.create({ ...options('learned'), changes });
  const { evaluation } = await run.train();
  expect(evaluation?.accuracy).toBeGreaterThan(0.7);
});

describe('Run.create', () => {
  test('never touches a folder with something in it', async () => {
    const error = await Run.create({ ...options('x'), out: folder }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toBe(
      `[run] ${folder}: expected a new or empty folder, got one with 10 files (nothing is ever overwritten); ` +
        'resume that training (`resume`), or choose another `out`',
    );
    await expect(Run.create({ ...options('x'), out: join(folder, 'config.json') })).rejects.toThrow(InputError);
    expect(await fingerprint(join(folder, 'config.json'))).toEqual(await fingerprint(join(trained, 'config.json')));
  });

  test('gives a folder to one of several that want it at once', async () => {
    const { config } = await RunFolder.open(folder);
    const none = { files: null, pixels: null };
    const pictures = { format: 1, train: none, validation: none } as const;
    for (let i = 0; i < 20; i++) {
      const path = join(root, `at once ${i}`);
      if (i % 2 === 0) mkdirSync(path);
      const tries = await Promise.allSettled(Array.from({ length: 3 }, () => RunFolder.create(path, config, pictures)));
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const attempt of tries) {
        if (attempt.status === 'rejected') expect(attempt.reason).toBeInstanceOf(InputError);
      }
      expect(readdirSync(path).sort()).toEqual(['config.json', 'pictures.json']);
    }
    const names = ['at once 1', 'free', 'free-2'].map((name) => join(root, name));
    const made = await Promise.all([1, 2].map(() => RunFolder.create(names, config, pictures)));
    expect(made.map(({ path }) => path).sort()).toEqual(names.slice(1));
  });

  test('takes an empty folder', async () => {
    mkdirSync(join(root, 'empty'));
    await Run.create(options('empty'));
    expect(readdirSync(join(root, 'empty')).sort()).toEqual(['config.json', 'pictures.json']);
  });

  test('makes no folder if something else is wrong', async () => {
    const wrong = { ...options('none'), dataDir: join(root, 'nothing') };
    await expect(Run.create(wrong)).rejects.toThrow(FileError);
    expect(readdirSync(root)).not.toContain('none');
  });
});

test('two runs at once give the weights of each alone', async () => {
  const runOf = (name: string, seed: number) => Run.create({ ...options(name), seed });
  const other = await runOf('alone-4', 4);
  await other.train();
  const both = [await runOf('together-3', 3), await runOf('together-4', 4)];
  await Promise.all(both.map((run) => run.train()));
  const alone = [(await openRun(trained)).folder, other.folder];
  expect(both.map(({ folder }) => folder.weightsSha256)).toEqual(alone.map(({ weightsSha256 }) => weightsSha256));
});
