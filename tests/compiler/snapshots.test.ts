import { expect, it } from 'vitest';
import { optimize } from '../../src/compiler/optimize.js';
import { printGraph } from '../../src/compiler/print.js';
import type { Assignment } from '../../src/graph/node.js';
import * as ops from '../../src/ops/index.js';
import * as F from '../../src/tensor/functional.js';
import { Buffer, Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { LeNet } from '../../src/vision/models/course/lenet.js';
import { fused, graphOf } from './support.js';

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const parameter = (...shape: number[]): Parameter => new Parameter(new Float32Array(count(shape)), shape);
const input = (...shape: number[]): Tensor => Tensor.fromData(new Float32Array(count(shape)), shape);

/** The graph of one training step with plain gradient descent, as an engine that fuses gets it. */
function trainingStep(loss: Tensor, parameters: readonly Parameter[]): string {
  loss.backward();
  const rate = input().value;
  const assignments: Assignment[] = parameters.map((p) => {
    const [updated] = ops.sgdUpdate({ weightDecay: 0 }, p.value, (p.grad as Tensor).value, rate);
    return p.overwrite(updated);
  });
  return `${printGraph(optimize(graphOf([loss], assignments), fused))}\n`;
}

// A change in a pass shows here as the difference that it makes; `vitest -u` writes the files again.

it('LeNet', async () => {
  const net = new LeNet({ numClasses: 10 });
  const labels = Tensor.fromData(new Int32Array(10));
  const text = trainingStep(F.crossEntropy(net.forward(input(10, 1, 28, 28)), labels), net.parameters());
  await expect(text).toMatchFileSnapshot('snapshots/lenet.txt');
});

it('conv, relu, pool, linear, cross entropy', async () => {
  const [weight, bias] = [parameter(6, 1, 5, 5), parameter(6)];
  const [fcWeight, fcBias] = [parameter(864, 10), parameter(10)];
  const y = F.maxPool2d(F.relu(F.conv2d(input(4, 1, 28, 28), weight, bias)), 2);
  const logits = F.linear(y.flatten({ startAxis: 1 }), fcWeight, fcBias);
  const labels = Tensor.fromData(new Int32Array(4));
  const text = trainingStep(F.crossEntropy(logits, labels), [weight, bias, fcWeight, fcBias]);
  await expect(text).toMatchFileSnapshot('snapshots/conv-relu-pool-linear.txt');
});

it('conv, batch norm, relu, residual add, relu', async () => {
  const weights = [parameter(16, 16, 3, 3), parameter(16, 16, 3, 3)];
  const norms = [0, 1].map(() => ({
    scale: parameter(16),
    shift: parameter(16),
    mean: Buffer.filled([16], 0),
    variance: Buffer.filled([16], 1),
  }));
  const normalized = (x: Tensor, { scale, shift, mean, variance }: (typeof norms)[number]) => {
    const [y, batchMean, batchVariance] = ops.batchNormTrain({ epsilon: 1e-5 }, x.value, scale.value, shift.value);
    mean.assign(ops.runningAverage(0.9, mean.value, batchMean), y);
    variance.assign(ops.runningAverage(0.9, variance.value, batchVariance), y);
    return new Tensor(y);
  };
  const x = input(2, 16, 8, 8);
  const inner = F.relu(normalized(F.conv2d(x, weights[0], null, { padding: 1 }), norms[0]));
  const outer = normalized(F.conv2d(inner, weights[1], null, { padding: 1 }), norms[1]);
  const loss = F.relu(outer.add(x)).mean();
  const text = trainingStep(loss, [...weights, ...norms.flatMap(({ scale, shift }) => [scale, shift])]);
  await expect(text).toMatchFileSnapshot('snapshots/residual-block.txt');
});
