import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Accuracy } from '../../src/metric/index.js';
import { Model } from '../../src/model/model.js';
import { CrossEntropyLoss, Dropout, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import { Adam, lr } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import { EarlyStopping } from '../../src/train/callbacks/index.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();

/** Points of the plane in two classes. */
function points(length: number, from: number): Dataset {
  const samples = Array.from({ length }, (_, i) => {
    const k = i + from;
    const image = Float32Array.of(((k * 37) % 29) / 14 - 1, ((k * 53) % 31) / 15 - 1);
    return { image, shape: [2], label: image[0] * image[1] > 0 ? 1 : 0 };
  });
  return { length, labels: samples.map(({ label }) => label), get: (index) => samples[index] };
}

function resume(saveDir: string, firstSeed: number) {
  seed(firstSeed);
  const model = new Model(new Sequential(new Linear(2, 8), new ReLU(), new Dropout(0.1), new Linear(8, 2)));
  const learningRate = new lr.StepDecay({ learningRate: 0.05, stepSize: 9, gamma: 0.5 });
  model.prepare({
    optimizer: new Adam({ learningRate, parameters: model.parameters() }),
    loss: new CrossEntropyLoss(),
    metrics: [new Accuracy()],
  });
  return model.fit({
    trainData: points(48, 1),
    evalData: points(24, 1001),
    batchSize: 8,
    epochs: 6,
    saveDir,
    saveFreq: 99,
    resume: true,
    verbose: 0,
    callbacks: [new EarlyStopping({ monitor: 'loss', patience: 9, verbose: 0, saveBestModel: false })],
  });
}

/**
 * `tests/model/version0.1` is the folder of `saveDir` of the same program with version 0.1, stopped after three of the six
 * batches of epoch 4. Its state names optimizer, schedule and callback by their classes.
 */
it('a training that version 0.1 began continues to the values that version 0.1 ended with', async () => {
  setEngine('reference');
  const saveDir = join(root, 'resumed');
  cpSync('tests/model/version0.1', saveDir, { recursive: true });
  // The weights of another seed, and the place of its generator, give way to those of the file.
  const history = await resume(saveDir, 99);
  const found = history.map(({ trainLoss, evalLoss, evalAccuracy, learningRate }) => {
    return [trainLoss, evalLoss, evalAccuracy, learningRate].map((value) => Number(value?.toPrecision(5)));
  });
  expect(found).toEqual([
    [0.68605, 0.61741, 0.79167, 0.05],
    [0.61027, 0.53718, 0.79167, 0.025],
    [0.58414, 0.52423, 0.79167, 0.0125],
    [0.53126, 0.51028, 0.79167, 0.0125],
    [0.45565, 0.48589, 0.79167, 0.00625],
    [0.44289, 0.47872, 0.79167, 0.003125],
  ]);
});
