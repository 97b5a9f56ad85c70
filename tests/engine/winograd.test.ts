import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConvolutionName } from '../../src/engine/engine.js';
import { openOneDnn } from '../../src/engine/onednn/engine.js';
import { type ConvShape, codeGain, winogradGain } from '../../src/engine/onednn/lower/winograd.js';
import { engineInfo, setConvolution, setEngine, setThreads } from '../../src/engine/select.js';
import type { Shape } from '../../src/graph/shape.js';
import * as nn from '../../src/nn/index.js';
import * as o from '../../src/ops/index.js';
import { Momentum } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import { programsOf } from '../../src/runtime/realize.js';
import * as F from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { type Build, checkOp, evaluate, expectAgreement, fixed, type Input, noise, stepsOf } from '../engines.js';
import { describeWith, has } from '../needs.js';

type Padding = readonly [number, number, number, number];

interface Case {
  /** [N, C, H, W] */
  readonly x: Shape;
  readonly out: number;
  readonly padding: Padding;
  readonly threads: number;
  readonly tail?: 'relu' | 'leakyRelu' | 'sigmoid' | 'sum';
  readonly bias?: boolean;
}

const cases: readonly Case[] = [
  { x: [1, 16, 4, 4], out: 16, padding: [1, 1, 1, 1], threads: 1 },
  { x: [2, 16, 9, 7], out: 32, padding: [1, 1, 1, 1], threads: 1, bias: true },
  { x: [1, 32, 13, 15], out: 48, padding: [1, 1, 1, 1], threads: 2, bias: true },
  { x: [10, 32, 7, 7], out: 64, padding: [1, 1, 1, 1], threads: 2 },
  { x: [10, 64, 14, 14], out: 32, padding: [1, 1, 1, 1], threads: 2, bias: true, tail: 'relu' },
  { x: [1, 64, 28, 28], out: 64, padding: [1, 1, 1, 1], threads: 2, bias: true },
  { x: [3, 16, 10, 11], out: 16, padding: [0, 0, 0, 0], threads: 1, bias: true },
  { x: [2, 32, 12, 9], out: 32, padding: [0, 0, 0, 0], threads: 2 },
  { x: [2, 32, 11, 9], out: 32, padding: [0, 1, 1, 0], threads: 2, bias: true },
  { x: [1, 16, 9, 8], out: 32, padding: [1, 0, 0, 1], threads: 1 },
  { x: [2, 16, 6, 8], out: 16, padding: [2, 2, 2, 2], threads: 1 },
  { x: [2, 3, 18, 17], out: 16, padding: [1, 1, 1, 1], threads: 1, bias: true },
  { x: [2, 24, 13, 12], out: 40, padding: [1, 1, 1, 1], threads: 2, bias: true },
  { x: [2, 5, 9, 9], out: 7, padding: [1, 1, 1, 1], threads: 1, bias: true },
  { x: [1, 160, 5, 5], out: 128, padding: [1, 1, 1, 1], threads: 2, bias: true },
  { x: [1, 16, 8, 9], out: 16, padding: [1, 1, 1, 1], threads: 1, bias: true, tail: 'relu' },
  { x: [1, 16, 8, 10], out: 16, padding: [1, 1, 1, 1], threads: 1, bias: true, tail: 'leakyRelu' },
  { x: [1, 16, 8, 11], out: 16, padding: [1, 1, 1, 1], threads: 1, bias: true, tail: 'sigmoid' },
  { x: [4, 32, 16, 16], out: 32, padding: [1, 1, 1, 1], threads: 2, bias: true, tail: 'sum' },
];

const nameOf = ({ x, out, padding, threads, bias, tail }: Case) =>
  `[${x}] to ${out}${bias ? ' with bias' : ''}${tail === undefined ? '' : ` and ${tail}`}, padding ${padding}, threads ${threads}`;

const activations = { relu: F.relu, leakyRelu: F.leakyRelu, sigmoid: F.sigmoid };

const geometry = (padding: Padding) => ({ stride: [1, 1], padding, dilation: [1, 1], groups: 1 }) as const;

