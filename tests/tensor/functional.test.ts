import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { DTypeError, InputError, ShapeError } from '../../src/errors.js';
import { Accuracy } from '../../src/metric/index.js';
import * as ops from '../../src/ops/index.js';
import { RandomGenerator, seed } from '../../src/random.js';
import { compilationCount } from '../../src/runtime/realize.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { Buffer, Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines, expectAgreement, noise } from '../engines.js';

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe('mistakes and their messages', () => {
  const x = Tensor.zeros([2, 4, 32, 32]);
  const labels = tensor([0, 1], 'int32');
  const logits = Tensor.zeros([2, 3]);

  it.each<[string, () => unknown, new (message: string) => Error, string]>([
    [
      'channels',
      () => F.conv2d(x, Tensor.zeros([8, 3, 3, 3])),
      ShapeError,
      '[conv2d] input channels: expected 3 (weight [8,3,3,3]), got 4 (input [2,4,32,32], NCHW)',
    ],
    [
      'channels of groups',
      () => F.conv2d(x, Tensor.zeros([8, 3, 3, 3]), null, { groups: 2 }),
      ShapeError,
      '[conv2d] input channels: expected 6 (weight [8,3,3,3], 2 groups), got 4 (input [2,4,32,32], NCHW)',
    ],
    [
      'groups',
      () => F.conv2d(x, Tensor.zeros([8, 4, 3, 3]), null, { groups: 3 }),
      ShapeError,
      '[conv2d] groups: expected a divisor of the 8 output channels (weight [8,4,3,3]), got 3',
    ],
    [
      'an image without a batch',
      () => F.conv2d(Tensor.zeros([4, 32, 32]), Tensor.zeros([8, 4, 3, 3])),
      ShapeError,
      '[conv2d] input: expected 4 axes (NCHW), got 3 ([4,32,32])',
    ],
    [
      'a bias of another size',
      () => F.conv2d(x, Tensor.zeros([8, 4, 3, 3]), Tensor.zeros([4])),
      ShapeError,
      '[conv2d] bias shape: expected [8], got [4]',
    ],
    [
      'bytes as input',
      () => F.conv2d(Tensor.zeros([2, 4, 8, 8], 'uint8'), Tensor.zeros([8, 4, 3, 3])),
      DTypeError,
      '[conv2d] input dtype: expected float32, got uint8 (input [2,4,8,8]); convert it with cast()',
    ],
    [
      'a kernel larger than the image',
      () => F.conv2d(Tensor.zeros([1, 4, 2, 9]), Tensor.zeros([8, 4, 5, 5]), null, { padding: 1 }),
      ShapeError,
      '[conv2d] input height: expected at least 3 for a window of 5 and a padding of 2 in all, got 2',
    ],
    [
      'a stride of 0',
      () => F.conv2d(x, Tensor.zeros([8, 4, 3, 3]), null, { stride: 0 }),
      ShapeError,
      '[conv2d] stride: expected a positive integer, or [height, width], got 0',
    ],
    [
      'negative padding',
      () => F.conv2d(x, Tensor.zeros([8, 4, 3, 3]), null, { padding: [0, -1] }),
      ShapeError,
      '[conv2d] padding: expected an integer from 0 on, [vertical, horizontal], or [top, bottom, left, right], got [0,-1]',
    ],
    [
      'features',
      () => F.linear(Tensor.zeros([2, 5]), Tensor.zeros([4, 3])),
      ShapeError,
      '[linear] input features: expected 4 (weight [4,3], [in, out]), got 5 (input [2,5])',
    ],
    [
      'padding of a pool',
      () => F.maxPool2d(x, 2, { padding: 2 }),
      ShapeError,
      '[maxPool2d] padding: expected less than kernelSize [2,2], got [2,2,2,2]',
    ],
    [
      'float labels',
      () => F.crossEntropy(logits, tensor([0, 1])),
      DTypeError,
      '[crossEntropy] labels dtype: expected int32, got float32 (labels [2]); convert it with cast()',
    ],
    [
      'too few labels',
      () => F.crossEntropy(logits, tensor([0], 'int32')),
      ShapeError,
      '[crossEntropy] labels shape: expected [2] (logits [2,3]), got [1]',
    ],
    [
      'logits without a batch',
      () => F.crossEntropy(tensor([1, 2]), labels),
      ShapeError,
      '[crossEntropy] logits: expected [batch, classes, …], got [2]',
    ],
    [
      'targets of another shape',
      () => F.binaryCrossEntropyWithLogits(logits, Tensor.zeros([2])),
      ShapeError,
      '[bceWithLogits] target shape: expected [2,3], got [2]',
    ],
    ['p of 1', () => F.dropout(logits, { p: 1 }), InputError, '[dropout] p: expected 0 <= p < 1, got 1'],
    [
      'p outside of training',
      () => F.dropout(logits, { p: -0.1, training: false }),
      InputError,
      '[dropout] p: expected 0 <= p < 1, got -0.1',
    ],
    [
      'a negative slope',
      () => F.leakyRelu(logits, -1),
      InputError,
      '[leakyRelu] negativeSlope: expected a finite number of at least 0, got -1',
    ],
    [
      'labels of another batch',
      () => F.accuracy(logits, tensor([0], 'int32')),
      ShapeError,
      '[accuracy] labels: expected 2 (scores [2,3]), got 1',
    ],
    ['k of 0', () => F.accuracy(logits, labels, 0), InputError, '[accuracy] k: expected a positive integer, got 0'],
    [
      'scores of one sample',
      () => F.accuracy(tensor([1, 2]), labels),
      ShapeError,
      '[accuracy] scores: expected [samples, classes], got [2]',
    ],
    [
      'labels with their axes exchanged',
      () => F.crossEntropy(Tensor.zeros([2, 3, 4]), Tensor.zeros([4, 2], 'int32')),
      ShapeError,
      '[crossEntropy] labels shape: expected [2,4] (logits [2,3,4]), got [4,2]',
    ],
    [
      'labels in a row',
      () => F.crossEntropy(logits, labels.reshape([1, 2])),
      ShapeError,
      '[crossEntropy] labels shape: expected [2] (logits [2,3]), got [1,2]',
    ],
    [
      'a column compared with a row',
      () => F.mseLoss(Tensor.zeros([3, 1]), Tensor.zeros([3])),
      ShapeError,
      '[mseLoss] target shape: expected that of the prediction, [3,1], got [3]; reshape() one of them',
    ],
  ])('%s', (_, body, kind, message) => {
    expect(body).toThrow(kind);
    expect(body).toThrow(new kind(message));
  });

  it.each(engines)('a label that is no class, on %s', async (engine) => {
    setEngine(engine);
    const loss = F.crossEntropy(logits, tensor([0, 3], 'int32'));
    await expect(loss.item()).rejects.toThrow(new InputError('[crossEntropy] label: expected 0 to 2, got 3 (row 1)'));
    const negative = F.crossEntropy(logits, tensor([-1, 0], 'int32'));
    await expect(negative.item()).rejects.toThrow('[crossEntropy] label: expected 0 to 2, got -1 (row 0)');
    expect(await F.crossEntropy(logits, labels).item()).toBeCloseTo(Math.log(3), 6);
  });
});

