import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { setEngine, setPrecision, setThreads } from '../../src/engine/select.js';
import { defaultGenerator } from '../../src/random.js';
import { Run } from '../../src/run/run.js';
import { itWith } from '../needs.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
let dataDir = '';
beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root, { train: 60, test: 20 });
});

function create(name: string, seed: number): Promise<Run> {
  return Run.create({ model: 'lenet', data: 'mnist', dataDir, seed, out: join(root, name), changes: { epochs: 2 } });
}

const weightsIn = (name: string) => readFileSync(join(root, name, 'weights.safetensors'));

it('runs that are trained at the same time have a generator each', async () => {
  const before = defaultGenerator().state();
  for (const seed of [1, 2]) await (await create(`alone-${seed}`, seed)).train();
  const [first, second] = await Promise.all([create('together-1', 1), create('together-2', 2)]);
  await Promise.all([first.train(), second.train()]);
  expect(weightsIn('together-1').equals(weightsIn('alone-1'))).toBe(true);
  expect(weightsIn('together-2').equals(weightsIn('alone-2'))).toBe(true);
  expect(weightsIn('alone-1').equals(weightsIn('alone-2'))).toBe(false);
  expect(defaultGenerator().state()).toEqual(before);
});

it('a run that is resumed beside another ends with the same bits', async () => {
  const controller = new AbortController();
  const run = await create('stopped', 1);
  const stop = { onBatchEnd: () => controller.abort() };
  await run.train({ signal: controller.signal, callbacks: [stop] });
  const [resumed, other] = [await Run.resume(join(root, 'stopped')), await create('other', 2)];
  await Promise.all([resumed.train(), other.train()]);
  expect(weightsIn('stopped').equals(weightsIn('alone-1'))).toBe(true);
});

itWith('bf16', 'a run keeps the precision that it was opened with', async () => {
  const run = await create('precise', 1);
  setPrecision('bf16');
  try {
    await run.train();
  } finally {
    setPrecision('float32');
  }
  expect(weightsIn('precise').equals(weightsIn('alone-1'))).toBe(true);
});
