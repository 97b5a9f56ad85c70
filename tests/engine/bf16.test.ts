import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { optimize } from '../../src/compiler/optimize.js';
import { useBfloat16 } from '../../src/compiler/passes/useBfloat16.js';
import type { Precision } from '../../src/compiler/precision.js';
import { printGraph } from '../../src/compiler/print.js';
import { bfloat16Products } from '../../src/engine/onednn/bfloat16.js';
import { dotProductCost } from '../../src/engine/onednn/code/dotProduct.js';
import { openOneDnn } from '../../src/engine/onednn/engine.js';
import type { Bfloat16Unit } from '../../src/engine/onednn/ffi.js';
import { isPointwiseProduct } from '../../src/engine/onednn/lower/pointwise.js';
import { multiplyAdds } from '../../src/engine/planned/cost.js';
import { engineInfo, setEngine, setPrecision } from '../../src/engine/select.js';
import { EngineError, InputError } from '../../src/errors.js';
import type { Assignment } from '../../src/graph/node.js';
import * as nn from '../../src/nn/index.js';
import * as ops from '../../src/ops/index.js';
import { Adam, Momentum } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import { compilationCount } from '../../src/runtime/realize.js';
import { concat, matmul, stack, where } from '../../src/tensor/combine.js';
import * as F from '../../src/tensor/functional.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import * as models from '../../src/vision/models/index.js';
import { fused, graphOf } from '../compiler/support.js';
import { noise, stepsOf } from '../engines.js';
import { describeWith, itWith } from '../needs.js';

const images = (shape: readonly number[]) => Tensor.fromData(noise(shape, 3).data, shape);
const labels = (n: number) => Tensor.fromData(Int32Array.from({ length: n }, (_, i) => i % 2));

/** Everything that has a kernel for bfloat16, and what has none right behind it. */
class Mixed extends nn.Layer {
  readonly stem = new nn.Conv2D(3, 16, 3, { padding: 1 });
  readonly norm = new nn.BatchNorm2D(16);
  readonly left = new nn.Conv2D(16, 16, 3, { padding: 1, groups: 4 });
  readonly right = new nn.Conv2D(16, 24, 1);
  readonly join = new nn.Conv2D(40, 32, 3, { stride: 2 });
  readonly hidden = new nn.Linear(32, 20);
  readonly dropout = new nn.Dropout(0.3);
  readonly out = new nn.Linear(20, 2);

  forward(x: Tensor): Tensor {
    const a = F.relu(this.norm.forward(this.stem.forward(x)));
    const b = F.leakyRelu(this.left.forward(a)).add(a);
    const pooled = F.maxPool2d(concat([b, F.sigmoid(this.right.forward(b))], 1), 2);
    const c = F.relu(this.join.forward(F.avgPool2d(pooled, 2, { stride: 1 })));
    const flat = F.adaptiveAvgPool2d(c, 1).reshape([x.shape[0], 32]);
    return this.out.forward(this.dropout.forward(F.tanh(this.hidden.forward(flat))));
  }
}

/** Functions of tensors that are made of several ops, between layers that compute in bfloat16. */
class Composed extends nn.Layer {
  readonly stem = new nn.Conv2D(3, 16, 3, { padding: 1 });
  readonly left = new nn.Conv2D(16, 16, 1);
  readonly right = new nn.Conv2D(16, 16, 1);
  readonly last = new nn.Conv2D(32, 16, 1);
  readonly out = new nn.Linear(16, 2);

  forward(x: Tensor): Tensor {
    const [batch, , height, width] = x.shape;
    const a = this.stem.forward(x);
    const [left, right] = [this.left.forward(a.clip(-2, 2)), this.right.forward(where(a.greater(0), a, a.mul(0.1)))];
    const both = stack([left.pow(2), right.abs().pow(1.5)], 1).reshape([batch, 32, height, width]);
    const pixels = this.last.forward(both).reshape([batch, 16, height * width]);
    // The pixels weighted by their products with each other.
    const products = matmul(pixels, pixels, { transposeX: true }).mul(0.01);
    const mixed = matmul(pixels, F.softmax(products)).reshape([batch, 16, height, width]);
    return this.out.forward(F.adaptiveAvgPool2d(mixed, 1).squeeze([2, 3]));
  }
}