describe.each(engines)('functional API on %s', (engine) => {
  beforeEach(() => setEngine(engine));

  it('weights classes as Paddle does', async () => {
    const logits = new Parameter(Float32Array.of(1, 2, 0.5, 0, -1, 1, 2, 2, 2, 0.1, 0.2, 0.3), [4, 3]);
    const labels = tensor([0, 1, 2, 1], 'int32');
    const weight = tensor([0.5, 2, 1.5]);
    const loss = F.crossEntropy(logits, labels, { weight });
    loss.backward();
    // Made by paddle.nn.functional.cross_entropy of Paddle 3.3.1.
    const gradient = [
      -0.06406468, 0.05237764, 0.01168703, 0.08157616, -0.30332315, 0.22174698, 0.08333334, 0.08333334, -0.16666666,
      0.1002032, -0.22259167, 0.12238847,
    ];
    expectAgreement(await (logits.grad as Tensor).data(), gradient, 'gradient', { tolerance: 1e-5, floor: 1e-2 });
    expect(await loss.item()).toBeCloseTo(1.56653345, 6);
    const losses = [0.73218441, 4.81521177, 1.64791846, 2.20388579];
    const none = await F.crossEntropy(logits, labels, { weight, reduction: 'none' }).data();
    expectAgreement(none, losses, 'losses', { tolerance: 1e-6, floor: 1 });
    expect(await F.crossEntropy(logits, labels, { weight, reduction: 'sum' }).item()).toBeCloseTo(9.39920044, 5);
    expect(await F.crossEntropy(logits, labels, { weight, ignoreIndex: 1 }).item()).toBeCloseTo(1.19005144, 6);
    expect(() => F.crossEntropy(logits, labels, { weight: tensor([1, 2]) })).toThrow(ShapeError);
  });

  it('counts ignored samples and weights as Paddle does', async () => {
    // Made by paddle.nn.functional.cross_entropy of Paddle 3.3.1.
    const data = [0, 0.37, 0.74, 0.01, 0.38, 0.75, 0.02, 0.39, 0.76];
    const loss = async (classes: number[], ignoreIndex: number, weights?: number[]) => {
      const logits = new Parameter(Float32Array.from(data), [3, 3]);
      const weight = weights === undefined ? undefined : tensor(weights);
      const mean = F.crossEntropy(logits, tensor(classes, 'int32'), { ignoreIndex, weight });
      mean.backward();
      const gradient = await (logits.grad as Tensor).data();
      expect(gradient.every((x: number) => Number.isFinite(x))).toBe(true);
      return mean.item();
    };
    for (const [classes, ignoreIndex, plain, weighted] of [
      [[0, 1, 2], -100, 1.14373505, 1.02040184],
      [[0, -100, 2], -100, 0.76249009, 0.95873517],
      [[0, 1, 2], 1, 1.14373517, 0.95873517],
      [[-100, -100, -100], -100, 0, 0],
      [[1, 1, 1], 1, 0, 0],
    ] as const) {
      expect(await loss([...classes], ignoreIndex)).toBeCloseTo(plain, 5);
      expect(await loss([...classes], ignoreIndex, [1, 2, 3])).toBeCloseTo(weighted, 5);
    }
    expect(await loss([0, 1, 2], -100, [0, 0, 0])).toBe(0);
  });

  it('takes labels with an axis of 1, and classes on axis 1 of more', async () => {
    const logits = Tensor.fromData(noise([4, 3], 1).data, [4, 3]);
    const labels = tensor([0, 2, 1, 2], 'int32');
    const losses = await values(F.crossEntropy(logits, labels, { reduction: 'none' }));
    const column = F.crossEntropy(logits, labels.reshape([4, 1]), { reduction: 'none' });
    expect(column.shape).toEqual([4, 1]);
    expect(await values(column)).toEqual(losses);
    const images = logits.reshape([2, 2, 3]).transpose([0, 2, 1]);
    const perPixel = F.crossEntropy(images, labels.reshape([2, 2]), { reduction: 'none' });
    expect(perPixel.shape).toEqual([2, 2]);
    expect(await values(perPixel)).toEqual(losses);
    const withAxis = F.crossEntropy(images, labels.reshape([2, 1, 2]), { reduction: 'none' });
    expect(withAxis.shape).toEqual([2, 1, 2]);
    expect(await values(withAxis)).toEqual(losses);
    const sum = losses.reduce((a, b) => a + b);
    expect(await F.crossEntropy(logits, labels).item()).toBeCloseTo(sum / 4, 6);
    expect(await F.crossEntropy(logits, labels, { reduction: 'sum' }).item()).toBeCloseTo(sum, 5);
    const kept = F.crossEntropy(logits, labels, { ignoreIndex: 2 });
    expect(await kept.item()).toBeCloseTo((losses[0] + losses[2]) / 2, 6);
  });

  it('applies linear layers to the last axis', async () => {
    const x = Tensor.fromData(noise([2, 3, 4], 1).data, [2, 3, 4]);
    const weight = Tensor.fromData(noise([4, 5], 2).data, [4, 5]);
    const y = F.linear(x, weight, Tensor.ones([5]));
    expect(y.shape).toEqual([2, 3, 5]);
    expect(await values(y)).toEqual(await values(F.linear(x.reshape([6, 4]), weight, Tensor.ones([5]))));
  });

  it('counts hits among the first k', async () => {
    const scores = tensor([
      [1, 5, 3],
      [9, 2, 4],
      [1, 1, 1],
      [0, 2, 7],
    ]);
    const labels = tensor([1, 2, 2, 0], 'int32');
    expect(await F.accuracy(scores, labels).item()).toBe(0.25);
    expect(await F.accuracy(scores, labels.reshape([4, 1]), 2).item()).toBe(0.5);
    expect(await F.accuracy(scores, labels, 3).item()).toBe(1);
    // No more classes than k: as in the metric.
    for (const k of [3, 5]) {
      const metric = new Accuracy({ topk: [k] });
      metric.update(await scores.data(), await labels.data());
      expect(await F.accuracy(scores, labels, k).item()).toBe(metric.accumulate()[0]);
    }
    expect(await F.accuracy(scores, Tensor.full([4], -100, 'int32'), 5).item()).toBe(0);
  });
});

