import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Accuracy } from '../../src/metric/index.js';
import { Model } from '../../src/model/model.js';
import {
  BatchNorm2D,
  BCEWithLogitsLoss,
  Conv2D,
  CrossEntropyLoss,
  Flatten,
  Linear,
  Sequential,
  Sigmoid,
  Softmax,
} from '../../src/nn/index.js';
import type { Layer } from '../../src/nn/layer.js';
import { SGD } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { classWeightsOf } from '../../src/train/classBalance.js';
import { binaryCrossEntropy, lossFunction } from '../../src/train/losses.js';
import type { LossFunction } from '../../src/train/objective.js';
import { classProbabilities, meaningUnder } from '../../src/train/outputs.js';

beforeEach(() => {
  setEngine('reference');
  seed(1);
});

/** Samples whose first value is their label. */
function labelled(labels: readonly number[], { shape = [16], known = true } = {}): Dataset {
  const size = shape.reduce((product, n) => product * n, 1);
  const get = (i: number) => ({ image: new Float32Array(size).fill(i).fill(labels[i], 0, 1), shape, label: labels[i] });
  return { length: labels.length, get, ...(known && { labels }) };
}

function modelOf(network: Layer, loss: Layer | LossFunction): Model {
  const model = new Model(network);
  model.prepare({ optimizer: new SGD({ parameters: model.parameters() }), loss, metrics: new Accuracy() });
  return model;
}

const binary: LossFunction = (outputs, labels) =>
  F.binaryCrossEntropyWithLogits(outputs, labels.cast('float32').reshape(outputs.shape));

test('the meaning of outputs follows from the loss', () => {
  const cases: [LossFunction | Layer, number[], object][] = [
    [new CrossEntropyLoss(), [4, 3], { kind: 'softmax', ignoreIndex: -100 }],
    [new CrossEntropyLoss({ ignoreIndex: 2 }), [4, 3], { kind: 'softmax', ignoreIndex: 2 }],
    [(x, y) => F.crossEntropy(x.mul(0.5), y).mul(2), [4, 2], { kind: 'softmax', ignoreIndex: -100 }],
    [(x) => F.logSoftmax(x).mean(), [4, 2], { kind: 'softmax', ignoreIndex: null }],
    [new BCEWithLogitsLoss(), [4, 1], { kind: 'sigmoid' }],
    [new BCEWithLogitsLoss(), [4], { kind: 'sigmoid' }],
    [binaryCrossEntropy, [4, 1], { kind: 'sigmoid' }],
    [
      (x, y) =>
        F.sigmoid(x.reshape([-1]))
          .sub(y.cast('float32'))
          .square()
          .mean(),
      [4, 1],
      { kind: 'sigmoid' },
    ],
    [(x, y) => F.mseLoss(x, y.cast('float32').reshape(x.shape)), [4, 1], { kind: 'other' }],
  ];
  for (const [loss, shape, meaning] of cases) expect(meaningUnder(lossFunction(loss), shape)).toEqual(meaning);
});

test('weights of the classes count under every reduction of binary cross entropy', async () => {
  const outputs = Tensor.fromData(Float32Array.of(0.5, -1, 2), [3, 1]);
  const weights = Tensor.fromData(Float32Array.of(2, 5));
  const labels = tensor([1, 0, 0], 'int32');
  // -log of the probability of the label.
  const losses = [Math.log(1 + Math.exp(-0.5)), Math.log(1 + Math.exp(-1)), Math.log(1 + Math.exp(2))];
  const weighted = [5 * losses[0], 2 * losses[1], 2 * losses[2]];
  const sum = weighted[0] + weighted[1] + weighted[2];
  for (const [reduction, expected] of [
    ['mean', [sum / 9]],
    ['sum', [sum]],
    ['none', weighted],
  ] as const) {
    const loss = lossFunction(new BCEWithLogitsLoss({ reduction }));
    const actual = await loss(outputs, labels, weights).data();
    expect(actual).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
  }
});