interface Trained {
  readonly losses: number[];
  readonly logits: Float32Array;
  readonly weights: Map<string, Float32Array>;
}

async function train(precision: Precision, make: () => nn.Layer, size: number, steps = 3, batch = 4): Promise<Trained> {
  setPrecision(precision);
  seed(7);
  const network = make();
  const optimizer = new Momentum({ learningRate: 0.01, parameters: network.parameters() });
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const loss = F.crossEntropy(network.forward(images([batch, 3, size, size])), labels(batch));
    loss.backward();
    await optimizer.step({ also: [loss] });
    optimizer.clearGrad();
    losses.push((await loss.data())[0]);
  }
  network.eval();
  const logits = await network.forward(images([batch, 3, size, size])).data('float32');
  const weights = new Map<string, Float32Array>();
  for (const [name, state] of network.namedParameters()) weights.set(name, await state.data('float32'));
  return { losses, logits, weights };
}

/** Root mean square of the difference, relative to that of the values. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const square = (f: (i: number) => number) => Array.from(expected, (_, i) => f(i) ** 2).reduce((a, b) => a + b, 0);
  return Math.sqrt(
    square((i) => actual[i] - expected[i]) /
      Math.max(
        square((i) => expected[i]),
        1e-12,
      ),
  );
}

beforeEach(() => setEngine('onednn'));
afterEach(() => {
  setEngine('onednn');
  setPrecision('float32');
  delete process.env.FOVEA_VALIDATE;
  vi.restoreAllMocks();
});

describe('choice of the precision', () => {
  it('refuses other names, and bf16 where it cannot be', () => {
    expect(() => setPrecision('float16' as Precision)).toThrow(InputError);
    setEngine('reference');
    setPrecision('float32');
    const ask = () => setPrecision('bf16');
    expect(ask).toThrow(EngineError);
    expect(ask).toThrow('got bf16: the reference engine has no kernels for it');
    expect(engineInfo().precision).toBe('float32');
  });

  it('leaves parameters, their gradients, the loss and what is read float32', async () => {
    const { graph } = await captured();
    const text = printGraph(useBfloat16(optimize(graph, fused)));
    expect(text).toMatch(/bf16\[2,16,8,8\] = conv2d/);
    expect(text).toMatch(/bf16\[2,16,8,8\], f32\[16\], f32\[16\], opaque.* = batchNormTrain/);
    expect(text).toMatch(/f32\[16,3,3,3\], f32\[16\] = conv2dBackwardWeights/);
    expect(text).toMatch(/f32\[2,2\] = linear/);
    expect(text).not.toMatch(/bf16.* = (reduce|crossEntropy|momentumUpdate|runningAverage|softmax)/);
    for (const line of text.split('\n').filter((line) => line.startsWith('return'))) {
      const name = line.split(' ')[1];
      expect(text).not.toMatch(new RegExp(`^${name} bf16`, 'm'));
    }
  });
});

describe('products of matrices for 1×1 convolutions', () => {
  const params = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;
  const takes = (x: number[], weight: number[], others: object = {}) =>
    isPointwiseProduct({ x, weight, params: { ...params, ...others } }, 'AMX');

  it('are taken on AMX alone, and where rows of pixels are short', () => {
    expect(takes([10, 512, 7, 7], [2048, 512, 1, 1])).toBe(true);
    expect(takes([64, 128, 28, 28], [512, 128, 1, 1])).toBe(true);
    expect(isPointwiseProduct({ x: [10, 512, 7, 7], weight: [2048, 512, 1, 1], params }, 'AVX-512')).toBe(false);
    expect(takes([10, 256, 56, 56], [64, 256, 1, 1])).toBe(false);
    expect(takes([10, 64, 7, 7], [64, 64, 3, 3])).toBe(false);
    expect(takes([10, 64, 7, 7], [64, 64, 1, 1], { stride: [2, 2] })).toBe(false);
    expect(takes([10, 64, 7, 7], [64, 64, 1, 1], { padding: [0, 0, 1, 1] })).toBe(false);
    expect(takes([10, 64, 7, 7], [64, 64, 1, 1], { groups: 64 })).toBe(false);
  });
});

describe('choice of products', () => {
  /** The ops of a training step, or of a prediction, whose result bfloat16 makes faster. */
  function chosen(
    network: nn.Layer,
    shape: readonly number[],
    isTraining: boolean,
    unit: Bfloat16Unit = 'AVX-512',
  ): Set<string> {
    const y = network.forward(images(shape)).mean();
    const updates: Assignment[] = [];
    if (isTraining) {
      y.backward();
      const rate = Tensor.fromData(Float32Array.of(0.1), []).value;
      for (const parameter of network.parameters()) {
        const gradient = (parameter.grad as Tensor).value;
        updates.push(parameter.overwrite(ops.sgdUpdate({ weightDecay: 0 }, parameter.value, gradient, rate)[0]));
      }
    }
    const graph = graphOf([y], updates);
    const pays = bfloat16Products(graph, 'auto', 'library', unit);
    return new Set(graph.nodes.filter((node) => multiplyAdds(node) !== null && pays(node)).map(({ op }) => op));
  }
  const squares = () =>
    new nn.Sequential(
      new nn.Conv2D(64, 64, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.Conv2D(64, 64, 3, { padding: 1 }),
    );
  const points = () => new nn.Sequential(new nn.Conv2D(64, 64, 3, { padding: 1 }), new nn.Conv2D(64, 512, 1));
  const flat = () => new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), new nn.Linear(32, 8));

  it('leaves convolutions float32 where Winograd’s kernels are faster', () => {
    expect(chosen(squares(), [2, 64, 32, 32], true)).toEqual(new Set());
    expect(chosen(points(), [2, 64, 32, 32], true)).toEqual(
      new Set(['conv2d', 'conv2dBackwardData', 'conv2dBackwardWeights']),
    );
    const graph = graphOf([squares().forward(images([2, 64, 32, 32]))]);
    const isChosen = (choice: 'auto' | 'direct', unit: 'AVX-512' | 'AMX') =>
      graph.nodes.some((node) => node.op === 'conv2d' && bfloat16Products(graph, choice, 'library', unit)(node));
    expect(isChosen('auto', 'AVX-512')).toBe(false);
    expect(isChosen('direct', 'AVX-512')).toBe(true);
    expect(isChosen('auto', 'AMX')).toBe(true);
  });

  it('leaves convolutions float32 on AMX where rows of pixels are short', () => {
    const isChosen = (size: number, unit: 'AVX-512' | 'AMX') => {
      const graph = graphOf([new nn.Conv2D(64, 512, 1).forward(images([2, 64, size, size]))]);
      return graph.nodes.some((node) => node.op === 'conv2d' && bfloat16Products(graph, 'auto', 'library', unit)(node));
    };
    expect([2, 4, 14, 56].map((size) => isChosen(size, 'AMX'))).toEqual([false, true, true, true]);
    expect([2, 4, 14, 56].map((size) => isChosen(size, 'AVX-512'))).toEqual([true, true, true, true]);
  });

  it('shortens weights of linear layers for many images, or once for all', () => {
    expect(chosen(flat(), [8, 64], true)).toEqual(new Set());
    expect(chosen(flat(), [64, 64], true)).toEqual(new Set(['linear', 'linearBackwardData', 'linearBackwardWeights']));
    expect(chosen(flat(), [8, 64], false)).toEqual(new Set(['linear']));
  });

  it('takes nothing but weights that are read for few images where the instructions are slow', () => {
    const slow = 'slow AVX-512';
    expect(chosen(points(), [2, 64, 32, 32], true, slow)).toEqual(new Set());
    expect(chosen(points(), [2, 64, 32, 32], false, slow)).toEqual(new Set());
    expect(chosen(flat(), [64, 64], true, slow)).toEqual(new Set());
    expect(chosen(flat(), [16, 64], false, slow)).toEqual(new Set(['linear']));
    expect(chosen(flat(), [17, 64], false, slow)).toEqual(new Set());
  });

  it('keeps float32 around products that stay so', async () => {
    const { graph } = await captured();
    const mixed = useBfloat16(optimize(graph, fused), ({ op }) => !op.startsWith('linear'));
    expect(printGraph(mixed)).toMatch(/bf16\[2,16,8,8\] = conv2d/);
    const exact = mixed.nodes.filter(({ op }) => op.startsWith('linear'));
    expect(exact.length).toBeGreaterThan(4);
    const types = exact.flatMap(({ inputs, outputs }) => [...inputs, ...outputs].map(({ dtype }) => dtype));
    expect(new Set(types)).toEqual(new Set(['float32']));
  });
});