describe.each(engines)('dropout on %s', (engine) => {
  beforeEach(() => setEngine(engine));

  const ones = (n: number) => new Parameter(new Float32Array(n).fill(1), [n]);

  it('drops a share of p and scales what stays', async () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const y = await values(F.dropout(ones(20_000), { p, generator: new RandomGenerator(3) }));
      const kept = y.filter((v) => v !== 0);
      expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - p))]));
      // Five standard deviations of a binomial share.
      expect(Math.abs(kept.length / 20_000 - (1 - p))).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 20_000));
    }
    const plain = await values(F.dropout(ones(1000), { p: 0.3, mode: 'downscaleInInfer' }));
    expect(new Set(plain)).toEqual(new Set([0, 1]));
  });

  it('uses one mask forward and backward, also where the loss is read in between', async () => {
    for (const readFirst of [false, true]) {
      const x = ones(500);
      const y = F.dropout(x, { p: 0.4, generator: new RandomGenerator(4) });
      const loss = y.sum();
      if (readFirst) await loss.item();
      loss.backward();
      const grad = x.grad as Tensor;
      await realizeAll([y, grad]);
      expect(await values(grad)).toEqual(await values(y));
      expect(await loss.item()).toBeCloseTo(
        (await values(y)).reduce((a, b) => a + b),
        1,
      );
    }
  });

  it('samples a new mask at every call, from the seed', async () => {
    const draw = (generator: RandomGenerator) => values(F.dropout(ones(200), { generator }));
    const generator = new RandomGenerator(5);
    const [first, second] = [await draw(generator), await draw(generator)];
    expect(first).not.toEqual(second);
    expect(await draw(new RandomGenerator(5))).toEqual(first);
    seed(9);
    const fromDefault = await values(F.dropout(ones(200)));
    seed(9);
    expect(await values(F.dropout(ones(200)))).toEqual(fromDefault);
    const before = compilationCount();
    await draw(generator);
    expect(compilationCount()).toBe(before);
  });

  it('does nothing for p = 0, and outside of training only what the mode says', async () => {
    const x = ones(10);
    expect(F.dropout(x, { p: 0 })).toBe(x);
    expect(F.dropout(x, { p: 0.5, training: false })).toBe(x);
    expect(F.dropout(x, { p: 0, training: false, mode: 'downscaleInInfer' })).toBe(x);
    const scaled = F.dropout(x, { p: 0.25, training: false, mode: 'downscaleInInfer' });
    expect(await values(scaled)).toEqual(new Array(10).fill(0.75));
  });

  it('gives the same masks on both engines', async () => {
    const draw = () => values(F.dropout(ones(300), { p: 0.3, generator: new RandomGenerator(6) }));
    const here = await draw();
    setEngine('reference');
    expect(await draw()).toEqual(here);
  });
});

