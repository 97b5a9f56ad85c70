import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { snapshot } from '../../src/io/snapshot.js';
import { Adam, AdamW, type Optimizer, SGD } from '../../src/optimizer/index.js';
import { compilationCount } from '../../src/runtime/realize.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import { Parameter } from '../../src/tensor/state.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';

const ones = () => new Parameter(Float32Array.of(1, 1), [2]);
const first = async (p: Tensor) => (await p.data())[0];

/** A step in which each of the parameters has the gradient 1. */
async function step(optimizer: Optimizer, parameters: readonly Parameter[]): Promise<void> {
  for (const parameter of parameters) parameter.sum().backward();
  await optimizer.step();
  optimizer.clearGrad();
}

describe.each([
  ['reference', ''],
  ['onednn', '1'],
  ['onednn', '0'],
] as const)('%s, FOVEA_CODE=%s: parameters that are not part of every step', (engine, code) => {
  beforeEach(() => {
    setEngine(engine);
    if (code !== '') vi.stubEnv('FOVEA_CODE', code);
  });
  afterEach(() => vi.unstubAllEnvs());

  // Under an even gradient, Adam moves by the rate in every step: both moments are the gradient once their bias is corrected.
  it.each([
    ['Adam', (parameters: Parameter[]) => new Adam({ parameters, learningRate: 0.1 })],
    ['AdamW', (parameters: Parameter[]) => new AdamW({ parameters, learningRate: 0.1, weightDecay: 0 })],
  ])('%s corrects the bias by the steps of the parameter', async (_, make) => {
    const [early, late] = [ones(), ones()];
    const optimizer = make([early, late]);
    for (let i = 0; i < 20; i++) await step(optimizer, [early]);
    const compiled = [];
    for (let i = 1; i <= 3; i++) {
      await step(optimizer, [early, late]);
      expect(await first(late)).toBeCloseTo(1 - 0.1 * i, 5);
      compiled.push(compilationCount());
    }
    expect(compiled[2]).toBe(compiled[0]);
    expect(await first(early)).toBeCloseTo(1 - 0.1 * 23, 4);
    expect(optimizer.steps).toBe(23);
  });

  it('continues from a saved state to the same bits, and from one without counts', async () => {
    const make = () => {
      const parameters = [ones(), ones()];
      const named = new Map(parameters.map((parameter, i) => [`p${i}`, parameter]));
      return { parameters, named, optimizer: new Adam({ parameters, learningRate: 0.1 }) };
    };
    const { parameters, named, optimizer } = make();
    for (let i = 0; i < 4; i++) await step(optimizer, parameters.slice(0, 1));
    await step(optimizer, parameters);
    const saved = await snapshot(optimizer.stateDict(named));
    expect(saved.get('p1.updates')?.data).toEqual(Int32Array.of(1));
    expect(saved.has('p0.updates')).toBe(false);
    const goOn = async (entries: typeof saved) => {
      const again = make();
      for (const [i, parameter] of again.parameters.entries()) parameter.load(await parameters[i].data());
      again.optimizer.loadStateDict(again.named, entries, { steps: 5 });
      await step(again.optimizer, again.parameters);
      return again.parameters;
    };
    const back = await goOn(saved);
    // Files of earlier versions have one count for all.
    const old = await goOn(new Map([...saved].filter(([key]) => key !== 'p1.updates')));
    await step(optimizer, parameters);
    for (const i of [0, 1]) expect(await back[i].data()).toEqual(await parameters[i].data());
    expect(await old[0].data()).toEqual(await parameters[0].data());
    expect(await first(old[1])).not.toBe(await first(parameters[1]));
  });
});

describe.each(engines)('%s: counts of updates', (engine) => {
  beforeEach(() => setEngine(engine));

  it('stay as they are where a step fails, and where states are not loaded', async () => {
    const parameters = [ones(), ones()];
    const named = new Map(parameters.map((parameter, i) => [`p${i}`, parameter]));
    const optimizer = new Adam({ parameters, learningRate: 0.1 });
    parameters[0]
      .div(tensor([0, 0]))
      .sum()
      .backward();
    await expect(optimizer.step({ finiteLoss: true })).rejects.toThrow('expected a finite number');
    optimizer.clearGrad();
    // The same where the loss has been read before the step.
    const loss = parameters[0].div(tensor([0, 0])).sum();
    loss.backward();
    await loss.data();
    await expect(optimizer.step({ finiteLoss: true })).rejects.toThrow('expected a finite number');
    optimizer.clearGrad();
    expect(await first(parameters[0])).toBe(1);
    await step(optimizer, parameters);
    expect(await first(parameters[0])).toBeCloseTo(0.9, 5);

    // The second parameter has another shape in the file: its moments stay zero, and so does its count.
    const states = await snapshot(optimizer.stateDict(named));
    states.set('p1.moment1', { shape: [1], dtype: 'float32', data: Float32Array.of(1) });
    const fresh = new Map([...named.keys()].map((name) => [name, ones()]));
    const other = new Adam({ parameters: [...fresh.values()], learningRate: 0.1 });
    const skipped = other.loadStateDict(fresh, states, { steps: 1000, skipMismatch: true });
    expect(skipped.map(({ name }) => name)).toEqual(['p1.moment1']);
    await step(other, [...fresh.values()]);
    expect(await first(fresh.get('p1') as Parameter)).toBeCloseTo(0.9, 5);
    expect(other.steps).toBe(1001);
  });

  it('are refused if they are none', async () => {
    const parameters = [ones()];
    const named = new Map([['p', parameters[0]]]);
    const optimizer = new Adam({ parameters });
    const states = await snapshot(optimizer.stateDict(named));
    for (const bad of [Int32Array.of(-1), Float32Array.of(0.5), Int32Array.of(1, 2)]) {
      const dtype = bad instanceof Int32Array ? 'int32' : 'float32';
      const entries = new Map([...states, ['p.updates', { shape: [bad.length], dtype, data: bad }] as const]);
      expect(() => optimizer.loadStateDict(named, entries, { steps: 3 })).toThrow(
        '[optimizer] state p.updates: expected one integer of at least 0',
      );
    }
  });

  it('make no difference to optimizers without a correction', async () => {
    const parameters = [ones(), ones()];
    const optimizer = new SGD({ parameters, learningRate: 0.1 });
    await step(optimizer, parameters.slice(0, 1));
    expect(optimizer.stateDict(new Map([['p', parameters[1]]])).size).toBe(0);
  });
});

it.each([NaN, -1, '0.1', null, { learningRate: 0.1 }])('refuses the learning rate %j', (learningRate) => {
  const parameters = [ones()];
  expect(() => new SGD({ parameters, learningRate } as never)).toThrow(
    '[optimizer] learningRate: expected a finite number of at least 0, or a schedule, got',
  );
});
