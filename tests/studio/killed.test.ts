import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { RunFolder } from '../../src/run/folder.js';
import type { Job, RunList, TrainingList } from '../../src/studio/api.js';
import { type Studio, startStudio } from '../../src/studio/server.js';
import { buildProgram, compiledPackage } from '../compiled.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const root = join(folder, 'work');
let next: Studio | undefined;
afterAll(() => next?.close());

/** Requests of a page of a studio. */
function requestsTo(address: string) {
  const headers = { 'x-studio-token': new URL(address).searchParams.get('token') ?? '' };
  const json = async <T>(path: string, payload?: object): Promise<T> => {
    const post = {
      method: 'POST',
      body: JSON.stringify(payload),
      headers: { ...headers, 'content-type': 'application/json' },
    };
    const response = await fetch(new URL(path, address), payload === undefined ? { headers } : post);
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  };
  return { json };
}

it('a killed studio loses nothing: its training continues, and the next studio shows it', async () => {
  await writeRedAndBlue(join(root, 'photos'), 10);
  mkdirSync(join(folder, 'page'));
  writeFileSync(join(folder, 'page/index.html'), '');
  const options = { program: [process.execPath, buildProgram(join(folder, 'package'))], page: join(folder, 'page') };
  const server = pathToFileURL(join(compiledPackage(), 'dist/studio/server.js')).href;
  const script = `
import { startStudio } from ${JSON.stringify(server)};
console.log((await startStudio(${JSON.stringify(root)}, ${JSON.stringify(options)})).address);
`;
  const killed = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [address] = (await once(killed.stdout, 'data')) as [Buffer];
  const first = requestsTo(String(address).trim());
  const start = (name: string) =>
    first.json<Job>('/api/trainings', {
      model: 'lenet',
      data: 'folder:photos',
      name,
      options: { epochs: '20000', batchSize: '4', threads: '1', cache: 'true' },
    });
  const { id } = await start('a');
  await start('b');
  const queue = () => readFileSync(join(root, '.fovea-studio/trainings/queue.json'), 'utf8');
  while (!queue().includes('"process"')) await new Promise((resolve) => setTimeout(resolve, 10));
  // The training prepares, and has no folder yet.
  killed.kill('SIGKILL');
  await once(killed, 'exit');

  next = await startStudio(root, { ...options, program: ['none'] });
  const { json } = requestsTo(next.address);
  const states = async () => (await json<TrainingList>('/api/trainings')).jobs.map(({ state }) => state);
  expect(await json<TrainingList>('/api/trainings')).toMatchObject({ held: true });
  expect(await states()).toEqual(['running', 'waiting']);
  const epochs = async () => (await json<RunList>('/api/runs')).runs[0]?.epochs ?? 0;
  while ((await epochs()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await json<RunList>('/api/runs')).runs).toMatchObject([{ name: 'runs/a', running: true, finished: false }]);
  await json('/api/trainings/stop', { id });
  while ((await states())[0] === 'running') await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await states()).toEqual(['stopped', 'waiting']);
  const { runs, broken } = await json<RunList>('/api/runs');
  expect([runs.map(({ running }) => running), broken]).toEqual([[false], []]);
  // Weights, optimizer and metrics are of one state.
  expect((await RunFolder.open(join(root, 'runs/a'))).state.finished).toBe(false);
});
