import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { io, nn, RandomGenerator, runs, vision, withGenerator } from '../../src/index.js';
import { evaluate } from '../../src/train/evaluate.js';
import { runFovea } from '../cli/run.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const weights = join(folder, 'lenet.safetensors');
const classNames = Array.from('0123456789');
const record = {
  format: 1,
  fovea: '0.2.0',
  model: 'lenet',
  data: 'mnist',
  inputShape: [1, 28, 28],
  images: null,
  range: 'unit',
  transforms: [],
  classNames,
  positive: null,
  loss: 'crossEntropy',
};
const network = withGenerator(new RandomGenerator(3), () => new vision.models.course.LeNet({ numClasses: 10 }));
const saved = (path: string, changes: object) =>
  io.saveSafetensors(network, path, { training: JSON.stringify({ ...record, ...changes }) });
let dataDir: string;

beforeAll(async () => {
  dataDir = await smallMnist(folder, { train: 10, test: 50 });
  await saved(weights, {});
});

describe('weights without a run folder', () => {
  it('are evaluated on the test images of the data that their record names', async () => {
    const test = await vision.datasets.MNIST.open({ mode: 'test', dataDir });
    const loss = new nn.CrossEntropyLoss();
    const expected = await evaluate({
      network,
      loader: new io.DataLoader(test, { batchSize: 50 }),
      loss: (outputs, labels) => loss.forward(outputs, labels),
    });
    const result = await runs.evaluateWeights(weights, { dataDir });
    expect(result).toMatchObject({ samples: 50, accuracy: expected.accuracy, confusion: expected.confusion });
    expect(result.loss).toBeCloseTo(expected.loss, 5);
    const { code, out } = await runFovea('eval', weights, '--data-dir', dataDir, '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { images: 50, accuracy: expected.accuracy, model: 'lenet' }]);
    expect((await runFovea('eval', weights, '--data-dir', dataDir)).out).toMatch(/^LeNet on MNIST\n.*accuracy +\d+/s);
  });

  it('are refused without a record, without classes, for other classes, and with options of run folders', async () => {
    const path = join(folder, 'bare.safetensors');
    await io.saveSafetensors(network, path);
    await expect(runs.evaluateWeights(path, { dataDir })).rejects.toThrow(
      /record of their training, got a file without/,
    );
    await saved(path, { classNames: null });
    await expect(runs.evaluateWeights(path, { dataDir })).rejects.toThrow(/whose record names their classes/);
    await saved(path, { classNames: classNames.toReversed() });
    await expect(runs.evaluateWeights(path, { dataDir })).rejects.toThrow(/expected the classes of the network/);
    const { code, err } = await runFovea('eval', weights, '--data-dir', dataDir, '--best');
    expect([code, err]).toEqual([2, expect.stringContaining('expected no --best with a file of weights')]);
  });
});