function built({ x, out, padding, tail, bias }: Case): { build: Build; inputs: Input[] } {
  const inputs = [noise(x, 1), noise([out, x[1], 3, 3], 2, 0.2), ...(bias ? [noise([out], 3)] : [])];
  const [, , height, width] = x;
  const y = [x[0], out, height + padding[0] + padding[1] - 2, width + padding[2] + padding[3] - 2];
  if (tail === 'sum') inputs.push(fixed(noise(y, 4)));
  const build: Build = (image, weight, ...rest) => {
    const value = o.conv2d(geometry(padding), image.value, weight.value, bias ? rest[0].value : null);
    const result = new Tensor(value);
    if (tail === undefined) return result;
    return tail === 'sum' ? F.relu(result.add(rest[rest.length - 1])) : activations[tail](result);
  };
  return { build, inputs };
}

/** Outputs and gradients of a convolution with a choice of kernels. Equal bits mean that the same kernels computed them. */
function convolved(choice: 'winograd' | 'direct', c: Case) {
  openOneDnn().convolution = choice;
  const { build, inputs } = built(c);
  return evaluate('onednn', build, inputs);
}

beforeEach(() => setEngine('onednn'));
afterEach(() => {
  openOneDnn().convolution = 'auto';
  vi.unstubAllEnvs();
});

