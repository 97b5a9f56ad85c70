import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import {
  callbacks,
  F,
  io,
  metric,
  nn,
  optimizer,
  Parameter,
  RandomGenerator,
  setThreads,
  statistics,
  tensor,
} from '../../src/index.js';

const { lr } = optimizer;
const parameters = [new Parameter(new Float32Array(2), [2])];
const dataset = new io.TensorDataset([tensor([[[[1]]], [[[2]]]]), tensor([0, 1], 'int32')]);
const rate = { learningRate: 0.1 };

/** Calls with a number in a range, the name of the number in messages, and numbers beyond the range. */
const cases: Readonly<Record<string, [(x: number) => unknown, what: string, wrong: readonly number[]]>> = {
  'rate of an optimizer': [
    (x) => new optimizer.SGD({ parameters, learningRate: x }),
    'learningRate',
    [-1, NaN, Infinity],
  ],
  weightDecay: [(x) => new optimizer.SGD({ parameters, weightDecay: x }), 'weightDecay', [-1, NaN, Infinity]],
  momentum: [(x) => new optimizer.Momentum({ parameters, momentum: x }), 'momentum', [-0.1, 1, NaN]],
  beta1: [(x) => new optimizer.Adam({ parameters, beta1: x }), 'beta1', [-0.1, 1, NaN]],
  beta2: [(x) => new optimizer.AdamW({ parameters, beta2: x }), 'beta2', [-0.1, 1, 2, NaN]],
  'epsilon of Adam': [(x) => new optimizer.Adam({ parameters, epsilon: x }), 'epsilon', [-1, 0, NaN, Infinity]],
  'decay of AdamW': [(x) => new optimizer.AdamW({ parameters, weightDecay: x }), 'weightDecay', [-1, NaN]],
  clipNorm: [(x) => new optimizer.ClipGradByGlobalNorm({ clipNorm: x }), 'clipNorm', [-1, 0, NaN, Infinity]],
  'bound of a clip': [(x) => new optimizer.ClipGradByValue({ max: x }), 'm(in|ax)', [-1, NaN]],
  'p of Dropout': [(x) => new nn.Dropout(x), 'p', [-0.1, 1, 1.5, NaN]],
  'p of dropout': [(x) => F.dropout(tensor([1]), { p: x }), 'p', [-0.1, 1, 1.5, NaN]],
  'momentum of batch norm': [(x) => new nn.BatchNorm2D(2, { momentum: x }), 'momentum', [-0.1, 1.1, NaN]],
  'epsilon of batch norm': [(x) => new nn.BatchNorm2D(2, { epsilon: x }), 'epsilon', [0, -1, NaN, Infinity]],
  'channels of a convolution': [(x) => new nn.Conv2D(x, 2, 3), 'inChannels', [0, 1.5, -1, NaN]],
  stride: [(x) => new nn.Conv2D(1, 2, 3, { stride: x }), 'stride', [0, 1.5, -1, NaN]],
  padding: [(x) => new nn.MaxPool2D(3, { padding: x }), 'padding', [1.5, -1, NaN]],
  'kernel of a pooling': [(x) => new nn.AvgPool2D(x), 'kernelSize', [0, 1.5, -1, NaN, Infinity]],
  'cells of a pooling': [(x) => new nn.AdaptiveAvgPool2D(x), 'outputSize', [0, 1.5, -1, NaN]],
  axis: [(x) => new nn.Softmax(x), 'axis', [1.5, NaN, Infinity]],
  slope: [(x) => new nn.LeakyReLU(x), 'negativeSlope', [-1, NaN, Infinity]],
  'initial value': [(x) => nn.initializer.constant(x), 'value', [NaN, Infinity]],
  'initial deviation': [(x) => nn.initializer.normal(0, x), 'std', [-1, NaN, Infinity]],
  batchSize: [(x) => new io.DataLoader(dataset, { batchSize: x }), 'batchSize', [0, 1.5, -1, NaN, Infinity]],
  prefetch: [(x) => new io.DataLoader(dataset, { prefetch: x }), 'prefetch', [-1, 1.5, NaN, Infinity]],
  seed: [(x) => new RandomGenerator(x), 'seed', [-1, 1.5, NaN, Infinity, 2 ** 53]],
  threads: [(x) => setThreads(x), 'threads', [0, -1, 1.5, NaN, Infinity, 1e9]],
  'topk of Accuracy': [(x) => new metric.Accuracy({ topk: [x] }), 'topk', [0, -1, 1.5, NaN]],
  bins: [
    (x) => statistics.calibration({ labels: Int32Array.of(1), scores: Float32Array.of(1) }, { bins: x }),
    'bins',
    [0, 1.5, NaN, Infinity, 1e12],
  ],
  'patience of EarlyStopping': [
    (x) => new callbacks.EarlyStopping({ patience: x }),
    'patience',
    [-1, 0.5, NaN, Infinity],
  ],
  minDelta: [(x) => new callbacks.EarlyStopping({ minDelta: x }), 'minDelta', [NaN, Infinity]],
  baseline: [(x) => new callbacks.EarlyStopping({ baseline: x }), 'baseline', [NaN, Infinity]],
  'factor of ReduceLROnPlateau': [(x) => new callbacks.ReduceLROnPlateau({ factor: x }), 'factor', [0, 1, -1, NaN]],
  'patience of ReduceLROnPlateau': [
    (x) => new callbacks.ReduceLROnPlateau({ patience: x }),
    'patience',
    [-1, 1.5, NaN],
  ],
  'cooldown of ReduceLROnPlateau': [(x) => new callbacks.ReduceLROnPlateau({ cooldown: x }), 'cooldown', [-1, NaN]],
  minLr: [(x) => new callbacks.ReduceLROnPlateau({ minLr: x }), 'minLr', [-1, NaN, Infinity]],
  saveFreq: [(x) => new callbacks.ModelCheckpoint({ saveFreq: x }), 'saveFreq', [-1, 1.5, NaN]],
  keepLastN: [(x) => new callbacks.ModelCheckpoint({ keepLastN: x }), 'keepLastN', [0, 1.5, NaN]],
  updateFreq: [(x) => new callbacks.TensorBoard({ logDir: 'x', updateFreq: x }), 'updateFreq', [0, 1.5, NaN, Infinity]],
  'patience of a schedule': [(x) => new lr.ReduceOnPlateau({ ...rate, patience: x }), 'patience', [-1, 1.5, NaN]],
  'factor of a schedule': [(x) => new lr.ReduceOnPlateau({ ...rate, factor: x }), 'factor', [0, 1, 2, NaN]],
  stepSize: [(x) => new lr.StepDecay({ ...rate, stepSize: x }), 'stepSize', [0, 1.5, NaN]],
  gamma: [(x) => new lr.StepDecay({ ...rate, stepSize: 1, gamma: x }), 'gamma', [0, 1, NaN]],
  milestones: [(x) => new lr.MultiStepDecay({ ...rate, milestones: [3, x] }), 'milestones', [2, 3, NaN]],
  expGamma: [
    (x) => new lr.CyclicLR({ baseLearningRate: 0.1, maxLearningRate: 1, stepSizeUp: 2, expGamma: x }),
    'expGamma',
    [-1, 0, NaN, Infinity],
  ],
  'metric of a plateau': [(x) => new lr.ReduceOnPlateau(rate).step(x), 'metric', [NaN]],
};