async function captured() {
  const { capture, toGraph } = await import('../../src/runtime/capture.js');
  const network = new Mixed();
  const loss = F.crossEntropy(network.forward(images([2, 3, 8, 8])), labels(2));
  loss.backward();
  const gradients = network.parameters().map(({ grad }) => (grad as Tensor).value);
  return { graph: toGraph(capture([loss.value, ...gradients], [])) };
}

itWith('bf16', 'the cost of an instruction for bfloat16 is measured, once', () => {
  const cost = dotProductCost();
  expect(cost).toBeGreaterThan(0);
  expect(cost).toBeLessThan(Number.POSITIVE_INFINITY);
  expect(dotProductCost()).toBe(cost);
});

/** bfloat16 wherever it can be, though it does not pay for images this small. */
function takeEverything(): void {
  vi.spyOn(openOneDnn(), 'bfloat16Products').mockReturnValue(() => true);
}

/** Where AVX-512 has no instructions for bfloat16 the library makes do without, so that its kernels are tested there too. */
describeWith('avx512', 'float32 and bfloat16 side by side', () => {
  beforeEach(() => {
    takeEverything();
    openOneDnn().precision = 'bf16';
    process.env.FOVEA_VALIDATE = '1';
  });

  const parameter = (shape: readonly number[]) => new Parameter(noise(shape, 5, 0.3).data as Float32Array, shape);

  it('join in a concat', async () => {
    const x = images([1, 1, 2, 2]);
    const y = concat([x, F.conv2d(x, parameter([1, 1, 1, 1]))], 1);
    expect((await F.conv2d(F.relu(y), parameter([3, 2, 1, 1])).data()).every(Number.isFinite)).toBe(true);
    const flat = images([4, 6]);
    const joined = concat([F.linear(flat, parameter([6, 5])), flat, F.linear(flat, parameter([6, 3]))], 1);
    expect((await joined.affine(2, 0).data()).every(Number.isFinite)).toBe(true);
  });

  it('meet in the backward pass of convolutions and linear layers', async () => {
    const [v, w] = [parameter([16, 3, 3, 3]), parameter([16, 16, 3, 3])];
    const between = F.conv2d(images([2, 3, 8, 8]), v).neg();
    new nn.BatchNorm2D(16).forward(F.conv2d(between, w)).mean().backward();
    expect((await (v.grad as Tensor).data()).every(Number.isFinite)).toBe(true);
    const [a, b] = [parameter([8, 12]), parameter([12, 10])];
    const hidden = F.linear(images([4, 8]), a).neg();
    F.linear(F.relu(F.linear(hidden, b)), parameter([10, 2]))
      .mean()
      .backward();
    expect((await (a.grad as Tensor).data()).every(Number.isFinite)).toBe(true);
  });
});

