import type { Value } from '../../../src/graph/node.js';
import type { OpParams } from '../../../src/graph/op.js';
import type { Shape } from '../../../src/graph/shape.js';
import * as o from '../../../src/ops/index.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { between, fixed, given, integers, noise } from '../../engines.js';
import { type Case, type CaseTable, shapes } from './common.js';

const updates = (states: number, build: (parameter: Value, gradient: Value, states: Value[]) => readonly Value[]) =>
  ([[], [5], [17, 3, 3, 3], [64, 33]] as readonly Shape[]).map(
    (shape): Case => ({
      name: `[${shape}]`,
      inputs: [
        fixed(noise(shape, 1)),
        fixed(noise(shape, 2)),
        ...Array.from({ length: states }, (_, i) => fixed(between(shape, 0.1, 1, 3 + i))),
      ],
      build: (parameter, gradient, ...rest) => build(parameter, gradient, rest),
    }),
  );

const scalar = (value: number): Value => Tensor.fromData(Float32Array.of(value), []).value;

export const training = {
  crossEntropy: [
    [1, 2],
    [10, 10],
    [33, 100],
  ].map(([n, classes]) => ({
    name: `[${n},${classes}]`,
    inputs: [noise([n, classes], 1, 3), integers([n], classes, 2)],
    build: (logits, labels) => o.crossEntropy(1, logits, labels),
  })),
  crossEntropyBackward: [
    [1, 2],
    [10, 10],
    [33, 100],
  ].map(([n, classes]) => ({
    name: `[${n},${classes}]`,
    inputs: [fixed(noise([n, classes], 1, 3)), integers([n], classes, 2), fixed(noise([n], 3))],
    build: (logits, labels, dLoss) => o.crossEntropyBackward({ ignoreIndex: 1 }, logits, labels, dLoss),
  })),
  bceWithLogits: shapes.map((shape) => ({
    name: `[${shape}]`,
    inputs: [noise(shape, 1, 3), fixed(between(shape, 0, 1, 2))],
    build: o.bceWithLogits,
  })),
  bceWithLogitsBackward: shapes.map((shape) => ({
    name: `[${shape}]`,
    inputs: [fixed(noise(shape, 1, 3)), fixed(between(shape, 0, 1, 2)), fixed(noise(shape, 3))],
    build: o.bceWithLogitsBackward,
  })),
  dropoutMask: [true, false].map((upscale) => ({
    name: upscale ? 'upscaled' : 'of 0 and 1',
    inputs: [given(Int32Array.of(12345, -678))],
    build: (seed) => o.dropoutMask({ shape: [3, 5, 7], p: 0.3, upscale }, seed),
  })),
  sgdUpdate: [0, 0.01].flatMap((weightDecay) =>
    updates(0, (parameter, gradient) => o.sgdUpdate({ weightDecay }, parameter, gradient, scalar(0.1))),
  ),
  momentumUpdate: ([0, 0.01] as const).flatMap((weightDecay) =>
    [true, false].flatMap((nesterov) =>
      updates(1, (parameter, gradient, [velocity]) =>
        o.momentumUpdate({ momentum: 0.9, weightDecay, nesterov }, parameter, gradient, velocity, scalar(0.1)),
      ),
    ),
  ),
  adamUpdate: [0, 0.01].flatMap((weightDecay) =>
    updates(2, (parameter, gradient, [moment1, moment2]) => {
      const scalars = Tensor.fromData(Float32Array.of(0.001, 0.1, 0.001, 0.99)).value;
      const params: OpParams['adamUpdate'] = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay };
      return o.adamUpdate(params, parameter, gradient, moment1, moment2, scalars);
    }),
  ),
} satisfies Partial<CaseTable>;
