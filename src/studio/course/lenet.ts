/** LeNet learns handwritten digits: 1,500 batches, then a test. The argument is the learning rate. */
import { F, io, noGrad, optimizer, seed, vision } from 'fovea';

const learningRate = Number(process.argv[2] ?? 0.01);
seed(1);
const { MNIST } = vision.datasets;
const trainData = await MNIST.open({ mode: 'train', download: true });
const testData = await MNIST.open({ mode: 'test' });

const net = new vision.models.course.LeNet({ numClasses: 10 });
const opt = new optimizer.Momentum({ learningRate, momentum: 0.9, parameters: net.parameters() });
let batch = 0;
for await (const [image, label] of new io.DataLoader(trainData, { batchSize: 10, shuffle: true })) {
  const loss = F.crossEntropy(net.forward(image), label);
  loss.backward();
  await opt.step();
  opt.clearGrad();
  if (batch % 250 === 0) console.log(`batch ${batch}  loss ${(await loss.item()).toFixed(4)}`);
  if (++batch > 1500) break;
}

net.eval();
let right = 0;
for await (const [image, label] of new io.DataLoader(testData, { batchSize: 100 })) {
  right += image.shape[0] * (await noGrad(() => F.accuracy(net.forward(image), label)).item());
}
console.log(`right: ${((100 * right) / testData.length).toFixed(2)} % of ${testData.length} test images`);
