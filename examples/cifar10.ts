/**
 * A ready-made network, fourteen lines of training: ResNet-50 on CIFAR-10, after the last part of Paddle's course.
 *
 * npm run example -- cifar10                       downloads CIFAR-10 (163 MiB), 50 epochs: many hours on two cores
 * npm run example -- cifar10 ARCHIVE [EPOCHS]      with cifar-10-python.tar.gz (or -binary), fewer epochs
 *
 * A second call resumes an interrupted training.
 */
import { Model, metric, nn, optimizer, seed, vision } from 'fovea';

const { Cifar10 } = vision.datasets;
const { Transpose } = vision.transforms;
const [, , dataFile, epochs = '50'] = process.argv;
seed(0);

const trainData = await Cifar10.open({ mode: 'train', transform: new Transpose(), dataFile });
const evalData = await Cifar10.open({ mode: 'test', transform: new Transpose(), dataFile });

const model = new Model(vision.models.resnet50({ numClasses: 10 }));
model.prepare({
  optimizer: new optimizer.Momentum({
    learningRate: 0.01,
    momentum: 0.9,
    weightDecay: 1e-4,
    parameters: model.parameters(),
  }),
  loss: new nn.CrossEntropyLoss(),
  metrics: new metric.Accuracy({ topk: [1, 5] }),
});
await model.fit({
  trainData,
  evalData,
  epochs: Number(epochs),
  batchSize: 64,
  saveDir: 'output',
  numWorkers: 8,
  keepLastN: 1,
  resume: true,
});
