import { expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { Linear } from '../../src/nn/index.js';
import { Adam, AdamW, Momentum, SGD } from '../../src/optimizer/index.js';
import { Tensor } from '../../src/tensor/tensor.js';

setEngine('reference');

const x = Tensor.fromData(Float32Array.of(1, 2, 3, 4), [2, 2]);

async function step(net: Linear, optimizer: SGD | Momentum | Adam): Promise<void> {
  net.forward(x).square().mean().backward();
  await optimizer.step();
  optimizer.clearGrad();
}

const weightOf = async (net: Linear) => Array.from(await net.weight.data('float32'));

test('the average of parameters follows its formula, changes places with them, and is saved and loaded', async () => {
  const net = new Linear(2, 1);
  const optimizer = new SGD({ parameters: net.parameters(), learningRate: 0.01, average: 0.3 });
  let average: number[] = [];
  for (let t = 1; t <= 4; t++) {
    await step(net, optimizer);
    const latest = await weightOf(net);
    const decay = t === 1 ? 0 : Math.min(0.3, (1 + t) / (10 + t));
    average = latest.map((value, i) => decay * (average[i] ?? 0) + (1 - decay) * value);
  }
  const latest = await weightOf(net);
  expect(optimizer.useAverages(true)).toBe(false);
  const held = await weightOf(net);
  held.forEach((value, i) => {
    expect(value).toBeCloseTo(average[i], 6);
  });
  const names = net.namedParameters();
  const states = optimizer.stateDict(names);
  expect([...states.keys()]).toContain('weight.latest');
  const entries = new Map(
    await Promise.all(
      [...states].map(
        async ([name, state]) => [name, { shape: state.shape, dtype: state.dtype, data: await state.data() }] as const,
      ),
    ),
  );
  const other = new SGD({ parameters: net.parameters(), learningRate: 0.01, average: 0.3 });
  other.loadStateDict(names, entries, { steps: 4 });
  expect(other.useAverages(false)).toBe(true);
  expect(await weightOf(net)).toEqual(latest);
});

test('a step that fails begins no average', async () => {
  const net = new Linear(2, 1);
  const optimizer = new SGD({ parameters: net.parameters(), learningRate: 0.01, average: 0.9 });
  net.forward(x).mul(Number.POSITIVE_INFINITY).square().mean().backward();
  await expect(optimizer.step({ finiteLoss: true })).rejects.toThrow();
  optimizer.clearGrad();
  const before = await weightOf(net);
  optimizer.useAverages(true);
  expect(await weightOf(net)).toEqual(before);
});

test.each([SGD, Momentum, Adam, AdamW])('%o multiplies the rate by the factor of a parameter', async (Kind) => {
  const weights = Float32Array.of(0.5, -0.5);
  const trained = async (rate: number, factor: number) => {
    const net = new Linear(2, 1);
    net.weight.load(weights);
    net.weight.learningRate = factor;
    const optimizer = new Kind({ parameters: net.parameters(), learningRate: rate });
    for (let i = 0; i < 3; i++) await step(net, optimizer);
    return weightOf(net);
  };
  // The bias has the factor 1 in both, so only a network without it would agree in every step; one step does.
  const once = async (rate: number, factor: number) => {
    const net = new Linear(2, 1);
    net.weight.load(weights);
    net.weight.learningRate = factor;
    const optimizer = new Kind({ parameters: net.parameters(), learningRate: rate });
    await step(net, optimizer);
    return weightOf(net);
  };
  const [a, b] = [await once(0.1, 0.5), await once(0.05, 1)];
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i], 7);
  });
  expect(await trained(0.1, 0)).toEqual(Array.from(weights));
});