test('samples of the weight 0 alone give a loss of 0', async () => {
  const weights = Tensor.fromData(Float32Array.of(0, 1));
  const labels = tensor([0, 0], 'int32');
  for (const [loss, shape] of [
    [new BCEWithLogitsLoss(), [2, 1]],
    [new CrossEntropyLoss(), [2, 2]],
  ] as const) {
    const outputs = new Parameter(
      Float32Array.from({ length: 2 * shape[1] }, (_, i) => i),
      shape,
    );
    const value = lossFunction(loss)(outputs, labels, weights);
    value.backward();
    expect(await value.item()).toBe(0);
    expect((await (outputs.grad as Tensor).data()).every((x) => x === 0)).toBe(true);
  }
  expect(() => classWeightsOf([0, 0], [3, 4])).toThrow('expected a number above 0 among them, got [0, 0]');
});

test('probabilities are those of the meaning', async () => {
  const one = Tensor.fromData(Float32Array.of(0, Math.log(3)), [2, 1]);
  const both = [...(await classProbabilities(one, { kind: 'sigmoid' }).data())];
  for (const [i, p] of [0.5, 0.5, 0.25, 0.75].entries()) expect(both[i]).toBeCloseTo(p, 6);
  expect(classProbabilities(one, { kind: 'softmax', ignoreIndex: null }).shape).toEqual([2, 1]);
});

describe('outputs that do not fit the loss are refused before the first step', () => {
  const cross = new CrossEntropyLoss();
  const bce = new BCEWithLogitsLoss();
  const cases: [string, Layer, Layer | LossFunction, Dataset, RegExp][] = [
    [
      'one with cross entropy',
      new Linear(16, 1),
      cross,
      labelled([0, 0, 0, 0]),
      /BCEWithLogitsLoss.* Linear\(16, 2\)$/,
    ],
    ['the same in a function', new Linear(16, 1), (x, y) => F.crossEntropy(x, y), labelled([0, 1]), /Linear\(16, 2\)$/],
    ['one of two classes', new Linear(16, 1), cross, labelled([0, 1, 0, 1]), /BCEWithLogitsLoss.* Linear\(16, 2\)$/],
    [
      'too few',
      new Linear(16, 2),
      cross,
      labelled([0, 1, 1, 2]),
      /sample 3: expected a class from 0 to 1 .*2 outputs.* 2;/,
    ],
    ['labels of -1', new Linear(16, 2), cross, labelled([0, -1]), /sample 1: expected a class from 0 to 1 .* got -1/],
    [
      'several with binary cross entropy',
      new Linear(16, 3),
      bce,
      labelled([0, 1]),
      /got \[1,3\] for 1 samples; use Cross.* Linear\(16, 1\)$/,
    ],
    [
      'three classes with one',
      new Linear(16, 1),
      bce,
      labelled([0, 1, 2]),
      /sample 2: .* 0 to 1 .*1 output\), got 2; for more/,
    ],
    ['the same in a function', new Linear(16, 1), binary, labelled([0, 1, 2], { known: false }), /0 to 1 .* got 2/],
  ];
  test.each(cases)('%s', async (_, network, loss, trainData, message) => {
    const before = [...(await [...network.stateDict().values()][0].data())];
    const fitting = modelOf(network, loss).fit({ trainData, verbose: 0, shuffle: false });
    await expect(fitting).rejects.toThrow(InputError);
    await expect(fitting).rejects.toThrow(message);
    // Labels that are not known before the training are found in their batch.
    if (trainData.labels === undefined) return;
    expect([...(await [...network.stateDict().values()][0].data())]).toEqual(before);
  });

  test('in evaluation and single batches too', async () => {
    const images = Tensor.zeros([2, 16]);
    const labels = Tensor.fromData(Int32Array.of(0, 2));
    const model = modelOf(new Linear(16, 1), bce);
    await expect(model.trainBatch(images, labels)).rejects.toThrow(/\[trainBatch\] label of sample 1: .* got 2/);
    await expect(model.evalBatch(images, labels)).rejects.toThrow(/\[evalBatch\] label of sample 1: .* got 2/);
    await expect(model.evaluate(labelled([0, 2]), { verbose: 0 })).rejects.toThrow(/from 0 to 1/);
    await expect(modelOf(new Linear(16, 1), cross).evaluate(labelled([0, 0]), { verbose: 0 })).rejects.toThrow(
      /Linear\(16, 2\)/,
    );
  });
});

