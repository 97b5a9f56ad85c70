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
await model.fit({ trainData, epochs: 2, batchSize: 50, verbose: 2 });
console.log(await model.evaluate(evalData, { batchSize: 100, verbose: 0 }));
