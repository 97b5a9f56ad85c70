import { beforeEach, expect, test, vi } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Model } from '../../src/model/model.js';
import type { FitOptions } from '../../src/model/options.js';
import { CrossEntropyLoss, initializer, Linear } from '../../src/nn/index.js';
import { Momentum } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import type { LossFunction } from '../../src/train/objective.js';

const labels = Array.from({ length: 40 }, (_, i) => i % 2);
/** Images that say nothing about their classes. */
const blank: Dataset = {
  length: labels.length,
  labels,
  get: (index) => ({ image: Float32Array.of(1, 1), shape: [2], label: labels[index] }),
};

beforeEach(() => setEngine('reference'));

/** The lines on stderr of a training that changes almost nothing. */
async function warningsOf(options: Partial<FitOptions> = {}, loss: LossFunction | CrossEntropyLoss | null = null) {
  seed(1);
  const network = new Linear(2, 2, { weightAttr: { initializer: initializer.constant(0) } });
  const model = new Model(network);
  const optimizer = new Momentum({ learningRate: 1e-6, parameters: model.parameters() });
  model.prepare({ optimizer, loss: loss ?? new CrossEntropyLoss() });
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await model.fit({ trainData: blank, batchSize: 10, epochs: 3, verbose: 2, ...options });
    return write.mock.calls.map(([text]) => String(text));
  } finally {
    write.mockRestore();
    out.mockRestore();
  }
}

const learnedNothing =
  '[fit] The training loss (0.6931) has stayed at the entropy of the class shares (0.6931), where guessing without looking at ' +
  'the images is: the network has learned nothing. Try a network with normalization (`nn.BatchNorm2D`), another learning rate ' +
  "(`learningRate` of the optimizer), `optimizer.Adam` or evenly mixed batches for many epochs (`sampler: 'stratified'`).\n";

test('a training that has learned nothing ends with advice', async () => {
  expect(await warningsOf()).toEqual([learnedNothing]);
});

test('advice names nothing that the training has', async () => {
  const [advice] = await warningsOf({ sampler: 'balanced' });
  expect(advice).toContain('learned nothing');
  expect(advice).not.toContain('sampler');
});

test('advice is not for silent trainings, nor for losses of which nothing is known', async () => {
  expect(await warningsOf({ verbose: 0 })).toEqual([]);
  const loss: LossFunction = (outputs, classes) => F.crossEntropy(outputs, classes).mul(3);
  expect(await warningsOf({}, loss)).toEqual([]);
  expect(await warningsOf({}, new CrossEntropyLoss({ reduction: 'sum' }))).toEqual([]);
});

test('an accuracy that is the share of the largest class gets advice with every loss', async () => {
  const uneven = { ...blank, labels: labels.map((_, i) => (i % 4 === 0 ? 1 : 0)) };
  const evalData = {
    ...uneven,
    get: (index: number) => ({ ...blank.get(index), label: uneven.labels[index] }),
  } as Dataset;
  const loss: LossFunction = (outputs, classes) => F.crossEntropy(outputs, classes).mul(3);
  const warnings = await warningsOf({ evalData }, loss);
  expect(warnings).toEqual([
    expect.stringMatching(/^\[fit\] The accuracy \(75\.00 %\) is the share of the largest class, 0:/),
  ]);
});
