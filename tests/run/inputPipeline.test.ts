import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import { RandomGenerator } from '../../src/random.js';
import { namedModel } from '../../src/run/catalog/models.js';
import { evaluateRun, openRun } from '../../src/run/evaluate.js';
import { fixedNames, imageNetInputs, inputsFor, rangeOf, type TrainedInputs } from '../../src/run/inputPipeline.js';
import { predictFiles } from '../../src/run/predict.js';
import { Run } from '../../src/run/run.js';
import type { ImageFileDataset } from '../../src/vision/datasets/reading/imageFiles.js';
import { preprocessing } from '../../src/vision/images/preprocess.js';
import { transformImages } from '../../src/vision/transforms/batch.js';
import { parseTransforms } from '../../src/vision/transforms/parse.js';
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
    ['lenet', pictures(28), '', [1, 28, 28], 'Grayscale'],
  ])('of %s are made to fit: %o, %s', (model, data, text, shape, names) => {
    const inputs = inputsFor(data, namedModel(model), specs(text), null);
    expect(inputs.shape).toEqual(shape);
    expect(inputs.transforms.flatMap((spec) => Object.keys(spec)).join(' ')).toBe(names);
  });

  it.each([
    [
      'Normalize(0.5, 0.5)',
      /expected mean and std of bytes, 0 to 255, got mean 0\.5 and std 0\.5, which make -1 to 509 of them; put ToTensor/,
    ],
    ['Normalize(127.5, 0.5)', /which make -255 to 255 of them/],
    ['Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])', /got mean \[0\.485,0\.456,0\.406\]/],
    [
      'ToTensor,Normalize(127.5, 127.5)',
      /values from 0 to 1, as they are behind ToTensor, .*; divide them by 255, or leave ToTensor out/,
    ],
    ['ToTensor,Normalize(0, 255)', /which make 0 to 0\.003922 of them/],
    ['ToTensor,ColorJitter(0.2)', /ColorJitter: expected bytes, got floats; put it before ToTensor and Normalize/],
    ['Normalize(127.5, 127.5),Grayscale', /Grayscale: expected bytes, got floats/],
    ['ToTensor,Normalize([1, 2], 1)', /expected 1 or 3 values, got 2/],
  ])('are refused if transforms do not fit together: %s', (text, message) => {
    expect(() => inputsFor(pictures(28), namedModel('zoo-resnet18'), specs(text), null)).toThrow(message);
    expect(() => inputsFor(pictures(28), namedModel('zoo-resnet18'), specs(text), null)).toThrow(InputError);
  });

  it.each([
    'Normalize(127.5, 127.5)',
    'Normalize',
    'Normalize([103, 116, 123], 1)',
    'ToTensor,ToTensor,Normalize(0.5, 0.5)',
    'ToTensor',
    'ColorJitter(0.2),ToTensor,Normalize(0.13, 0.31),Normalize(100, 9)',
  ])('may be made by %s', (text) => {
    expect(inputsFor(pictures(28), namedModel('zoo-resnet18'), specs(text), null).shape).toEqual([3, 28, 28]);
  });

  it('are of one size in training and in evaluation', () => {
    expect(() => inputsFor(pictures(64), namedModel('zoo-resnet18'), specs('RandomCrop(48)'), null)).toThrow(
      '[transforms] size: expected images of one size for training and evaluation, got [3,48,48] and [3,64,64]; an ' +
        'evaluation leaves random transforms out: add CenterCrop([48,48]) or Resize([48,48])',
    );
  });

  const bgr = {
    images: preprocessing({ size: 28 }),
    inputShape: [3, 28, 28],
    range: 'signed',
    transforms: [],
  } as const;
  const rgb = { images: null, inputShape: [3, 32, 32], range: 'unit', transforms: [] } as const;
  const cropped = { ...bgr, transforms: specs('Resize(28),CenterCrop(28),ToTensor') } as TrainedInputs;

  it.each([
    ["Paddle's weights", imageNetInputs, pictures(28), '', 'Normalize'],
    ["Paddle's weights", imageNetInputs, cifar, 'RandomCrop(32)', 'RandomCrop Normalize'],
    ["Paddle's weights", imageNetInputs, pictures(28), 'ToTensor,Normalize(0.5, 0.5)', 'ToTensor Normalize'],
    ['BGR from −1 to 1', bgr, pictures(28), '', ''],
    ['BGR from −1 to 1', bgr, cifar, '', 'Normalize'],
    ['RGB from 0 to 1', rgb, pictures(28), '', 'ToTensor'],
    ['RGB from 0 to 1', rgb, cifar, '', ''],
    ['transforms of their own', cropped, pictures(40), '', 'Resize CenterCrop ToTensor'],
    [
      'transforms of their own',
      cropped,
      pictures(40),
      'RandomRotation(5)',
      'RandomRotation Resize CenterCrop ToTensor',
    ],
    ['transforms of their own', cropped, pictures(40), 'CenterCrop(32)', 'CenterCrop ToTensor'],
  ])('of weights trained with %s are made as before: %o, %o, %s', (_, trained, data, text, names) => {
    const { transforms } = inputsFor(data, namedModel('zoo-resnet18'), specs(text), trained as TrainedInputs);
    expect(transforms.flatMap((spec) => Object.keys(spec)).join(' ')).toBe(names);
  });

  it.each([
    ['BGR', 'signed', [1, 0.6, -1]],
    ['BGR', 'unit', [1, 0.8, 0]],
    ['RGB', 'signed', [-1, 0.6, 1]],
    ['RGB', 'unit', [0, 0.8, 1]],
  ] as const)('have the same values from photographs and from images of one size: %s %s', (order, range, values) => {
    // Red 0, green 204, blue 255, as each kind of data set reads them.
    const images = order === 'RGB' && range === 'unit' ? null : preprocessing({ size: 1, order });
    const trained: TrainedInputs = { images, inputShape: [3, 1, 1], range, transforms: [] };
    for (const own of [preprocessing({ size: 1, order }), null]) {
      const { transforms } = inputsFor({ imageShape: [3, 1, 1], images: own }, namedModel('zoo-resnet18'), [], trained);
      const pixels = Uint8Array.from(own === null || order === 'RGB' ? [0, 204, 255] : [255, 204, 0]);
      const states = [new RandomGenerator(0).state()];
      const job = { pixels, shape: [3, 1, 1], order: own?.order ?? 'RGB', range: rangeOf(own), states } as const;
      const made = Array.from(transformImages(job, parseTransforms(transforms)).images);
      made.forEach((value, i) => {
        expect(value).toBeCloseTo(values[i], 6);
      });
    }
  });
});

it('transforms that are not random are those of an evaluation too', async () => {
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

it('pictures turned grey for zoo-lenet are predicted as they are evaluated', async () => {
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
  for await (const prediction of predictFiles(trained, files, { top: 2 })) {
    if ('error' in prediction) throw prediction.error;
    const dog = prediction.classes.find(({ name }) => name === 'dog')?.probability;
    expect(dog).toBeCloseTo(probabilities[2 * i++ + 1], 5);
  }
  expect(i).toBe(2);
});
