import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { KernelCall, StepRecord } from '../../src/engine/record.js';
import { currentEngine, setEngine } from '../../src/engine/select.js';
import { profileOf, traceOf } from '../../src/measure/profile.js';
import { Conv2D, Layer, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import { nameLayers } from '../../src/nn/layerHooks.js';
import { SGD } from '../../src/optimizer/index.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { runFovea } from '../cli/run.js';
import { fastEngines, noise } from '../engines.js';
import { temporaryFolder } from '../temporary.js';

class Net extends Layer {
  readonly block = new Sequential(new Conv2D(3, 32, 3, { padding: 1 }), new ReLU());
  readonly fc = new Linear(32 * 8 * 8, 20);

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.block.forward(x).flatten({ startAxis: 1 }));
  }
}

async function record(steps: number): Promise<StepRecord[]> {
  const network = new Net();
  const undo = nameLayers(network);
  const optimizer = new SGD({ parameters: network.parameters() });
  const records: StepRecord[] = [];
  for (let i = 0; i < steps; i++) {
    const run = async () => {
      const images = Tensor.fromData(noise([4, 3, 8, 8], 1).data, [4, 3, 8, 8]);
      const loss = F.crossEntropy(network.forward(images), Tensor.fromData(Int32Array.of(0, 1, 2, 3)));
      loss.backward();
      await optimizer.step();
      optimizer.clearGrad();
    };
    records.push((await currentEngine().record?.(run)) as StepRecord);
  }
  undo();
  expect(Object.hasOwn(network.fc, 'forward')).toBe(false);
  return records;
}

describe.each(fastEngines)('profile of %s', (engine) => {
  beforeEach(() => setEngine(engine));

  test('gives layer, part of the step and operations of each kernel', async () => {
    const [{ calls }] = await record(1);
    const find = (pattern: RegExp): KernelCall => {
      const found = calls.find(({ call }) => pattern.test(call.name));
      return (found ?? expect.fail(`no ${pattern}`)).call;
    };
    const positions = 4 * 8 * 8;
    expect(find(/^conv2d\+relu$/)).toMatchObject({ layer: 'block.0', part: 'forward', flops: 2 * positions * 32 * 27 });
    const weights = find(/^conv2dBackwardWeights$/);
    expect(weights).toMatchObject({ layer: 'block.0', part: 'backward', flops: 2 * positions * 32 * 27 });
    expect(find(/^linear$/)).toMatchObject({ layer: 'fc', part: 'forward', flops: 2 * 4 * 2048 * 20 });
    expect(find(/^crossEntropy$/)).toMatchObject({
      layer: '',
      part: 'forward',
      implementation: 'typescript',
      flops: 0,
    });
    expect(find(/^sgd/)).toMatchObject({ layer: '', part: 'update', flops: 0 });
    const { reads, writes, bytes } = find(/^reluBackward$/);
    expect([reads.length, writes.length, bytes]).toEqual([2, 1, 3 * 4 * positions * 32]);
  });

  test('sums up to the whole, and names changes of layout', async () => {
    const records = await record(3);
    const profile = profileOf(records);
    const { kernelMs, otherMs, stepMs, floorMs, kernels, layers, reorders, steps } = profile;
    expect(steps).toBe(3);
    for (const table of [kernels, layers]) {
      expect(table.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      expect(table.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(kernelMs, 9);
    }
    expect(layers.map(({ layer }) => layer)).toEqual(expect.arrayContaining(['block.0', 'fc', '']));
    const conv = layers.find(({ layer }) => layer === 'block.0');
    expect((conv?.forwardMs ?? 0) + (conv?.backwardMs ?? 0)).toBeCloseTo(conv?.ms ?? -1, 9);
    expect(otherMs).toBeGreaterThan(0);
    expect(otherMs).toBeLessThan(stepMs);
    expect(floorMs).toBeGreaterThan(0);
    expect(floorMs).toBeLessThanOrEqual(kernelMs);
    for (const { ms, calls } of records) expect(calls.reduce((sum, call) => sum + call.ms, 0)).toBeLessThan(ms);
    expect(reorders.length).toBeGreaterThan(0);
    for (const { from, to } of reorders) expect(from).not.toBe(to);
  });

  test('writes complete events that do not overlap on their tracks', async () => {
    const records = await record(2);
    const { traceEvents } = JSON.parse(traceOf(records, 'test'));
    const complete = traceEvents.filter(({ ph }: { ph: string }) => ph === 'X');
    expect(complete).toHaveLength(2 + records[0].calls.length + records[1].calls.length);
    for (let track = 0; track < 4; track++) {
      const own = complete.filter(({ tid }: { tid: number }) => tid === track);
      expect(own.length).toBeGreaterThan(0);
      own.sort((a: { ts: number }, b: { ts: number }) => a.ts - b.ts);
      for (let i = 1; i < own.length; i++) expect(own[i].ts).toBeGreaterThanOrEqual(own[i - 1].ts + own[i - 1].dur);
    }
    const conv = complete.find(({ name }: { name: string }) => name === 'conv2d+relu block.0');
    expect(conv.args).toMatchObject({
      layer: 'block.0',
      reads: expect.arrayContaining([expect.stringMatching(/^4x3x8x8:/)]),
    });
  });
});

describe('fovea bench --profile', () => {
  test.each(fastEngines)('prints the tables and writes the trace, on %s', async (engine) => {
    const file = join(temporaryFolder(), 'trace.json');
    const { code, out } = await runFovea(
      'bench',
      'lenet',
      '--batch=2',
      '--steps=2',
      '--warmup=1',
      `--trace=${file}`,
      `--engine=${engine}`,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/By kernel\n {2}kernel .*GFLOP\/s {2}GB\/s\n/);
    expect(out).toMatch(/\n {2}conv2 .*%/);
    expect(out).toMatch(/Changes of layout or type\n.*from/);
    expect(out).toContain(file);
    expect(JSON.parse(await readFile(file, 'utf8')).traceEvents.length).toBeGreaterThan(50);
  });

  test('prints JSON', async () => {
    const { out } = await runFovea(
      'bench',
      'lenet',
      '--batch=2',
      '--steps=2',
      '--warmup=1',
      '--profile',
      '--json',
      '--engine=onednn',
    );
    const { profile } = JSON.parse(out);
    expect(profile.steps).toBe(2);
    expect(profile.kernels[0]).toHaveProperty('implementation');
  });

  test('needs oneDNN', async () => {
    const { code, err } = await runFovea('bench', 'lenet', '--batch=2', '--engine=reference', '--profile');
    expect([code, err]).toEqual([
      2,
      'fovea: [bench] profile: expected an engine that records its kernels, got reference\n',
    ]);
  });
});
