import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineName } from '../../src/engine/engines.js';
import { setConvolution, setEngine } from '../../src/engine/select.js';
import type { Shape } from '../../src/graph/shape.js';
import { BatchNorm2D } from '../../src/nn/index.js';
import { concat, stack, where } from '../../src/tensor/combine.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines, noise } from '../engines.js';

const one = (x: Tensor, value: number) => Tensor.full([...x.shape], value);
const weight = (shape: Shape) => Tensor.fromData(noise(shape, 7, 0.3).data as Float32Array, shape);

/** Ops of features `[N, C, H, W]`. Those behind a division or logarithm get what is not finite from within the program. */
const ops: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  relu: F.relu,
  relu6: F.relu6,
  leakyRelu: (x) => F.leakyRelu(x, 0.1),
  sigmoid: F.sigmoid,
  tanh: F.tanh,
  exp: (x) => x.exp(),
  log: (x) => x.log(),
  sqrt: (x) => x.sqrt(),
  abs: (x) => x.abs(),
  square: (x) => x.square(),
  affine: (x) => x.affine(2, 1),
  'add and relu': (x) => F.relu(x.add(one(x, 1))),
  sub: (x) => x.sub(one(x, 1)),
  mul: (x) => x.mul(one(x, 0)),
  div: (x) => one(x, 1).div(x),
  'division by 0': (x) => x.div(one(x, 0)),
  'maximum, on the left': (x) => x.maximum(one(x, 0)),
  'maximum, on the right': (x) => one(x, 0).maximum(x),
  'minimum, on the left': (x) => x.minimum(one(x, 0)),
  'minimum, on the right': (x) => one(x, 0).minimum(x),
  'maximum with a number': (x) => x.maximum(0),
  'max of all': (x) => x.max(),
  'max of channels': (x) => x.max({ axis: 1 }),
  'min of pixels': (x) => x.min({ axis: [2, 3] }),
  sum: (x) => x.sum(),
  mean: (x) => x.mean({ axis: [2, 3] }),
  'softmax of channels': (x) => F.softmax(x, 1),
  'softmax of a row': (x) => F.softmax(x, 3),
  logSoftmax: (x) => F.logSoftmax(x, 1),
  maxPool: (x) => F.maxPool2d(x, 2),
  'overlapping maxPool': (x) => F.maxPool2d(x, 3, { stride: 1, padding: 1 }),
  'large maxPool': (x) => F.maxPool2d(x, 5, { stride: 2, padding: 2 }),
  'maxPool and relu': (x) => F.maxPool2d(F.relu(x), 2),
  avgPool: (x) => F.avgPool2d(x, 2),
  adaptiveAvgPool: (x) => F.adaptiveAvgPool2d(x, 2),
  'convolution and relu': (x) => F.relu(F.conv2d(x, weight([16, x.shape[1], 3, 3]), null, { padding: 1 })),
  'pointwise convolution and relu6': (x) => F.relu6(F.conv2d(x, weight([5, x.shape[1], 1, 1]))),
  'convolution, sum and relu': (x) => F.relu(F.conv2d(x, weight([x.shape[1], x.shape[1], 1, 1])).add(x.affine(2, 0))),
  'linear and relu': (x) => {
    const flat = x.flatten({ startAxis: 1 });
    return F.relu(F.linear(flat, weight([flat.shape[1], 12])));
  },
  'batch norm and relu': (x) => F.relu(new BatchNorm2D(x.shape[1]).forward(x)),
  'batch norm of given statistics and relu': (x) => F.relu(new BatchNorm2D(x.shape[1]).eval().forward(x)),
  'minimum with a number': (x) => x.minimum(0),
  clip: (x) => x.clip(-0.5, 0.5),
  pow: (x) => x.pow(3),
  'root by pow': (x) => x.pow(0.5),
  'fractional pow': (x) => x.pow(1.5),
  'negative pow': (x) => x.pow(-1),
  'division by x': (x) => x.div(x),
  where: (x) => where(x.greater(0), x, x.affine(0.5, 0)),
  neg: (x) => x.neg(),
  'max of rows': (x) => x.max({ axis: 3 }),
  'min of all': (x) => x.min(),
  'sum of channels': (x) => x.sum({ axis: 1 }),
  transpose: (x) => F.relu(x.transpose([0, 2, 3, 1])),
  pad: (x) => F.relu(x.pad([0, 0, 1, 1], [0, 0, 1, 0])),
  slice: (x) => F.tanh(x.slice([0, 0, 1], [])),
  stack: (x) => F.relu(stack([x, x.affine(1, 1)], 1)),
  matmul: (x) => F.relu(x.matmul(weight([x.shape[3], 3]))),
  'depthwise convolution': (x) => F.conv2d(x, weight([x.shape[1], 1, 1, 1]), null, { groups: x.shape[1] }),
  'strided convolution and sigmoid': (x) => F.sigmoid(F.conv2d(x, weight([8, x.shape[1], 1, 1]), null, { stride: 2 })),
  'softmax of all channels and pixels': (x) => F.softmax(x.flatten({ startAxis: 1 })),
  'mean squared error': (x) => F.mseLoss(x, one(x, 0.5), { reduction: 'none' }),
  'binary cross entropy': (x) => F.binaryCrossEntropyWithLogits(x, one(x, 0.5), { reduction: 'none' }),
  concat: (x) => F.relu(concat([x, x.affine(1, 1)], 1)),
  'log and relu': (x) => F.relu(x.log()),
  'log and relu6': (x) => F.relu6(x.log()),
  'log and maximum': (x) => x.log().maximum(one(x, -1)),
  'log and maxPool': (x) => F.maxPool2d(x.log(), 2),
  'division by 0 and max': (x) => x.div(one(x, 0)).max({ axis: 1 }),
  'square root and softmax': (x) => F.softmax(x.sqrt(), 1),
};

