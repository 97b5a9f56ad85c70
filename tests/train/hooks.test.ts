import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Accuracy, type Metric } from '../../src/metric/index.js';
import { Model } from '../../src/model/model.js';
import { CrossEntropyLoss, Linear } from '../../src/nn/index.js';
import { type GradientClip, SGD } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { Callback, CallbackError, type EvaluationProgress } from '../../src/train/callback.js';

const data: Dataset = {
  length: 10,
  get: (i) => ({ image: Float32Array.of(i / 10, 1), shape: [2], label: i % 2 }),
};

function makeModel({ gradClip, metrics }: { gradClip?: GradientClip; metrics?: Metric } = {}): Model {
  seed(1);
  const model = new Model(new Linear(2, 2));
  const optimizer = new SGD({ learningRate: 0.1, parameters: model.parameters(), gradClip });
  model.prepare({ optimizer, loss: new CrossEntropyLoss(), metrics: metrics ?? new Accuracy() });
  return model;
}

const weightsOf = async (model: Model) =>
  Promise.all(model.parameters().map(async (parameter) => [...(await parameter.data())]));

/** A user's class, which notes the calls that it gets. */
class Notes extends Callback {
  readonly lines: string[] = [];
  #note(hook: string, { batch, batches, samples, total, metrics }: EvaluationProgress): void {
    this.lines.push(`${hook} ${batch}/${batches} ${samples}/${total} ${Object.keys(metrics()).join()}`);
  }
  override onEvaluateBegin = (progress: EvaluationProgress) => this.#note('evaluate begin', progress);
  override onEvaluateBatch = (progress: EvaluationProgress) => this.#note('evaluate batch', progress);
  override onEvaluateEnd = (progress: EvaluationProgress) => this.#note('evaluate end', progress);
  override onPredictBegin = (progress: EvaluationProgress) => this.#note('predict begin', progress);
  override onPredictBatch = (progress: EvaluationProgress) => this.#note('predict batch', progress);
  override onPredictEnd = (progress: EvaluationProgress) => this.#note('predict end', progress);
}

beforeEach(() => setEngine('reference'));

describe("a user's callback", () => {
  test('is called along an evaluation and of a prediction', async () => {
    const notes = new Notes();
    const options = { batchSize: 6, verbose: 0, callbacks: notes } as const;
    await makeModel().evaluate(data, options);
    expect(notes.lines.splice(0)).toEqual([
      'evaluate begin 0/2 0/10 loss,acc',
      'evaluate batch 1/2 6/10 loss,acc',
      'evaluate batch 2/2 10/10 loss,acc',
      'evaluate end 2/2 10/10 loss,acc',
    ]);
    await makeModel().predict(data, { ...options, numIters: 1 });
    expect(notes.lines).toEqual(['predict begin 0/1 0/6 ', 'predict batch 1/1 6/6 ', 'predict end 1/1 6/6 ']);
  });

  test.each([
    'onEvaluateBegin',
    'onEvaluateBatch',
    'onEvaluateEnd',
    'onPredictBegin',
    'onPredictBatch',
    'onPredictEnd',
  ])('that throws in %s is named, and the network is in the mode that it was in', async (hook) => {
    const model = makeModel();
    const fails = {
      [hook]: () => {
        throw new Error('no luck');
      },
    } as Callback;
    const options = { verbose: 0, callbacks: fails } as const;
    const call = hook.startsWith('onEvaluate') ? model.evaluate(data, options) : model.predict(data, options);
    await expect(call).rejects.toThrow(CallbackError);
    expect(model.network.training).toBe(true);
    await model.fit({ trainData: data, batchSize: 5, verbose: 0 });
  });
});

describe("an error in a user's hook leaves no trace", () => {
  const batch = [Tensor.fromData(Float32Array.of(1, 2, 3, 4), [2, 2]), Tensor.fromData(Int32Array.of(0, 1))] as const;
  const failing = { clip: () => [], broken: true };

  test.each([
    [
      'gradient clip',
      () => {
        const clip = {
          ...failing,
          clip: (gradients: readonly Tensor[]) => {
            if (clip.broken) throw new Error('no luck');
            return gradients;
          },
        };
        return { switch: clip, options: { gradClip: clip as unknown as GradientClip } };
      },
    ],
    [
      'metric',
      () => {
        const metric = {
          broken: true,
          names: ['mine'],
          reset() {},
          update() {},
          compute(outputs: Tensor): Tensor {
            if (metric.broken) throw new Error('no luck');
            return outputs;
          },
          accumulate: () => [0],
        };
        return { switch: metric, options: { metrics: metric } };
      },
    ],
  ])('%s', async (_, make) => {
    const { switch: hook, options } = make();
    const model = makeModel(options);
    const before = await weightsOf(model);
    await expect(model.trainBatch(...batch)).rejects.toThrow('no luck');
    expect(await weightsOf(model)).toEqual(before);
    hook.broken = false;
    await model.trainBatch(...batch);
    const alone = makeModel({ metrics: new Accuracy() });
    await alone.trainBatch(...batch);
    expect(await weightsOf(model)).toEqual(await weightsOf(alone));
  });
});

test('a data set learns that its samples will be read in several epochs', async () => {
  const told: string[] = [];
  const watched = (name: string): Dataset => ({ ...data, expectEpochs: () => void told.push(name) });
  const options = { batchSize: 5, verbose: 0 } as const;
  await makeModel().fit({ ...options, trainData: watched('one epoch'), epochs: 1 });
  await makeModel().fit({ ...options, trainData: watched('three epochs'), epochs: 3 });
  const trainData = new DataLoader(watched('loader'), { batchSize: 5 });
  await makeModel().fit({ trainData, verbose: 0, epochs: 2 });
  expect(told).toEqual(['three epochs', 'loader']);
});
