import files, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { setThreads } from '../../src/engine/select.js';
import { FileError } from '../../src/errors.js';
import { RunFolder } from '../../src/run/folder.js';
import { SweepFolder } from '../../src/sweep/folder.js';
import { keyOf } from '../../src/sweep/journal.js';
import { folderOf, runJob } from '../../src/sweep/trial.js';
import { work } from '../../src/sweep/work.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
let dataDir = '';

beforeAll(async () => {
  setThreads(1);
  dataDir = await smallMnist(root, { train: 30, test: 20 });
});

const asked = () => ({
  model: 'zoo-lenet',
  data: 'mnist',
  dataDir,
  epochs: 2,
  batchSize: 10,
  lr: { log: [1e-3, 1e-1] },
  sweep: { trials: 2, seeds: 2, best: 1, asha: false },
});

const { open, writeFile } = files;

function emptyDisk(): void {
  Object.assign(files, { open, writeFile });
  syncBuiltinESMExports();
}

afterEach(emptyDisk);

/** From the n-th file on that is opened to write below a folder, every write fails as on a full disk, after a part. */
function fillDisk(folder: string, n: number): void {
  const [errno] = [...getSystemErrorMap()].find(([, [name]]) => name === 'ENOSPC') ?? [];
  const full = () => Promise.reject(Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC', errno }));
  const handles = new WeakSet<object>();
  let opened = 0;
  const failing = async (...args: Parameters<typeof open>): Promise<FileHandle> => {
    const handle = await open(...args);
    const [path, flags = 'r'] = args;
    if (!String(path).startsWith(folder) || !/[wa]/.test(String(flags)) || ++opened < n) return handle;
    await handle.write('{"');
    handles.add(handle);
    return Object.assign(handle, { write: full, writev: full, writeFile: full, appendFile: full });
  };
  const failingWrite = (...args: Parameters<typeof writeFile>): Promise<void> => {
    return typeof args[0] === 'object' && handles.has(args[0]) ? full() : writeFile(...args);
  };
  Object.assign(files, { open: failing, writeFile: failingWrite });
  syncBuiltinESMExports();
}

const resultsIn = async (folder: SweepFolder) =>
  (await folder.journal.read()).flatMap((event) =>
    event.event === 'claim' ? [] : [{ key: keyOf(event.job), outcome: 'value' in event ? event.value : event.why }],
  );

const weightsIn = async (folder: SweepFolder) => {
  const jobs = (await folder.journal.read()).map(({ job }) => folderOf(folder.path, job));
  return Promise.all([...new Set(jobs)].map(async (path) => (await RunFolder.open(path)).weightsSha256));
};

const train = (folder: SweepFolder) =>
  work(folder, { run: (job) => runJob(folder.path, folder.definition, job, { onNote: () => {} }) });

test('a disk that is full at any file ends the sweep, which continues as if nothing had happened', async () => {
  const whole = await SweepFolder.create(join(root, 'whole'), asked(), 'file');
  expect(await train(whole)).toBe(true);
  const folder = await SweepFolder.create(join(root, 'full'), asked(), 'file');
  for (const n of [1, 4, 9, 17, 30]) {
    fillDisk(folder.path, n);
    const failed = await train(folder).then(
      () => null,
      (error: unknown) => error,
    );
    emptyDisk();
    expect(failed, `file ${n}`).toBeInstanceOf(FileError);
    expect(String(failed)).toMatch(/ENOSPC: no space left on device; free some space/);
    // No result of a disk is a result of a trial.
    expect((await resultsIn(folder)).every(({ outcome }) => typeof outcome === 'number')).toBe(true);
  }
  expect(await train(await SweepFolder.open(folder.path))).toBe(true);
  expect(await resultsIn(folder)).toEqual(await resultsIn(whole));
  expect(await weightsIn(folder)).toEqual(await weightsIn(whole));
});