// The library's kernels, which only AVX-512 has, are used where no code of our own may run.
describe.each([
  ['code', 'avx2', '1'],
  ['library', 'winograd', '0'],
] as const)("Winograd's kernels: %s", (kernels, feature, allowed) => {
  beforeEach(() => {
    vi.stubEnv('FOVEA_CODE', allowed);
    // Programs are kept for settings, to which the variable does not belong.
    programsOf(openOneDnn()).trim(0);
  });

  describeWith(feature, 'alone', () => {
    // The library's kernels are tested on a part, for they are oneDNN's to test.
    const tested = kernels === 'code' ? cases : cases.filter((_, i) => i % 3 === 0);
    it.each(tested.map((c) => [nameOf(c), c] as const))('agree with the reference: %s', async (name, c) => {
      setThreads(c.threads);
      openOneDnn().convolution = 'winograd';
      const { build, inputs } = built(c);
      await checkOp(build, inputs, name);
    });

    it.each<[boolean, Case]>([
      [true, { x: [1, 64, 26, 28], out: 64, padding: [1, 1, 1, 1], threads: 2, bias: true }],
      [true, { x: [3, 16, 10, 13], out: 16, padding: [0, 0, 0, 0], threads: 1 }],
      [true, { x: [4, 32, 14, 16], out: 32, padding: [1, 1, 1, 1], threads: 2, bias: true, tail: 'relu' }],
      // oneDNN 2.6 confuses the paddings.
      [kernels === 'code', { x: [2, 32, 11, 9], out: 32, padding: [0, 1, 1, 0], threads: 2 }],
      [kernels === 'code', { x: [2, 16, 6, 8], out: 16, padding: [2, 1, 1, 2], threads: 1 }],
      [false, { x: [2, 16, 9, 9], out: 16, padding: [3, 3, 3, 3], threads: 1 }],
      [kernels === 'library', { x: [2, 5, 9, 9], out: 7, padding: [1, 1, 1, 1], threads: 1 }],
    ])('compute in another way than direct ones: %s for %j', async (differs, c) => {
      setThreads(c.threads);
      const [winograd, direct] = [await convolved('winograd', c), await convolved('direct', c)];
      const [image, weight] = [winograd.gradients, direct.gradients].map(([dx, dw]) => [dx, dw]);
      expect(image).not.toContain(null);
      if (differs) expect([winograd.outputs, image]).not.toEqual([direct.outputs, weight]);
      else expect([winograd.outputs, image]).toEqual([direct.outputs, weight]);
    });

    it('give the same bits in every run', async () => {
      setThreads(2);
      openOneDnn().convolution = 'winograd';
      const { build, inputs } = built({ x: [3, 48, 18, 18], out: 64, padding: [1, 1, 1, 1], threads: 2, bias: true });
      const first = await evaluate('onednn', build, inputs);
      for (let i = 0; i < 5; i++) expect(await evaluate('onednn', build, inputs)).toEqual(first);
    });
  });

  describeWith(feature, 'in predictions', () => {
    const images = (x: Shape) => Tensor.fromData(noise(x, 5).data, x);
    const predict = async (layer: nn.Layer, x: Shape) =>
      (await noGrad(() => F.relu(layer.forward(images(x)))).data()) as Float32Array;

    it.each<[Shape, number, number]>([
      [[1, 16, 4, 4], 16, 1],
      [[1, 32, 13, 15], 48, 1],
      [[1, 128, 28, 28], 128, 1],
      [[1, 256, 14, 14], 256, 0],
      [[1, 64, 56, 56], 64, 1],
      [[10, 32, 7, 7], 64, 1],
      [[10, 64, 14, 14], 32, 0],
      [[3, 128, 29, 30], 256, 1],
    ])('agree with the reference and keep their weights: %j to %i, padding %i', async (x, out, padding) => {
      openOneDnn().convolution = 'winograd';
      seed(1);
      const layer = new nn.Conv2D(x[1], out, 3, { padding });
      setEngine('reference');
      const expected = await predict(layer, x);
      setEngine('onednn');
      await predict(layer, x);
      const { result: again, steps } = await stepsOf(() => predict(layer, x));
      expect(steps.filter(({ name }) => name.startsWith('conv2d'))).toHaveLength(1);
      // Features are reordered in every run, the weights only in the first one.
      const reordered = steps.filter(({ name }) => name === 'reorder').map(({ reads: [from] }) => from.layout.shape);
      expect(reordered).not.toContainEqual([out, x[1], 3, 3]);
      expect(steps.map(({ name }) => name)).not.toContain('winogradWeights');
      expectAgreement(again, expected, 'y');
    });

    it('follow the weights through a training, in which they can be read', async () => {
      seed(1);
      const x = [2, 64, 28, 28];
      const layer = new nn.Conv2D(64, 64, 3, { padding: 1 });
      const optimizer = new Momentum({ learningRate: 0.1, parameters: layer.parameters() });
      const predictions: Float32Array[] = [];
      const weights: unknown[] = [];
      for (let step = 0; step < 3; step++) {
        const loss = layer.forward(images(x)).square().mean();
        loss.backward();
        await optimizer.step({ also: [loss] });
        optimizer.clearGrad();
        predictions.push(await predict(layer, x));
        weights.push(await layer.weight.data());
      }
      setEngine('reference');
      expectAgreement(predictions[2], await predict(layer, x), 'y');
      expect(predictions[1]).not.toEqual(predictions[2]);
      expect(weights[1]).not.toEqual(weights[2]);
    });
  });
});

describe('setConvolution', () => {
  const hasAny = has('winograd') || has('avx2');
  const results = (choice: ConvolutionName) => {
    setConvolution(choice);
    const { build, inputs } = built({ x: [2, 64, 28, 28], out: 64, padding: [1, 1, 1, 1], threads: 2 });
    return evaluate('onednn', build, inputs);
  };

  it("auto takes Winograd's kernels for a large layer where there are any, and direct takes none", async () => {
    const [auto, direct] = [await results('auto'), await results('direct')];
    expect(engineInfo().description).toMatch(/, direct convolutions$/);
    if (hasAny) expect(auto).not.toEqual(direct);
    else expect(auto).toEqual(direct);
    expectAgreement(auto.outputs[0], direct.outputs[0], 'y');
    // The choice counts for programs that were compiled before it, too.
    expect(await results('auto')).toEqual(auto);
    expect(engineInfo().description.includes('Winograd')).toBe(hasAny);
  });

  it('refuses anything else', () => {
    expect(() => setConvolution('fast' as ConvolutionName)).toThrow(
      "[engine] convolution: expected auto or direct, got 'fast'",
    );
  });
});