describeWith('bf16', 'bf16 programs', () => {
  beforeEach(takeEverything);

  it.each([
    ['all kinds of layers', () => new Mixed(), 16],
    ['functions made of several ops', () => new Composed(), 8],
    ['ResNet', () => models.resnet18({ numClasses: 2 }), 32],
    ['GoogLeNet', () => new models.course.GoogLeNet({ numClasses: 2, auxiliaryHeads: false }), 32],
  ] as const)('compute each node as the reference does, up to rounding: %s', async (network, make, size) => {
    process.env.FOVEA_VALIDATE = '1';
    const { result, steps } = await stepsOf(() => train('bf16', make, size, 1, 2));
    expect(result.losses.every(Number.isFinite)).toBe(true);
    // Without these steps nothing would have been compared.
    expect(steps.filter(({ name }) => name === 'validate').length).toBeGreaterThan(20);
    if (network !== 'ResNet') return;
    const onFeatures = steps.filter(({ name }) => /conv2d|batchNorm/.test(name));
    expect(onFeatures.length).toBeGreaterThan(80);
    // Kernels for bfloat16, and no TypeScript.
    expect(onFeatures.filter(({ kind }) => kind !== 'call')).toEqual([]);
    expect(new Set(onFeatures.map(({ reads: [features] }) => features.layout.dtype))).toEqual(new Set(['bfloat16']));
  });

  it.each([
    ['layers', () => new Mixed(), 16],
    ['functions made of several ops', () => new Composed(), 8],
  ] as const)('stay near float32 over several steps, and are not the same: %s', async (_, make, size) => {
    const [half, full] = [await train('bf16', make, size), await train('float32', make, size)];
    expect(half.losses).not.toEqual(full.losses);
    expect(distance(half.losses, full.losses)).toBeLessThan(0.02);
    expect(distance(half.logits, full.logits)).toBeLessThan(0.05);
    for (const [name, weight] of full.weights) {
      // In front of a batch norm its gradient is nothing but rounding.
      if (name === 'stem.bias') continue;
      expect(distance(half.weights.get(name) as Float32Array, weight), name).toBeLessThan(0.05);
    }
  });

  it('leave the weights of 1×1 convolutions where their gradients are', async () => {
    const pointwise = () =>
      new nn.Sequential(
        new nn.Conv2D(3, 48, 3),
        new nn.ReLU(),
        new nn.Conv2D(48, 80, 1),
        new nn.ReLU(),
        new nn.Conv2D(80, 96, 1, { biasAttr: false }),
        new nn.AdaptiveAvgPool2D(1),
        new nn.Flatten(),
        new nn.Linear(96, 2),
      );
    const { result: half, steps } = await stepsOf(() => train('bf16', pointwise, 18, 2));
    const gradients = steps.filter(({ name }) => name === 'conv2dBackwardWeights');
    const reordered = steps.flatMap(({ name, reads: [from], writes: [to] }) =>
      name === 'reorder' && from.layout.dtype === to.layout.dtype ? [String(from.layout.shape)] : [],
    );
    expect(gradients.length).toBe(6);
    // The parameters have the layouts of their gradients.
    expect(reordered).not.toContain('80,48,1,1');
    expect(reordered).not.toContain('96,80,1,1');
    const full = await train('float32', pointwise, 18, 2);
    for (const [name, weight] of full.weights) {
      expect(distance(half.weights.get(name) as Float32Array, weight), name).toBeLessThan(0.05);
    }
  });

  it('keep parameters exact when they only read them, and are cached apart from float32', async () => {
    seed(1);
    const network = new Mixed().eval();
    const before = new Map<string, Float32Array>();
    for (const [name, { storage }] of network.namedParameters()) before.set(name, storage.read() as Float32Array);
    const x = images([2, 3, 16, 16]);
    setPrecision('bf16');
    const half = await network.forward(x).data();
    for (const [name, { storage }] of network.namedParameters()) expect(storage.read(), name).toEqual(before.get(name));
    setPrecision('float32');
    const full = await network.forward(x).data();
    expect(full).not.toEqual(half);
    const compiled = compilationCount();
    setPrecision('bf16');
    expect(await network.forward(x).data()).toEqual(half);
    setPrecision('float32');
    expect(await network.forward(x).data()).toEqual(full);
    expect(compilationCount()).toBe(compiled);
  });

  it('give the same bits for the same seed, with Adam too', async () => {
    const [first, second] = [await train('bf16', () => new Mixed(), 16), await train('bf16', () => new Mixed(), 16)];
    expect(second).toEqual(first);
    setPrecision('bf16');
    const layer = new nn.Linear(64, 32);
    const adam = new Adam({ learningRate: 0.01, parameters: layer.parameters() });
    const target = images([8, 32]);
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const error = layer.forward(images([8, 64])).sub(target);
      const loss = error.mul(error).mean();
      loss.backward();
      await adam.step({ also: [loss] });
      adam.clearGrad();
      losses.push((await loss.data())[0]);
    }
    expect(losses[4]).toBeLessThan(losses[0]);
  });
});