const shapes: readonly Shape[] = [
  [1, 1, 2, 2],
  [1, 3, 2, 5],
  [2, 8, 3, 3],
  [1, 16, 4, 4],
  [2, 3, 8, 8],
  [2, 16, 8, 8],
  [1, 17, 8, 8],
  [2, 32, 16, 16],
];
const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -1, 1];

async function computed(
  engine: EngineName,
  op: (x: Tensor) => Tensor,
  data: Float32Array,
  shape: Shape,
): Promise<string> {
  setEngine(engine);
  const y = await op(Tensor.fromData(data.slice(), shape)).data();
  return Array.from(y, (v) => (Number.isFinite(v) ? '.' : `${v} `)).join('');
}

/** Results of the reference engine. */
const expected = new Map<string, Promise<string>>();

describe.each([
  ['onednn', '0'],
  ['onednn', '1'],
  // Winograd's kernels bring an infinity to all pixels of a tile.
  ['portable', '1'],
] as const)('what is not finite goes where it does in the reference: %s, FOVEA_CODE=%s', (engine, code) => {
  beforeAll(() => {
    setEngine(engine);
    setConvolution(engine === 'portable' ? 'direct' : 'auto');
  });
  afterAll(() => {
    setEngine(engine);
    setConvolution('auto');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each(Object.keys(ops))('%s', async (name) => {
    vi.stubEnv('FOVEA_CODE', code);
    for (const shape of shapes) {
      const values = noise(shape).data as Float32Array;
      for (const special of specials) {
        const data = values.slice();
        for (const place of [0, 3, data.length - 1]) data[place] = special;
        const actual = await computed(engine, ops[name], data, shape);
        const key = `${name}, ${special} in [${shape}]`;
        const wanted = expected.get(key) ?? computed('reference', ops[name], data, shape);
        expected.set(key, wanted);
        expect(actual, key).toBe(await wanted);
      }
    }
  });
});

it('relu, maxima and max pooling give NaN for NaN, as in PyTorch', async () => {
  const x = Tensor.fromData(Float32Array.of(-1, 2, Number.NaN, 3, -5, -6, -7, Number.NEGATIVE_INFINITY), [1, 2, 2, 2]);
  for (const engine of engines) {
    setEngine(engine);
    expect(await F.relu(x).data()).toEqual(Float32Array.of(0, 2, Number.NaN, 3, 0, 0, 0, 0));
    expect(await F.maxPool2d(x, 2).data()).toEqual(Float32Array.of(Number.NaN, -5));
    expect(await x.max({ axis: [2, 3] }).data()).toEqual(Float32Array.of(Number.NaN, -5));
    expect(await x.maximum(0).data()).toEqual(Float32Array.of(0, 2, Number.NaN, 3, 0, 0, 0, 0));
  }
});
