import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { RandomGenerator } from '../../src/random.js';
import { SweepFolder } from '../../src/sweep/folder.js';
import { keyOf } from '../../src/sweep/journal.js';
import { compileInto } from '../compiled.js';
import { fuzzing } from '../fuzzing.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const program = join(root, 'program');

/**
 * A worker whose jobs take some milliseconds and keep a file as their state, as trainings do. It prints a line a job, so that
 * kills can fall into any of them.
 */
const script = `
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SweepFolder } from './sweep/folder.js';
import { folderOf } from './sweep/trial.js';
import { work } from './sweep/work.js';
const folder = await SweepFolder.open(process.argv[2]);
const run = async (job) => {
  const path = folderOf(folder.path, job);
  mkdirSync(path, { recursive: true });
  const state = join(path, 'state');
  for (let epoch = existsSync(state) ? Number(readFileSync(state, 'utf8')) : 0; epoch < job.epochs; epoch++) {
    console.log('epoch');
    await new Promise((resolve) => setTimeout(resolve, 2));
    writeFileSync(state + '.new', String(epoch + 1));
    renameSync(state + '.new', state);
  }
  return { value: 0.9 - 0.1 * Math.abs(Math.log10(job.values.lr ?? 0.001) + 2) - 0.2 / job.epochs + 0.001 * job.seed };
};
console.log('begun');
process.exit((await work(folder, { run })) ? 0 : 3);
`;

const asked = (trials: number) => ({
  model: 'lenet',
  data: 'mnist',
  epochs: 9,
  lr: { log: [1e-4, 1e-1] },
  sweep: { trials, seeds: 2, best: 2, asha: { minEpochs: 1 } },
});

beforeAll(() => {
  mkdirSync(program);
  compileInto(program);
  writeFileSync(join(program, 'worker.js'), script);
});

/** Runs a worker and kills it after so many lines and milliseconds; resolves with its exit code or signal. */
function worker(
  folder: string,
  kill?: { readonly lines: number; readonly milliseconds: number },
): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(program, 'worker.js'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let lines = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = lines;
      lines += text.split('\n').length - 1;
      if (kill !== undefined && before < kill.lines && lines >= kill.lines) {
        setTimeout(() => child.kill('SIGKILL'), kill.milliseconds);
      }
    });
    child.on('close', (code, signal) => resolve(signal ?? code ?? -1));
  });
}

const resultsIn = async (folder: SweepFolder) =>
  (await folder.journal.read()).flatMap((event) =>
    event.event === 'done' ? [`${keyOf(event.job)} ${JSON.stringify(event.job.values)} ${event.value}`] : [],
  );

/** FOVEA_FUZZ=1000 kills a thousand workers. */
const kills = fuzzing('kills of workers', 2);

test('killed workers lose no trial, double none, and leave a journal that can be read', {
  timeout: kills.timeout,
}, async () => {
  const generator = new RandomGenerator(kills.seed);
  const trials = kills.numRuns < 20 ? 4 : 20;
  const whole = await SweepFolder.create(join(root, 'whole'), asked(trials), 'file');
  expect(await worker(whole.path)).toBe(0);
  const wanted = await resultsIn(whole);
  let killed = 0;
  for (let sweep = 1; killed < kills.numRuns; sweep++) {
    const folder = await SweepFolder.create(join(root, `killed-${sweep}`), asked(trials), 'file');
    let code: number | string = 'SIGKILL';
    while (code === 'SIGKILL' && killed < kills.numRuns) {
      code = await worker(folder.path, { lines: 1 + generator.int(6), milliseconds: generator.int(5) });
      expect([0, 'SIGKILL']).toContain(code);
      if (code === 'SIGKILL') killed++;
    }
    expect(await worker(folder.path)).toBe(0);
    expect(await resultsIn(folder), `sweep ${sweep}`).toEqual(wanted);
  }
});

test('two workers of which one is killed again and again do each job once', { timeout: kills.timeout }, async () => {
  const generator = new RandomGenerator(kills.seed).fork('two');
  const folder = await SweepFolder.create(join(root, 'two'), asked(4), 'file');
  let ended = false;
  const steady = worker(folder.path).finally(() => {
    ended = true;
  });
  const most = Math.min(kills.numRuns, 20);
  for (let kill = 0; kill < most && !ended; kill++) {
    await worker(folder.path, { lines: 1 + generator.int(4), milliseconds: generator.int(5) });
  }
  expect(await steady).toBe(0);
  expect(await worker(folder.path)).toBe(0);
  const results = await resultsIn(folder);
  const keys = results.map((line) => line.replace(/ \{.*/, ''));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.filter((key) => / to 1$/.test(key)).length).toBe(4);
});
