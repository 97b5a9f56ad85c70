import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Model } from '../../src/model/model.js';
import { CrossEntropyLoss, Dropout, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import { Adam } from '../../src/optimizer/index.js';
import { RandomGenerator, seed, withGenerator } from '../../src/random.js';
import { randn } from '../../src/tensor/random.js';
import { itWith } from '../needs.js';

const data: Dataset = {
  length: 60,
  get: (i) => ({ image: Float32Array.of(Math.sin(i), Math.cos(3 * i)), shape: [2], label: i % 2 }),
};

/** Trains a network. Its weights, the order of the samples and its dropout masks come from one generator. */
async function train(n: number, ampConfigs: 'O0' | 'O1' = 'O0'): Promise<readonly unknown[]> {
  const generator = new RandomGenerator(n);
  const network = withGenerator(generator, () => {
    return new Sequential(new Linear(2, 64), new ReLU(), new Dropout(0.5), new Linear(64, 64), new Linear(64, 2));
  });
  const model = new Model(network);
  const optimizer = new Adam({ learningRate: 0.02, parameters: model.parameters() });
  model.prepare({ optimizer, loss: new CrossEntropyLoss(), ampConfigs });
  const history = await model.fit({
    trainData: data,
    evalData: data,
    batchSize: 32,
    epochs: 4,
    verbose: 0,
    generator,
    // A turn of the event loop after each batch mixes the steps of both.
    callbacks: { onBatchEnd: () => new Promise((resolve) => setImmediate(resolve)) },
  });
  const weights = await Promise.all(model.parameters().map(async (parameter) => [...(await parameter.data())]));
  return [history.map(({ trainLoss, evalLoss }) => [trainLoss, evalLoss]), weights];
}

beforeEach(() => setEngine('reference'));

describe('two trainings at once', () => {
  test('give the bits of each alone', async () => {
    const alone = [await train(1), await train(2)];
    expect(alone[0]).not.toEqual(alone[1]);
    seed(5);
    const numbers = await randn([4]).data();
    seed(5);
    expect(await Promise.all([train(1), train(2)])).toEqual(alone);
    // Nor do they use the generator of all others.
    expect(await randn([4]).data()).toEqual(numbers);
  });

  itWith('bf16', 'keep their precisions apart', async () => {
    setEngine('onednn');
    const alone = [await train(1, 'O1'), await train(1, 'O0')];
    expect(alone[0]).not.toEqual(alone[1]);
    expect(await Promise.all([train(1, 'O1'), train(1, 'O0')])).toEqual(alone);
  });

  test('need a generator each', async () => {
    const model = () => {
      const made = new Model(new Linear(2, 2));
      const optimizer = new Adam({ parameters: made.parameters() });
      made.prepare({ optimizer, loss: new CrossEntropyLoss() });
      return made;
    };
    const usual = { trainData: data, batchSize: 32, verbose: 0 } as const;
    const both = await Promise.allSettled([model().fit(usual), model().fit(usual)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(String((both[1] as PromiseRejectedResult).reason)).toContain(
      '[train] generator: expected it to be in one training at a time, got it in two; wait for the first one, or give ' +
        'each its own: generator: new RandomGenerator(seed)',
    );
  });
});