describe('the rule', () => {
  const shapeOf = (result: Shape, weight: Shape, rest: Partial<ConvShape['params']> = {}): ConvShape => ({
    direction: 'forward',
    result,
    weight,
    params: { ...geometry([1, 1, 1, 1]), ...rest },
  });
  const gain = (...args: Parameters<typeof shapeOf>): number => winogradGain(shapeOf(...args));

  it('is for 3×3 kernels of stride 1 with enough channels', () => {
    expect(gain([10, 64, 56, 56], [64, 64, 3, 3])).toBeGreaterThan(2);
    expect(gain([10, 64, 224, 224], [64, 3, 3, 3])).toBe(0);
    expect(gain([10, 64, 56, 56], [64, 64, 5, 5])).toBe(0);
    expect(gain([10, 64, 28, 28], [64, 64, 3, 3], { stride: [2, 2] })).toBe(0);
    expect(gain([10, 64, 56, 56], [64, 64, 3, 3], { dilation: [2, 2] })).toBe(0);
    expect(gain([10, 64, 56, 56], [64, 32, 3, 3], { groups: 2 })).toBe(0);
    // oneDNN 2.6.3 has a kernel that computes this wrongly.
    expect(gain([10, 64, 56, 56], [64, 64, 3, 3], { padding: [0, 1, 1, 0] })).toBe(0);
  });

  it('leaves images of few tiles to the direct kernels', () => {
    expect(gain([1, 512, 7, 7], [512, 512, 3, 3])).toBeLessThan(1);
    expect(gain([10, 512, 7, 7], [512, 512, 3, 3])).toBeGreaterThan(1.25);
  });

  it('takes more where weights are transformed once', () => {
    const kept = (size: number) =>
      winogradGain({ ...shapeOf([1, 256, size, size], [256, 256, 3, 3]), keepsWeights: true });
    expect(gain([1, 256, 14, 14], [256, 256, 3, 3])).toBeLessThan(1.25);
    expect(kept(14)).toBeGreaterThan(1.25);
    expect(kept(7)).toBeLessThan(1.25);
  });

  describe.each([8, 16] as const)('for our own kernels of %i lanes', (lanes) => {
    const codeGainOf = (...args: Parameters<typeof shapeOf>): number => codeGain(lanes, shapeOf(...args));

    it('is for 3×3 kernels of stride 1 with whole vectors of channels', () => {
      expect(codeGainOf([10, 64, 56, 56], [64, 64, 3, 3])).toBeGreaterThan(2);
      expect(codeGainOf([10, 64, 56, 56], [64, 64, 3, 3], { padding: [0, 1, 2, 0] })).toBeGreaterThan(2);
      expect(codeGainOf([10, 64, 224, 224], [64, 3, 3, 3])).toBe(0);
      expect(codeGainOf([10, 64, 56, 56], [60, 64, 3, 3])).toBe(0);
      expect(codeGainOf([10, 64, 56, 56], [64, 64, 3, 5])).toBe(0);
      expect(codeGainOf([10, 64, 28, 28], [64, 64, 3, 3], { stride: [2, 2] })).toBe(0);
      expect(codeGainOf([10, 64, 56, 56], [64, 64, 3, 3], { dilation: [2, 2] })).toBe(0);
      expect(codeGainOf([10, 64, 56, 56], [64, 32, 3, 3], { groups: 2 })).toBe(0);
      expect(codeGainOf([10, 64, 58, 58], [64, 64, 3, 3], { padding: [3, 3, 1, 1] })).toBe(0);
    });

    it('leaves images of few tiles to the direct kernels, unless weights are transformed once', () => {
      const single = shapeOf([1, 512, 7, 7], [512, 512, 3, 3]);
      expect(codeGain(lanes, single)).toBeLessThan(1);
      expect(codeGain(lanes, { ...single, keepsWeights: true })).toBeGreaterThan(1.2 * codeGain(lanes, single));
      expect(codeGainOf([10, 512, 7, 7], [512, 512, 3, 3])).toBeGreaterThan(1.25);
    });
  });
});
