import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import type { Metric } from '../../src/metric/index.js';
import { Model } from '../../src/model/model.js';
import { CrossEntropyLoss, Linear } from '../../src/nn/index.js';
import { lr, SGD } from '../../src/optimizer/index.js';
import { EarlyStopping, ModelCheckpoint, type MonitorOptions } from '../../src/train/callbacks/index.js';

const data: Dataset = {
  length: 4,
  get: (index) => ({ image: Float32Array.of(index, 1), shape: [2], label: index % 2 }),
};

/** A user's metric with one value for each evaluation. */
function scripted(name: string, values: readonly number[], higherIsBetter?: boolean): Metric {
  let evaluations = 0;
  let inTraining = true;
  return {
    names: [name],
    ...(higherIsBetter !== undefined && { higherIsBetter }),
    reset() {},
    update() {
      inTraining = !inTraining;
    },
    accumulate: () => [inTraining ? (values[evaluations++] ?? 0) : 0],
  };
}

function bestEpochOf(metric: Metric, options: MonitorOptions & { readonly schedule?: lr.Schedule } = {}) {
  const model = new Model(new Linear(2, 2));
  const { schedule = 0.1, ...monitored } = options;
  model.prepare({
    optimizer: new SGD({ learningRate: schedule, parameters: model.parameters() }),
    loss: new CrossEntropyLoss(),
    metrics: metric,
  });
  const best = new EarlyStopping({ monitor: metric.names[0], patience: 9, verbose: 0, ...monitored });
  const usual = { trainData: data, evalData: data, batchSize: 4, epochs: 4, verbose: 0 } as const;
  const callbacks = options.schedule === undefined ? best : [];
  const follow = options.schedule === undefined ? {} : { monitor: metric.names[0] };
  return model.fit({ ...usual, ...follow, callbacks }).then(() => best.bestEpoch);
}

beforeEach(() => setEngine('reference'));

describe('the direction of a metric', () => {
  const values = [0.5, 0.9, 0.1, 0.4];

  test.each([
    ['is the one that the metric declares: higher', 'f1', true, {}, 2],
    ['lower, whatever the name suggests', 'precision_error', false, {}, 3],
    ['or that of mode, which comes first', 'f1', true, { mode: 'min' }, 3],
    ['and of mode alone where the metric declares none', 'dice', undefined, { mode: 'max' }, 2],
    ['also by the long name', 'f1', true, { monitor: 'eval_f1' }, 2],
  ] as const)('%s', async (_, name, higherIsBetter, options, bestEpoch) => {
    expect(await bestEpochOf(scripted(name, values, higherIsBetter), options)).toBe(bestEpoch);
  });

  test('is never guessed', async () => {
    await expect(bestEpochOf(scripted('accuracy_of_mine', values))).rejects.toThrow(
      "[EarlyStopping] mode: expected min or max, since the metric of 'accuracy_of_mine' does not say which values are " +
        "good, got auto; give mode: 'max' if large ones are, or set higherIsBetter on the metric",
    );
    // The accuracy that every evaluation counts is known.
    const checkpoint = new ModelCheckpoint({ restoreBest: true, monitor: 'acc', verbose: 0 });
    const model = new Model(new Linear(2, 2));
    const optimizer = new SGD({ learningRate: 0.1, parameters: model.parameters() });
    model.prepare({ optimizer, loss: new CrossEntropyLoss() });
    await model.fit({ trainData: data, evalData: data, batchSize: 4, verbose: 0, callbacks: checkpoint });
    expect(checkpoint.bestEpoch).toBe(1);
  });

  test('has to be that of a schedule which follows the metric', async () => {
    const schedule = (mode: 'min' | 'max') => new lr.ReduceOnPlateau({ learningRate: 0.1, mode });
    await expect(bestEpochOf(scripted('f1', values, true), { schedule: schedule('min') })).rejects.toThrow(
      "[LRScheduler] schedule: expected a ReduceOnPlateau with mode 'max' for f1, got 'min'",
    );
    await bestEpochOf(scripted('f1', values, true), { schedule: schedule('max') });
    await bestEpochOf(scripted('dice', values), { schedule: schedule('max') });
  });
});
