import { AdaptiveAvgPool2D, BatchNorm2D, Conv2D, Layer, Linear, MaxPool2D } from '../src/nn/index.js';
import { Momentum } from '../src/optimizer/index.js';
import { RandomGenerator, seed } from '../src/random.js';
import * as F from '../src/tensor/functional.js';
import { Tensor } from '../src/tensor/tensor.js';
import { LeNet } from '../src/vision/models/course/lenet.js';

/** Convolution, batch norm, ReLU, residual sum, both poolings and a linear layer: a little of everything. */
class ResidualNet extends Layer {
  readonly stem = new Conv2D(3, 64, 3, { padding: 1, biasAttr: false });
  readonly norm0 = new BatchNorm2D(64);
  readonly pool = new MaxPool2D(2);
  readonly conv1 = new Conv2D(64, 64, 3, { padding: 1, biasAttr: false });
  readonly norm1 = new BatchNorm2D(64);
  readonly conv2 = new Conv2D(64, 64, 3, { padding: 1, biasAttr: false });
  readonly norm2 = new BatchNorm2D(64);
  readonly average = new AdaptiveAvgPool2D(1);
  readonly fc = new Linear(64, 10);

  forward(x: Tensor): Tensor {
    const y = this.pool.forward(F.relu(this.norm0.forward(this.stem.forward(x))));
    let z = F.relu(this.norm1.forward(this.conv1.forward(y)));
    z = F.relu(this.norm2.forward(this.conv2.forward(z)).add(y));
    return this.fc.forward(this.average.forward(z).flatten({ startAxis: 1 }));
  }
}

/** Networks to measure, with the shape of one image. */
export const networks: Readonly<Record<string, { make: () => Layer; input: readonly number[] }>> = {
  lenet: { make: () => new LeNet({ numClasses: 10 }), input: [1, 28, 28] },
  residual: { make: () => new ResidualNet(), input: [3, 64, 64] },
};

/** A training step on random images of 10 classes, as a function to call again and again; it returns the loss. */
export function trainingStep(name: string, batch: number): () => Promise<number> {
  const entry = networks[name];
  if (entry === undefined) throw new Error(`unknown network '${name}': one of ${Object.keys(networks).join(', ')}`);
  seed(0);
  const network = entry.make();
  const optimizer = new Momentum({ parameters: network.parameters() });
  const generator = new RandomGenerator(1);
  const images = new Float32Array(batch * entry.input.reduce((product, size) => product * size, 1));
  generator.fillUniform(images, 0, 1);
  const labels = Int32Array.from({ length: batch }, () => generator.int(10));
  return async () => {
    // A fresh array for each step, as a data loader gives them.
    const x = Tensor.fromData(images.slice(), [batch, ...entry.input]);
    const loss = F.crossEntropy(network.forward(x), Tensor.fromData(labels.slice(), [batch]));
    loss.backward();
    await optimizer.step();
    optimizer.clearGrad();
    return loss.item();
  };
}
