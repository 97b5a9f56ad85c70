import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { ShapeError } from '../../src/errors.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { BatchNorm2D, Identity, Sequential } from '../../src/nn/index.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { evaluate } from '../../src/train/evaluate.js';
import { classProbabilities } from '../../src/train/outputs.js';

/** Samples whose image is already what the network gives: the scores of three classes. */
const scores = [
  { image: [3, 0, 0], label: 0 },
  { image: [0, 1, 0], label: 2 },
  { image: [0, 0, 5], label: 1 },
  { image: [2, 2, 0], label: 0 },
  { image: [0, 9, 0], label: 1 },
  { image: [0, 4, 0], label: 0 },
  { image: [0, 0, 1], label: 2 },
];

function dataset(samples: readonly { image: readonly number[]; label: number }[]): Dataset {
  return {
    length: samples.length,
    get: (i) => ({
      image: Float32Array.from(samples[i].image),
      shape: [samples[i].image.length],
      label: samples[i].label,
    }),
  };
}

const loss = (outputs: Tensor, labels: Tensor) => F.crossEntropy(outputs, labels);

beforeEach(() => setEngine('reference'));

describe('evaluate', () => {
  test.each([1, 3, 7, 100])('gives the same metrics in batches of %i', async (batchSize) => {
    const seen: number[] = [];
    const result = await evaluate({
      network: new Identity(),
      loader: new DataLoader(dataset(scores), { batchSize }),
      loss,
      onBatch: (samples) => seen.push(samples),
    });
    expect(seen.at(-1)).toBe(7);
    expect(result.samples).toBe(7);
    expect(result.accuracy).toBeCloseTo(4 / 7, 12);
    expect(result.confusion).toEqual([
      [2, 1, 0],
      [0, 1, 1],
      [0, 1, 1],
    ]);
    const logSumExp = (x: readonly number[]) => Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0));
    const mean = scores.reduce((sum, { image, label }) => sum + logSumExp(image) - image[label], 0) / 7;
    expect(result.loss).toBeCloseTo(mean, 6);
    expect(result.mistakes.map(({ index, label, predicted }) => [index, label, predicted])).toEqual([
      [2, 1, 2],
      [5, 0, 1],
      [1, 2, 1],
    ]);
    const softmax = Math.exp(5) / (Math.exp(5) + 2);
    expect(result.mistakes[0].probabilities[2]).toBeCloseTo(softmax, 6);
    expect(result.mistakes[0].probabilities).toHaveLength(3);
  });

  test.each([
    [0, []],
    [2, [2, 5]],
  ])('keeps the worst %i mistakes', async (mistakes, expected) => {
    const loader = new DataLoader(dataset(scores), { batchSize: 2 });
    const result = await evaluate({ network: new Identity(), loader, loss, mistakes });
    expect(result.mistakes.map(({ index }) => index)).toEqual(expected);
  });

  test('works in evaluation mode, changes nothing, and returns to the mode before', async () => {
    const norm = new BatchNorm2D(1);
    const network = new Sequential(norm);
    const data: Dataset = { length: 2, get: (i) => ({ image: Float32Array.of(i, 3), shape: [1, 1, 2], label: i }) };
    const modes: boolean[] = [];
    const spy = (outputs: Tensor, labels: Tensor) => {
      modes.push(norm.training);
      return loss(outputs.flatten({ startAxis: 1 }), labels);
    };
    await expect(evaluate({ network, loader: new DataLoader(data), loss: spy })).rejects.toThrow(
      '[evaluate] outputs: expected [samples, classes], got [1,1,1,2]',
    );
    expect(modes).toEqual([false]);
    expect(norm.training).toBe(true);
    expect([...(await norm._mean.data())]).toEqual([0]);
    network.eval();
    await evaluate({ network, loader: new DataLoader(data), loss: spy }).catch(() => {});
    expect(norm.training).toBe(false);
  });

  test('refuses labels that the network has no class for', async () => {
    const network = new Identity();
    const loader = new DataLoader(dataset([...scores, { image: [1, 0, 0], label: 3 }]), { batchSize: 8 });
    const zero = () => Tensor.zeros([]);
    const failure = evaluate({ network, loader, loss: zero });
    await expect(failure).rejects.toThrow(ShapeError);
    await expect(failure).rejects.toThrow('label of sample 7: expected a class from 0 to 2');
  });

  test('stops at a signal with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const loader = new DataLoader(dataset(scores), { batchSize: 1 });
    const onBatch = (samples: number) => {
      if (samples === 3) controller.abort(reason);
    };
    const { signal } = controller;
    await expect(evaluate({ network: new Identity(), loader, loss, onBatch, signal })).rejects.toBe(reason);
  });
});

test('one output is the probability of class 1', async () => {
  const probabilities = classProbabilities(Tensor.fromData(Float32Array.of(0, Math.log(3)), [2, 1]));
  expect(probabilities.shape).toEqual([2, 2]);
  const data = await probabilities.data();
  for (const [i, expected] of [0.5, 0.5, 0.25, 0.75].entries()) expect(data[i]).toBeCloseTo(expected, 6);
});
