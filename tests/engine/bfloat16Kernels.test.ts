import { beforeEach, expect, it, vi } from 'vitest';
import { bfloat16Products } from '../../src/engine/onednn/bfloat16.js';
import { hasDirectKernel } from '../../src/engine/onednn/lower/conv.js';
import * as nn from '../../src/nn/index.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { graphOf } from '../compiler/support.js';
import { noise } from '../engines.js';
import { itWith } from '../needs.js';

/** Whether the library has direct kernels with bfloat16; `null` asks it. */
const library = vi.hoisted(() => ({ hasKernels: null as boolean | null, asked: 0 }));
vi.mock('../../src/engine/onednn/lower/conv.js', async (original) => {
  const { hasDirectKernel, ...others } = await original<typeof import('../../src/engine/onednn/lower/conv.js')>();
  const ask: typeof hasDirectKernel = (...args) => {
    library.asked++;
    return library.hasKernels ?? hasDirectKernel(...args);
  };
  return { ...others, hasDirectKernel: ask };
});

beforeEach(() => {
  Object.assign(library, { hasKernels: null, asked: 0 });
});

function convolutions(channels: readonly number[]) {
  const layers = channels.slice(1).map((out, i) => new nn.Conv2D(channels[i], out, 5));
  const x = [4, channels[0], 20, 20];
  return graphOf([new nn.Sequential(...layers).forward(Tensor.fromData(noise(x).data, x))]);
}

function takesBfloat16(graph: ReturnType<typeof convolutions>): boolean {
  const pays = bfloat16Products(graph, 'auto', 'library', 'AVX-512');
  return graph.nodes.some((node) => node.op === 'conv2d' && pays(node));
}

it('convolutions of few channels stay float32 where the library has no direct kernel for them', () => {
  library.hasKernels = false;
  expect(takesBfloat16(convolutions([1, 6, 16]))).toBe(false);
  library.hasKernels = true;
  expect(takesBfloat16(convolutions([1, 6, 16]))).toBe(true);
});

it('whole blocks of channels have such kernels', () => {
  library.hasKernels = false;
  expect(takesBfloat16(convolutions([16, 32, 48]))).toBe(true);
  expect(library.asked).toBe(0);
});

itWith('bf16', 'the library has a direct kernel for whole blocks, in all directions', () => {
  const params = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1, weightShape: [32, 16, 3, 3] };
  const [x, weight, y] = [
    [2, 16, 12, 12],
    [32, 16, 3, 3],
    [2, 32, 12, 12],
  ].map((shape) => ({ shape }));
  const node = (inputs: object[], output: object) => ({ inputs, outputs: [output], params }) as never;
  expect(hasDirectKernel(node([x, weight], y), 'forward')).toBe(true);
  expect(hasDirectKernel(node([y, weight], x), 'backwardData')).toBe(true);
  expect(hasDirectKernel(node([x, y], weight), 'backwardWeights')).toBe(true);
});
