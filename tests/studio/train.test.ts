import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { childProcess, thisProcess } from '../../src/io/files/owner.js';
import type { Job, NetworkLayers, TrainForm, TrainingEstimate, TrainingList } from '../../src/studio/api.js';
import type { LiveFeatures } from '../../src/studio/featuresApi.js';
import { folderPerTest } from '../temporary.js';
import { type TestStudio, testStudio } from './studioApp.js';

/** In place of the command line: trains until it is asked to end, or one step. */
const fake = `
const [command, ...words] = process.argv.slice(2);
const print = (value) => console.log(JSON.stringify(value));
if (words.includes('--dry-run')) print({ memory: { batch: 20, bytes: 5, available: 9 }, time: { seconds: 3, batchMs: 10 }, notes: [] });
else if (words.includes('--lr=0')) {
  console.error('fovea: [lr] expected more, got 0');
  process.exitCode = 2;
} else {
  const end = (completed, code) => {
    print({ event: 'end', completed });
    process.exitCode = code;
    clearInterval(timer);
  };
  const timer = setInterval(() => {}, 1000);
  process.on('SIGTERM', () => end(false, 143));
  print({ event: 'start', words });
  if (!words.includes('--epochs=9')) end(true, 0);
}
`;

let root: string;
let studio: TestStudio;
const program = () => [process.execPath, `${root}.fake.mjs`];
folderPerTest((folder) => {
  root = join(folder, 'work');
  mkdirSync(join(root, 'photos/cat'), { recursive: true });
  mkdirSync(join(folder, 'outside'));
  symlinkSync(join(folder, 'outside'), join(root, 'linked'));
  writeFileSync(`${root}.fake.mjs`, fake);
});
beforeEach(async () => {
  studio = await testStudio(root, program());
});
afterEach(() => studio.app.close());

const start = (name: string, options: Record<string, string> = {}, data = 'mnist') =>
  studio.post<Job>('/api/trainings', { model: 'lenet', data, name, options });
