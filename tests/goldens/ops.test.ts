import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { dtypeOf } from '../../src/graph/dtype.js';
import * as ops from '../../src/ops/index.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import * as F from '../../src/tensor/functional.js';
import { Parameter } from '../../src/tensor/state.js';
import { concat, matmul, stack, where } from '../../src/tensor/combine.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines, expectAgreement } from '../engines.js';
import { type GoldenCase, type GoldenOp, type GoldenOptions, type GoldenTensor, loadGolden, opFiles } from './load.js';

type Inputs = Readonly<Record<string, Tensor>>;
type Runner<K extends GoldenOp> = (inputs: Inputs, options: GoldenOptions[K]) => Tensor | readonly Tensor[];

const activation =
  (fn: (x: Tensor) => Tensor) =>
  ({ x }: Inputs): Tensor =>
    fn(x);

const reduction =
  (fn: 'sum' | 'mean' | 'max' | 'min') =>
  ({ x }: Inputs, options: GoldenOptions['sum']): Tensor =>
    x[fn](options);

/** How Fovea says what a golden case says; a new golden op does not compile without its entry. */
const runners: { readonly [K in GoldenOp]: Runner<K> } = {
  conv2d: ({ x, weight, bias = null }, options) => F.conv2d(x, weight, bias, options),
  linear: ({ x, weight, bias = null }) => F.linear(x, weight, bias),
  maxPool2d: ({ x }, { kernelSize, ...options }) => F.maxPool2d(x, kernelSize, options),
  avgPool2d: ({ x }, { kernelSize, ...options }) => F.avgPool2d(x, kernelSize, options),
  adaptiveAvgPool2d: ({ x }, { outputSize }) => F.adaptiveAvgPool2d(x, outputSize),
  batchNorm2d({ x, weight, bias, runningMean, runningVariance }, { training, momentum, epsilon }) {
    const [mean, variance] = [runningMean.value, runningVariance.value];
    if (!training) return new Tensor(ops.batchNorm({ epsilon }, x.value, mean, variance, weight.value, bias.value));
    const [y, batchMean, batchVariance] = ops.batchNormTrain({ epsilon }, x.value, weight.value, bias.value);
    return [
      y,
      ops.runningAverage(momentum, mean, batchMean),
      ops.runningAverage(momentum, variance, batchVariance),
    ].map((value) => new Tensor(value));
  },
  relu: activation(F.relu),
  leakyRelu: ({ x }, { negativeSlope }) => F.leakyRelu(x, negativeSlope),
  sigmoid: activation(F.sigmoid),
  tanh: activation(F.tanh),
  hardswish: activation(F.hardswish),
  hardsigmoid: activation(F.hardsigmoid),
  silu: activation(F.silu),
  gelu: activation(F.gelu),
  channelShuffle: ({ x }, { groups }) => F.channelShuffle(x, groups),
  square: activation((x) => x.square()),
  abs: activation((x) => x.abs()),
  exp: activation((x) => x.exp()),
  log: activation((x) => x.log()),
  sqrt: activation((x) => x.sqrt()),
  softmax: ({ x }, { axis }) => F.softmax(x, axis),
  logSoftmax: ({ x }, { axis }) => F.logSoftmax(x, axis),
  crossEntropy: ({ logits, labels }, options) => F.crossEntropy(logits, labels, options),
  bceWithLogits: ({ x, target }, options) => F.binaryCrossEntropyWithLogits(x, target, options),
  mse: ({ x, target }, options) => F.mseLoss(x, target, options),
  add: ({ a, b }) => a.add(b),
  subtract: ({ a, b }) => a.sub(b),
  multiply: ({ a, b }) => a.mul(b),
  divide: ({ a, b }) => a.div(b),
  maximum: ({ a, b }) => a.maximum(b),
  minimum: ({ a, b }) => a.minimum(b),
  sum: reduction('sum'),
  mean: reduction('mean'),
  max: reduction('max'),
  min: reduction('min'),
  concat: (inputs, { axis }) => concat(Object.values(inputs), axis),
  pad: ({ x }, { before, after, value }) => x.pad(before, after, value),
  slice({ x }, { axes, starts, ends }) {
    const from = x.shape.map((_, axis) => starts[axes.indexOf(axis)] ?? 0);
    const to = x.shape.map((size, axis) => ends[axes.indexOf(axis)] ?? size);
    return x.slice(from, to);
  },
  transpose: ({ x }, { permutation }) => x.transpose(permutation),
  topk({ x }, { k, axis }) {
    const { values, indices } = x.topk(k, { axis });
    return [values, indices];
  },
  where: ({ condition, x, y }) => where(condition, x, y),
  matmul: ({ x, y }, options) => matmul(x, y, options),
  clip: ({ x }, { min, max }) => x.clip(min, max),
  pow: ({ x }, { exponent }) => x.pow(exponent),
  power: ({ x, exponent }) => x.pow(exponent),
  squeeze: ({ x }, { axis }) => x.squeeze(axis),
  unsqueeze: ({ x }, { axis }) => x.unsqueeze(axis),
  stack: (inputs, { axis }) => stack(Object.values(inputs), axis),
  argmax: ({ x }, options) => x.argmax(options),
};