describe.each(engines)('running statistics on %s', (engine) => {
  beforeEach(() => setEngine(engine));

  const epsilon = 1e-5;

  /** A batch norm as a layer does it: the statistics are renewed whenever the output is computed. */
  class Norm {
    readonly scale = new Parameter(new Float32Array(5).fill(1), [5]);
    readonly shift = new Parameter(new Float32Array(5), [5]);
    readonly mean = Buffer.filled([5], 0);
    readonly variance = Buffer.filled([5], 1);

    train(x: Tensor): Tensor {
      const [y, mean, variance] = ops.batchNormTrain({ epsilon }, x.value, this.scale.value, this.shift.value);
      this.mean.assign(ops.runningAverage(0.9, this.mean.value, mean), y);
      this.variance.assign(ops.runningAverage(0.9, this.variance.value, variance), y);
      return new Tensor(y);
    }

    evaluate(x: Tensor): Tensor {
      const { mean, variance, scale, shift } = this;
      return new Tensor(ops.batchNorm({ epsilon }, x.value, mean.value, variance.value, scale.value, shift.value));
    }
  }

  const batch = (seedOf: number) => Tensor.fromData(noise([4, 5, 3, 3], seedOf, 2, 1).data, [4, 5, 3, 3]);

  /** The running mean and variance after some batches, by their definition. */
  async function expected(batches: readonly Tensor[]): Promise<[number[], number[]]> {
    const [mean, variance] = [new Array<number>(5).fill(0), new Array<number>(5).fill(1)];
    for (const x of batches) {
      const data = await x.data();
      for (let c = 0; c < 5; c++) {
        const channel = [...data].filter((_, i) => Math.floor(i / 9) % 5 === c);
        const m = channel.reduce((a, b) => a + b, 0) / 36;
        const v = channel.reduce((a, b) => a + (b - m) ** 2, 0) / 36;
        mean[c] = 0.9 * mean[c] + 0.1 * m;
        variance[c] = 0.9 * variance[c] + 0.1 * v;
      }
    }
    return [mean, variance];
  }

  async function expectStatistics(norm: Norm, batches: readonly Tensor[]): Promise<void> {
    const [mean, variance] = await expected(batches);
    expectAgreement(await norm.mean.data(), mean, 'running mean');
    expectAgreement(await norm.variance.data(), variance, 'running variance');
  }

  it('follow the batches that were computed', async () => {
    const norm = new Norm();
    const batches = [batch(1), batch(2), batch(3)];
    for (const [i, x] of batches.entries()) {
      await norm.train(x).data();
      expect(norm.mean.storage.version).toBe(i + 1);
    }
    await expectStatistics(norm, batches);
  });

  it('count each batch once, however often its output is used', async () => {
    const norm = new Norm();
    const y = norm.train(batch(1));
    await y.mul(2).data();
    await y.add(1).data();
    await y.data();
    await expectStatistics(norm, [batch(1)]);
  });

  it('follow several batches that are computed together', async () => {
    const norm = new Norm();
    await realizeAll([batch(1), batch(2), batch(1)].map((x) => norm.train(x)));
    await expectStatistics(norm, [batch(1), batch(2), batch(1)]);
  });

  it('are renewed when they are read before the output is', async () => {
    const norm = new Norm();
    const y = norm.train(batch(1));
    await expectStatistics(norm, [batch(1)]);
    const version = norm.mean.storage.version;
    await y.data();
    expect(norm.mean.storage.version).toBe(version);
    await expectStatistics(norm, [batch(1)]);
  });

  it('are renewed by a backward pass, once', async () => {
    const norm = new Norm();
    const loss = norm.train(batch(1)).square().mean();
    loss.backward();
    await (norm.scale.grad as Tensor).data();
    await loss.item();
    await expectStatistics(norm, [batch(1)]);
  });

  it('normalize in evaluation with what training has left, also in one program with it', async () => {
    const norm = new Norm();
    await norm.train(batch(1)).data();
    const alone = await norm.evaluate(batch(3)).data();
    const [mean, variance] = await expected([batch(1)]);
    const data = await batch(3).data();
    const by = (m: number[], v: number[]) =>
      data.map((x, i) => {
        const c = Math.floor(i / 9) % 5;
        return (x - m[c]) / Math.sqrt(v[c] + epsilon);
      });
    expectAgreement(alone, by(mean, variance), 'evaluation');
    const trained = norm.train(batch(2));
    const after = norm.evaluate(batch(3));
    await realizeAll([trained, after]);
    expectAgreement(await after.data(), by(...(await expected([batch(1), batch(2)]))), 'evaluation after training');
  });
});
