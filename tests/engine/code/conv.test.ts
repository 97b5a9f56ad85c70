import { afterEach, expect, it, vi } from 'vitest';
import { setEngine } from '../../../src/engine/select.js';
import type { Conv2dOptions } from '../../../src/tensor/functional.js';
import * as F from '../../../src/tensor/functional.js';
import { noGrad } from '../../../src/tensor/noGrad.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { expectAgreement, kernelsOf, noise } from '../../engines.js';
import { describeWith } from '../../needs.js';

type Shape = readonly number[];

interface Case extends Conv2dOptions {
  readonly x: Shape;
  readonly weight: Shape;
  readonly bias?: boolean;
  /** Something is added, as at the end of a residual block. */
  readonly adds?: boolean;
  readonly activation?: 'relu' | 'tanh';
}

afterEach(() => {
  setEngine('onednn');
  vi.unstubAllEnvs();
});

const tensor = (shape: Shape, seed: number) => Tensor.fromData(noise([...shape], seed).data, [...shape]);

function convolve({ x, weight, bias, adds, activation, ...options }: Case): Promise<Float32Array> {
  const y = noGrad(() => {
    const make = () => F.conv2d(tensor(x, 1), tensor(weight, 2), bias ? tensor([weight[0]], 3) : null, options);
    // The convolution can add a value that is computed before it.
    const summand = adds ? tensor(make().shape, 4).mul(2) : null;
    const sum = summand === null ? make() : make().add(summand);
    const functions = { relu: F.relu, tanh: F.tanh };
    return activation === undefined ? sum : functions[activation](sum);
  });
  return y.data() as Promise<Float32Array>;
}

const cases: readonly Case[] = [
  { x: [1, 16, 1, 1], weight: [16, 16, 1, 1] },
  { x: [1, 32, 7, 7], weight: [208, 32, 1, 1], bias: true, activation: 'relu' },
  { x: [1, 48, 13, 17], weight: [80, 48, 1, 1], bias: true, adds: true, activation: 'relu' },
  { x: [1, 64, 23, 23], weight: [64, 64, 1, 1], bias: true, adds: true },
  { x: [1, 32, 15, 14], weight: [64, 32, 1, 1], bias: true, stride: 2 },
  { x: [1, 16, 7, 7], weight: [112, 16, 3, 3], padding: 1, bias: true, activation: 'relu' },
  { x: [1, 32, 14, 14], weight: [32, 32, 3, 3], padding: 1, bias: true, adds: true, activation: 'relu' },
  { x: [1, 16, 31, 29], weight: [48, 16, 3, 3], stride: 2, padding: 1, bias: true },
  { x: [1, 16, 9, 44], weight: [16, 16, 3, 3], padding: [0, 2, 1, 0] },
  { x: [1, 16, 3, 2], weight: [32, 16, 3, 3], padding: 1 },
  { x: [1, 32, 13, 13], weight: [48, 32, 5, 5], padding: 2, bias: true, activation: 'relu' },
  { x: [1, 16, 11, 12], weight: [16, 16, 7, 1], padding: [3, 3, 0, 0] },
  { x: [1, 16, 10, 21], weight: [32, 16, 2, 4], stride: [3, 1], padding: [1, 0, 2, 1], bias: true },
];

describeWith('avx512', 'the convolution of one image', () => {
  it.each(cases)('$x by $weight, stride $stride, padding $padding', async (options) => {
    setEngine('reference');
    const expected = await convolve(options);
    setEngine('onednn');
    let actual: Float32Array | null = null;
    const kernels = await kernelsOf('conv2d', async () => {
      actual = await convolve(options);
    });
    const name = ['conv2d', ...(options.adds ? ['add'] : []), ...(options.activation ? ['relu'] : [])].join('+');
    expect(kernels).toEqual([`${name} code:avx512`]);
    expectAgreement(actual as unknown as Float32Array, expected, 'y');
    expect(await convolve(options)).toEqual(actual);
  });

  it.each<[string, Case]>([
    ['more images', { x: [2, 16, 8, 8], weight: [16, 16, 1, 1] }],
    ['dilation', { x: [1, 16, 8, 8], weight: [16, 16, 3, 3], dilation: 2 }],
    ['groups', { x: [1, 32, 8, 8], weight: [32, 16, 1, 1], groups: 2 }],
    ['large kernels', { x: [1, 16, 20, 20], weight: [16, 16, 10, 5] }],
    ['large images', { x: [1, 16, 800, 900], weight: [16, 16, 1, 1] }],
    ['other activations', { x: [1, 16, 8, 8], weight: [16, 16, 1, 1], activation: 'tanh' }],
    ['channels of the input that 16 does not divide', { x: [1, 24, 8, 8], weight: [16, 24, 1, 1] }],
    ['channels of the result that 16 does not divide', { x: [1, 16, 8, 8], weight: [24, 16, 1, 1] }],
  ])('leaves %s to the library', async (_, options) => {
    const kernels = await kernelsOf('conv2d', () => convolve(options));
    expect(kernels).toHaveLength(1);
    expect(kernels[0]).not.toContain('code');
  });

  it('leaves everything to the library with FOVEA_CODE=0', async () => {
    vi.stubEnv('FOVEA_CODE', '0');
    const kernels = await kernelsOf('conv2d', () => convolve({ x: [1, 16, 8, 7], weight: [16, 16, 1, 1] }));
    expect(kernels).toHaveLength(1);
    expect(kernels[0]).not.toContain('code');
  });
});