const list = () => studio.json<TrainingList>('/api/trainings');
/** Waits until a training has written its first event. */
const begun = async (id: string) => {
  const events = join(root, '.fovea-studio/trainings', `${id}.jsonl`);
  while (!existsSync(events) || !readFileSync(events, 'utf8').includes('start')) await new Promise(setImmediate);
};
const until = async (states: readonly string[]) => {
  for (;;) {
    const { jobs } = await list();
    if (jobs.map(({ state }) => state).join() === states.join()) return jobs;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

it('has the options of the command line, networks with their recipes, and the data of the folder', async () => {
  const { options, models, data } = await studio.json<TrainForm>('/api/train/form');
  expect(options.find(({ key }) => key === 'batchSize')).toMatchObject({ flag: '--batch-size', kind: 'number' });
  expect(options.find(({ key }) => key === 'optimizer')?.choices).toContain('adam');
  expect(models.find(({ name }) => name === 'lenet')?.recipe.batchSize).toBeGreaterThan(0);
  expect(data).toEqual(expect.arrayContaining(['folder:photos', 'mnist']));
  expect(data).not.toContain('folder:linked');
});

it('trains one after another, by the command line, and gives the events', async () => {
  const first = await start('a', { epochs: '9', batchSize: '7' });
  expect(first.words).toEqual(['train', 'lenet', '--data=mnist', '--out=runs/a', '--epochs=9', '--batch-size=7']);
  await start('b', {}, 'folder:photos');
  await start('c');
  expect((await list()).jobs.map(({ state }) => state)).toEqual(['running', 'waiting', 'waiting']);
  await studio.post('/api/trainings/stop', { id: (await list()).jobs[2].id });
  await until(['running', 'waiting']);
  await begun(first.id);
  await studio.post('/api/trainings/stop', { id: first.id });
  const [, second] = await until(['stopped', 'finished']);
  const { body } = await studio.ask(`/api/trainings/events?id=${second.id}`);
  expect(body).toMatch(
    /^retry: 1000\n\ndata: \{"event":"start","words":\["--json",.*\ndata: .*"completed":true\}\n\nevent: over\n/s,
  );
});

it('shows why a training failed, and refuses a name that is taken, other places and strange options', async () => {
  await start('a', { lr: '0' });
  const [{ message }] = await until(['failed']);
  expect(message).toBe('[lr] expected more, got 0');
  mkdirSync(join(root, 'runs/taken'), { recursive: true });
  const refusals: [object, number][] = [
    [{ name: 'taken' }, 422],
    [{ name: '../a' }, 422],
    [{ name: '--resume' }, 422],
    [{ model: '--help' }, 422],
    [{ data: 'folder:../outside' }, 403],
    [{ data: 'folder:linked' }, 403],
    [{ data: 'folder:none' }, 404],
    [{ options: { out: 'elsewhere' } }, 422],
    [{ options: { none: '1' } }, 422],
  ];
  for (const [change, status] of refusals) {
    const payload = { model: 'lenet', data: 'mnist', name: 'new', options: {}, ...change };
    const { status: got } = await studio.ask('/api/trainings', { method: 'POST', payload });
    expect([change, got]).toEqual([change, status]);
  }
  expect((await list()).jobs).toHaveLength(1);
});

it('keeps the queue when the studio ends, and waits for a person then', async () => {
  await start('a', { epochs: '9' });
  await start('b');
  await until(['running', 'waiting']);
  await studio.app.close();
  studio = await testStudio(root, program());
  expect((await list()).held).toBe(true);
  await until(['stopped', 'waiting']);
  await studio.post('/api/trainings/release', {});
  await until(['stopped', 'finished']);
});

it('shows two tabs the same: a training of one is seen and paused in the other, and a name is taken once', async () => {
  const payload = { model: 'lenet', data: 'mnist', name: 'a', options: { epochs: '9' } };
  const tabs = await Promise.all([1, 2].map(() => studio.ask('/api/trainings', { method: 'POST', payload })));
  const [first, second] = tabs.toSorted((a, b) => a.status - b.status);
  expect(first.status).toBe(200);
  expect([409, 422]).toContain(second.status);
  const [{ id }] = await until(['running']);
  expect(id).toBe(JSON.parse(first.body).id);
  // Both tabs follow its events from the start.
  const [one, other] = [1, 2].map(() => studio.ask(`/api/trainings/events?id=${id}`));
  await begun(id);
  await studio.post('/api/trainings/stop', { id });
  await until(['stopped']);
  const { body } = await one;
  expect(body).toContain('"event":"end"');
  expect((await other).body).toBe(body);
  const resumed = await studio.ask('/api/trainings', { method: 'POST', payload: { ...payload, name: 'b' } });
  expect(resumed.status).toBe(200);
});

/** Writes the files of a training whose studio was killed. */
function leave({ end = '', problem = '', process }: { end?: string; problem?: string; process?: object }): void {
  const folder = join(root, '.fovea-studio/trainings');
  const id = '0123456789ab';
  writeFileSync(join(folder, `${id}.jsonl`), `{"event":"start"}\n${end}`);
  writeFileSync(join(folder, `${id}.txt`), `fovea: a note\n${problem}`);
  const job = { id, run: 'runs/left', words: ['train', 'lenet'], state: 'running', message: null, process };
  writeFileSync(join(folder, 'queue.json'), JSON.stringify({ format: 1, jobs: [job] }));
}

it('shows the true state of a training that ended while no studio was there', async () => {
  const gone = { ...(await thisProcess()), began: '1' };
  const states: [Parameters<typeof leave>[0], string, string | null][] = [
    [{ end: '{"event":"end","completed":true}\n' }, 'finished', null],
    [{ end: '{"event":"end","completed":false}\n', process: gone }, 'stopped', null],
    [{ process: gone }, 'stopped', null],
    [{ problem: 'fovea: [lr] expected more, got 0\n', process: gone }, 'failed', '[lr] expected more, got 0'],
  ];
  for (const [left, state, message] of states) {
    leave(left);
    const next = await testStudio(root, program());
    const { jobs } = await next.json<TrainingList>('/api/trainings');
    expect([left, jobs.map((job) => [job.state, job.message])]).toEqual([left, [[state, message]]]);
    await next.app.close();
  }
});

it('shows a training that continues after its studio was killed, and ends it with the next studio', async () => {
  const training = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  leave({ process: await childProcess(training.pid as number) });
  const next = await testStudio(root, program());
  const { jobs } = await next.json<TrainingList>('/api/trainings');
  // The page learns nothing of processes.
  expect(jobs).toEqual([expect.objectContaining({ state: 'running' })]);
  expect(jobs[0]).not.toHaveProperty('process');
  await Promise.all([once(training, 'exit'), next.app.close()]);
  expect(readFileSync(join(root, '.fovea-studio/trainings/queue.json'), 'utf8')).toContain('"stopped"');
});

it('walks through the shapes of a network: for a size, and for the classes of a folder', async () => {
  const walk = (query: string) => studio.json<NetworkLayers>(`/api/train/layers?${query}`);
  const lenet = await walk('model=lenet');
  expect([lenet.input, lenet.layers.at(-1)?.shape]).toEqual([
    [1, 28, 28],
    [1, 10],
  ]);
  for (const [name, file] of [
    ['cat', 'a.png'],
    ['dog', 'b.png'],
    ['owl', 'c.png'],
  ]) {
    mkdirSync(join(root, 'photos', name), { recursive: true });
    writeFileSync(join(root, 'photos', name, file), '');
  }
  const small = await walk('model=zoo-squeezenet1_1&size=64,96&data=folder:photos');
  expect(small.input).toEqual([3, 64, 96]);
  expect(small.layers[0].shape.slice(2)).toEqual([32, 48]);
  expect(small.layers.at(-1)?.shape[1]).toBe(3);
  for (const query of ['model=none', 'model=lenet&size=64', 'model=lenet&size=x', 'size=8']) {
    expect([query, (await studio.ask(`/api/train/layers?${query}`)).status]).toEqual([query, 422]);
  }
});

it('has neither layers nor features of a training whose folder is not made yet', async () => {
  const { id } = await start('a');
  expect((await studio.ask(`/api/trainings/layers?id=${id}`)).status).toBe(404);
  const features = await studio.json<LiveFeatures>(`/api/trainings/features?id=${id}&index=0`);
  expect([features.epoch, features.image]).toEqual([0, null]);
  expect((await studio.ask('/api/trainings/features?id=none&index=0')).status).toBe(404);
});

it('estimates by the command line', async () => {
  const body = { model: 'lenet', data: 'mnist', name: 'a', options: {} };
  const estimate = await studio.post<TrainingEstimate>('/api/train/estimate', body);
  expect(estimate).toMatchObject({ stepMs: 10, imagesPerSecond: 2000, seconds: 3, memoryBytes: 5 });
  expect((await list()).jobs).toEqual([]);
});