test('the layer for logits of class 1 takes classes, and weights of them', async () => {
  const trainData = labelled([0, 1, 0, 1]);
  const [{ evalAccuracy, trainLoss }] = await modelOf(new Linear(16, 1), new BCEWithLogitsLoss()).fit({
    trainData,
    evalData: trainData,
    batchSize: 4,
    classWeight: 'auto',
    verbose: 0,
  });
  expect(trainLoss).toBeGreaterThan(0);
  expect(evalAccuracy).toBeGreaterThanOrEqual(0.5);
});

test('a label that the loss ignores is no wrong one', async () => {
  const trainData = labelled([0, 1, -1, 1]);
  const model = modelOf(new Linear(16, 2), new CrossEntropyLoss({ ignoreIndex: -1 }));
  expect(await model.fit({ trainData, batchSize: 4, verbose: 0 })).toHaveLength(1);
});

test('probabilities in place of logits are pointed out', async () => {
  const labels = [0, 1];
  const notes: string[] = [];
  const write = process.stderr.write;
  process.stderr.write = ((text: string) => notes.push(text) > 0) as typeof write;
  try {
    const ends: [Layer, Layer, number][] = [
      [new Softmax(), new CrossEntropyLoss(), 2],
      [new Sigmoid(), new BCEWithLogitsLoss(), 1],
    ];
    for (const [last, loss, outputs] of ends) {
      const model = modelOf(new Sequential(new Linear(16, outputs), last), loss);
      model.prepare({ optimizer: new SGD({ parameters: model.parameters() }), loss });
      await model.fit({ trainData: labelled(labels), epochs: 2, callbacks: [], logFreq: 1, verbose: 3 });
      await model.fit({ trainData: labelled(labels), verbose: 0 });
    }
  } finally {
    process.stderr.write = write;
  }
  expect(notes.filter((note) => note.startsWith('[fit] outputs'))).toEqual([
    '[fit] outputs: the network ends in Softmax, and cross entropy applies its own; leave that layer out\n',
    '[fit] outputs: the network ends in Sigmoid, and binary cross entropy applies its own; leave that layer out\n',
  ]);
});

describe('batch norm over a single value', () => {
  const network = () => new Sequential(new Conv2D(1, 4, 4), new BatchNorm2D(4), new Flatten(), new Linear(4, 2));
  const trained = (size: number, options: object, layer: Layer = network()) =>
    modelOf(layer, new CrossEntropyLoss()).fit({
      trainData: labelled([0, 1, 0, 1, 1], { shape: [1, size, size] }),
      verbose: 0,
      ...options,
    });

  test('is refused, with what to change', async () => {
    await expect(trained(4, { batchSize: 1 })).rejects.toThrow(
      /more than one value a channel in training, got one \(4 channels of 1×1 in a batch of one image\); take larger/,
    );
    await expect(trained(4, { batchSize: 2 })).rejects.toThrow(
      /the last batch of an epoch has one image: take another .* 2/,
    );
    await expect(trained(4, { batchSize: 4 })).rejects.toThrow(InputError);
    const model = modelOf(network(), new CrossEntropyLoss());
    const single = model.trainBatch(Tensor.zeros([1, 1, 4, 4]), Tensor.fromData(Int32Array.of(1)));
    await expect(single).rejects.toThrow(/\[trainBatch\] batch norm: expected more than one value/);
  });

  test('is none with more samples or more pixels', async () => {
    expect(await trained(4, { batchSize: 2, dropLast: true })).toHaveLength(1);
    expect(await trained(4, { batchSize: 2, numIters: 2 })).toHaveLength(1);
    expect(await trained(4, { batchSize: 5 })).toHaveLength(1);
    const wide = new Sequential(new Conv2D(1, 4, 4), new BatchNorm2D(4), new Flatten(), new Linear(16, 2));
    expect(await trained(5, { batchSize: 1 }, wide)).toHaveLength(1);
  });
});
