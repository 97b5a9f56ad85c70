/**
 * A training loop written by hand: LeNet learns to read handwritten digits.
 *
 * npm run example -- mnist        one epoch, a few seconds
 * node .setup/examples/mnist.js 500    500 batches only
 */
import { F, io, nn, noGrad, optimizer, seed, type Tensor, vision } from 'fovea';

class LeNet extends nn.Layer {
  conv1 = new nn.Conv2D(1, 6, 5);
  maxPool1 = new nn.MaxPool2D(2, { stride: 2 });
  conv2 = new nn.Conv2D(6, 16, 5);
  maxPool2 = new nn.MaxPool2D(2, { stride: 2 });
  conv3 = new nn.Conv2D(16, 120, 4);
  fc1 = new nn.Linear(120, 64);
  fc2 = new nn.Linear(64, 10);

  forward(x: Tensor): Tensor {
    let y = F.sigmoid(this.conv1.forward(x));
    y = F.sigmoid(this.maxPool1.forward(y));
    y = this.maxPool2.forward(this.conv2.forward(y));
    y = this.conv3.forward(y).flatten({ startAxis: 1 });
    return this.fc2.forward(F.sigmoid(this.fc1.forward(y)));
  }
}

seed(1);
const { MNIST } = vision.datasets;
const trainLoader = new io.DataLoader(await MNIST.open({ mode: 'train' }), { batchSize: 10, shuffle: true });
const testLoader = new io.DataLoader(await MNIST.open({ mode: 'test' }), { batchSize: 100 });
const batches = Number(process.argv[2] ?? trainLoader.length);

const net = new LeNet();
const opt = new optimizer.Momentum({ learningRate: 0.001, momentum: 0.9, parameters: net.parameters() });
console.log(`${net}\n${net.parameterCount()} parameters`);

let batch = 0;
for await (const [image, label] of trainLoader) {
  const loss = F.crossEntropy(net.forward(image), label);
  loss.backward();
  await opt.step();
  opt.clearGrad();
  if (batch % 1000 === 0) console.log(`batch ${batch}  loss ${(await loss.item()).toFixed(4)}`);
  if (++batch === batches) break;
}

net.eval();
let right = 0;
for await (const [image, label] of testLoader) {
  const accuracy = noGrad(() => F.accuracy(net.forward(image), label));
  right += (await accuracy.item()) * image.shape[0];
}
const accuracy = right / testLoader.dataset.length;
console.log(`accuracy on ${testLoader.dataset.length} test images: ${(100 * accuracy).toFixed(2)} %`);

// The same seed brings 80 % after an epoch; rounding differs from machine to machine.
const expected = batches === trainLoader.length ? 0.7 : 0;
if (accuracy < expected) {
  console.error(`expected at least ${100 * expected} %`);
  process.exitCode = 1;
}
