import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { setThreads } from '../../src/engine/select.js';
import { RunFolder } from '../../src/run/folder.js';
import { sweepOf } from '../../src/sweep/definition.js';
import type { Job } from '../../src/sweep/journal.js';
import { folderOf, runJob } from '../../src/sweep/trial.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
let dataDir = '';

beforeAll(async () => {
  setThreads(1);
  dataDir = await smallMnist(root, { train: 40, test: 20 });
});

const definition = () =>
  sweepOf({ model: 'lenet', data: 'mnist', dataDir, epochs: 3, batchSize: 10, lr: { log: [1e-3, 1] } }, 'file');
const jobOf = (trial: number, epochs: number): Job => ({
  kind: 'trial',
  trial,
  seed: 0,
  epochs,
  values: { ...definition().base, lr: 0.01 },
});

test('a trial that is stopped by a signal saves its state, continues, and is not trained again once it is done', async () => {
  const aborter = new AbortController();
  let batches = 0;
  const callbacks = [{ onBatchEnd: () => void (++batches === 6 && aborter.abort()) }];
  const stopped = await runJob(root, definition(), jobOf(1, 3), { callbacks, signal: aborter.signal });
  expect(stopped).toBeNull();
  const path = folderOf(root, jobOf(1, 3));
  expect((await RunFolder.open(path)).state.training).toMatchObject({ epoch: 2, batch: 2 });
  const done = await runJob(root, definition(), jobOf(1, 3));
  const whole = await runJob(root, definition(), jobOf(2, 3));
  expect(done).toEqual(whole);
  let trained = 0;
  const count = [{ onBatchEnd: () => void trained++ }];
  expect(await runJob(root, definition(), jobOf(1, 3), { callbacks: count })).toEqual(done);
  expect(trained).toBe(0);
});

test('a batch that does not fit into the memory is a result', async () => {
  vi.stubEnv('FOVEA_MEMORY_LIMIT', '100KiB');
  const outcome = await runJob(root, definition(), jobOf(3, 1)).finally(() => vi.unstubAllEnvs());
  expect(outcome).toMatchObject({ why: 'memory' });
  expect(existsSync(join(folderOf(root, jobOf(3, 1)), 'config.json'))).toBe(false);
});

test('a layer that does not exist and a loss that is not finite are results, with their reasons', async () => {
  const job = jobOf(4, 1);
  const frozen = await runJob(root, definition(), { ...job, values: { ...job.values, freeze: 'conv9*' } });
  expect(frozen).toMatchObject({ why: 'refused', reason: expect.stringMatching(/did you mean conv\d\?/) });
  const diverged = await runJob(root, definition(), { ...jobOf(5, 1), values: { ...job.values, lr: 1e30 } });
  expect(diverged).toMatchObject({ why: 'diverged', reason: expect.stringContaining('expected a finite number') });
});