/** Ops that have a gradient in Paddle and PyTorch and none here: no training goes through a ranking. */
const withoutGradient: readonly GoldenOp[] = ['topk'];

/**
 * The goldens are float64 results rounded once, so this is the error of a float32 computation: 1e-5 of the largest
 * magnitude in the tensor, for sums of terms of both signs cancel and leave the rounding of the terms behind. The same
 * holds where a whole tensor cancels, hence not less than 1e-7, the rounding of terms of size 1.
 */
const tolerance = { tolerance: 1e-5, floor: 1e-2 };

function tensorOf({ data, shape, dtype }: GoldenTensor, grad: boolean): Tensor {
  if (dtype === 'int32') return Tensor.fromData(Int32Array.from(data), shape);
  const values = Float32Array.from(data);
  return grad ? new Parameter(values, shape) : Tensor.fromData(values, shape);
}

async function check(golden: GoldenCase): Promise<void> {
  const { op, options, outputs, dy } = golden;
  const gradients = withoutGradient.includes(op) ? {} : (golden.gradients ?? {});
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs).map(([name, tensor]) => [name, tensorOf(tensor, name in gradients)]),
  );
  const result = (runners[op] as Runner<GoldenOp>)(inputs, options);
  const results = result instanceof Tensor ? [result] : result;
  expect(results).toHaveLength(Object.keys(outputs).length);
  if (dy !== undefined && Object.keys(gradients).length > 0) {
    results[0].mul(tensorOf(dy, false)).sum().backward();
  }
  const grads = Object.keys(gradients).map((name) => (inputs[name] as Parameter).grad as Tensor);
  await realizeAll([...results, ...grads]);
  for (const [i, [name, expected]] of Object.entries(outputs).entries()) {
    expect(results[i].shape, `shape of ${name}`).toEqual(expected.shape);
    const data = await results[i].data();
    expect(dtypeOf(data)).toBe(expected.dtype);
    expectAgreement(data, expected.data, name, tolerance);
  }
  for (const [i, [name, expected]] of Object.entries(gradients).entries()) {
    expect(grads[i].shape, `shape of the gradient of ${name}`).toEqual(expected.shape);
    expectAgreement(await grads[i].data(), expected.data, `gradient of ${name}`, tolerance);
  }
}

describe.each(engines)('%s computes what Paddle and PyTorch compute', (engine) => {
  beforeAll(() => setEngine(engine));

  for (const file of opFiles) {
    const { cases, framework } = loadGolden(file);
    describe(`${file} (${framework})`, () => {
      it.each(cases.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => check(golden));
    });
  }
});
