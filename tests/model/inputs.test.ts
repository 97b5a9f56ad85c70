import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import { evaluateRun, openRun } from '../../src/model/evaluateRun.js';
import { fixedNames, inputsFor } from '../../src/model/inputs.js';
import { predictFiles } from '../../src/model/predict.js';
import { modelKind } from '../../src/model/recipes.js';
import { Run } from '../../src/model/run.js';
import type { ImageFileDataset } from '../../src/vision/datasets/imageFiles.js';
import { parseTransforms } from '../../src/vision/transforms/parse.js';
import { preprocessing } from '../../src/vision/transforms/preprocess.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { jpeg } from '../vision/pictures.js';

const root = temporaryFolder();
const specs = (text: string) => (text === '' ? [] : (parseTransforms(text).toJSON() ?? []));

beforeAll(() => {
  setEngine('onednn');
  setThreads(1);
});

describe('the inputs of a network', () => {
  const cifar = { imageShape: [3, 32, 32], images: null };
  const mnist = { imageShape: [1, 28, 28], images: null };
  const pictures = (size: number) => ({ imageShape: [3, size, size], images: preprocessing({ size }) });

  it.each([
    ['zoo-lenet', cifar, '', [1, 28, 28], 'Resize Grayscale'],
    ['lenet', cifar, '', [1, 28, 28], 'Resize Grayscale'],
    ['zoo-alexnet', cifar, '', [3, 224, 224], 'Resize'],
    ['zoo-googlenet', cifar, 'RandomCrop(32, padding=4)', [3, 224, 224], 'RandomCrop Resize'],
    ['zoo-resnet18', cifar, '', [3, 32, 32], ''],
    ['zoo-resnet18', mnist, '', [3, 28, 28], 'Grayscale'],
    ['zoo-lenet', pictures(28), '', [1, 28, 28], 'Grayscale'],
    [
      'zoo-lenet',
      pictures(48),
      'RandomHorizontalFlip,ToTensor',
      [1, 28, 28],
      'RandomHorizontalFlip Resize Grayscale ToTensor',
    ],
    ['zoo-resnet18', pictures(64), 'Resize([48,48])', [3, 48, 48], 'Resize'],
    ['zoo-resnet18', pictures(64), 'RandomCrop(48),CenterCrop(48)', [3, 48, 48], 'RandomCrop CenterCrop'],
    ['lenet', pictures(28), '', [3, 28, 28], ''],
  ])('of %s are made to fit: %o, %s', (model, data, text, shape, names) => {
    const inputs = inputsFor(data, modelKind(model), specs(text), false);
    expect(inputs.shape).toEqual(shape);
    expect(inputs.transforms.flatMap((spec) => Object.keys(spec)).join(' ')).toBe(names);
  });

  it('are of one size in training and in judging', () => {
    expect(() => inputsFor(pictures(64), modelKind('zoo-resnet18'), specs('RandomCrop(48)'), false)).toThrow(
      '[transforms] size: expected images of one size for training and judging, got [3,48,48] and [3,64,64]; what is ' +
        'random is left out in judging: add CenterCrop([48,48]) or Resize([48,48])',
    );
  });

  it.each([
    ['zoo-resnet18', '', 'Normalize'],
    ['zoo-resnet18', 'ToTensor,Normalize(0.5, 0.5)', 'ToTensor Normalize'],
    ['zoo-lenet', '', 'Grayscale'],
    ['resnet50', '', ''],
  ])('of %s that begins with weights of a file, with %s', (model, text, names) => {
    const { transforms } = inputsFor(pictures(28), modelKind(model), specs(text), true);
    expect(transforms.flatMap((spec) => Object.keys(spec)).join(' ')).toBe(names);
  });
});

it('transforms that are not random are those of judging too', async () => {
  const dataDir = await smallMnist(root, { train: 100, test: 50 });
  const settings = (name: string, text: string) => {
    const changes = { epochs: 1, batchSize: 10, techniques: { transforms: specs(text) } };
    return { model: 'lenet', data: 'mnist', out: join(root, name), dataDir, changes };
  };
  const run = await Run.create(settings('normalized', 'RandomRotation(5),ToTensor,Normalize(0.1307, 0.3081)'));
  const { evaluation } = await run.train();
  expect(fixedNames(run.folder.config.recipe)).toEqual(['ToTensor', 'Normalize']);
  const trained = await openRun(run.folder.path);
  const again = await evaluateRun(trained, { dataDir });
  expect(again.loss).toBe(evaluation?.loss);
  const [images] = (await run.loop().evalLoader?.epoch().next())?.value ?? [];
  expect(Math.min(...((await images?.data()) ?? []))).toBeCloseTo(-0.1307 / 0.3081, 5);
  await expect(Run.create(settings('cropped', 'RandomCrop(24)'))).rejects.toThrow(InputError);
});

it('pictures turned grey for zoo-lenet are predicted as they are judged', async () => {
  const folder = join(root, 'pictures');
  for (const name of ['cat', 'dog']) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < 6; i++) writeFileSync(join(folder, name, `${i}.jpg`), await jpeg(`${name} ${i}`, 40, 40));
  }
  const changes = { epochs: 1, batchSize: 4 };
  const run = await Run.create({ model: 'zoo-lenet', data: `folder:${folder}`, out: join(root, 'grey'), changes });
  expect(run.folder.config.model.inputShape).toEqual([1, 28, 28]);
  const { evaluation } = await run.train();
  const trained = await openRun(run.folder.path);
  const { dataset, probabilities, loss } = await evaluateRun(trained);
  expect(loss).toBeCloseTo(evaluation?.loss as number, 6);
  const files = (dataset as ImageFileDataset).files.map(({ path }) => path);
  let i = 0;
  for await (const prediction of predictFiles(trained, files, 2)) {
    if ('error' in prediction) throw prediction.error;
    const dog = prediction.classes.find(({ name }) => name === 'dog')?.probability;
    expect(dog).toBeCloseTo(probabilities[2 * i++ + 1], 5);
  }
  expect(i).toBe(2);
});