describe('a number beyond its range is refused by its name', () => {
  it.each(Object.entries(cases))('%s', (_, [call, what, wrong]) => {
    for (const value of wrong) {
      let thrown: unknown = null;
      try {
        call(value);
      } catch (error) {
        thrown = error;
      }
      expect(thrown, `${value}`).toBeInstanceOf(InputError);
      expect((thrown as Error).message).toMatch(new RegExp(`^\\[\\w+\\] ${what}(\\[\\d\\])?: expected .*, got `));
    }
  });
});

describe('an option that does not exist is refused', () => {
  it.each<[string, () => unknown]>([
    ['SGD', () => new optimizer.SGD({ parameters, momentum: 0.9 } as never)],
    ['Adam', () => new optimizer.Adam({ parameters, eps: 1 } as never)],
    ['Conv2D', () => new nn.Conv2D(1, 1, 1, { bias: false } as never)],
    ['BatchNorm2D', () => new nn.BatchNorm2D(1, { eps: 1 } as never)],
    ['crossEntropy', () => new nn.CrossEntropyLoss({ useSoftmax: true } as never)],
    ['dataloader', () => new io.DataLoader(dataset, { batch_size: 2 } as never)],
    ['EarlyStopping', () => new callbacks.EarlyStopping({ patience: 1, min_delta: 0 } as never)],
    ['sum', () => tensor([1]).sum({ axes: 0 } as never)],
  ])('%s', (_, call) => {
    expect(call).toThrow(/^\[\w+\] '\w+': expected one of /);
  });
});

it('messages say what a value is, in the words of the field', () => {
  const layer = (value: unknown) => () => new nn.Sequential(value as nn.Layer);
  expect(() => F.relu(undefined as never)).toThrow('[relu] x: expected a Tensor, got nothing');
  expect(() => F.relu(null as never)).toThrow('[relu] x: expected a Tensor, got null');
  expect(() => F.relu([1, 2] as never)).toThrow('[relu] x: expected a Tensor, got [1,2]');
  expect(() => F.relu(new nn.ReLU() as never)).toThrow('[relu] x: expected a Tensor, got a ReLU');
  expect(layer(nn.ReLU)).toThrow(
    '[Sequential] layer 0: expected a Layer, got the class ReLU; make an object of it with new',
  );
  expect(layer(tensor([1]))).toThrow('[Sequential] layer 0: expected a Layer, got a Tensor');
  expect(layer([new nn.ReLU()])).toThrow(/expected one layer after another, got an array; write \.\.\.layers$/);
});
