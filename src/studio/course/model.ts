/** Fourteen lines: a ready network, prepare, fit, evaluate. The argument is the number of training images. */
import { io, Model, metric, nn, optimizer, seed, vision } from 'fovea';

const images = Number(process.argv[2] ?? 5000);
const { MNIST } = vision.datasets;
seed(0);
const all = await MNIST.open({ mode: 'train', download: true });
const trainData = new io.Subset(
  all,
  Array.from({ length: images }, (_, i) => i),
);
const evalData = await MNIST.open({ mode: 'test' });
const model = new Model(new vision.models.course.LeNet({ numClasses: 10 }));
model.prepare({
  optimizer: new optimizer.Adam({ learningRate: 0.003, parameters: model.parameters() }),
  loss: new nn.CrossEntropyLoss(),
  metrics: new metric.Accuracy(),
});
// The same number of steps, however many images there are.
await model.fit({ trainData, epochs: Math.ceil(20_000 / images), batchSize: 50, verbose: images < 1000 ? 0 : 2 });
const options = { batchSize: 50, verbose: 0 } as const;
console.log('in training', await model.evaluate(trainData, options));
console.log('on test images', await model.evaluate(evalData, options));
