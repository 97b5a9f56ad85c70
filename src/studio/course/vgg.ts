/** Small filters in a row see as far as one large filter, and learn more. Argument `linear`: without relu. */
import { F, nn, noGrad, optimizer, rand, seed, Tensor } from 'fovea';

const isLinear = process.argv[2] === 'linear';
seed(1);

/** Filters of 3×3 until an image of 7×7 is one place, or one filter of 7×7; with logits of two classes. */
class Row extends nn.Layer {
  layers: nn.Sequential;
  fc: nn.Linear;

  constructor(kernels: readonly number[], channels: number) {
    super();
    const convolutions = kernels.map((kernel, i) => new nn.Conv2D(i === 0 ? 1 : channels, channels, kernel));
    this.layers = new nn.Sequential(...convolutions);
    this.fc = new nn.Linear(channels, 2);
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const [i, layer] of [...this.layers.namedChildren().values()].entries()) {
      y = layer.forward(i === 0 || isLinear ? y : F.relu(y));
    }
    return this.fc.forward(y.flatten({ startAxis: 1 }));
  }
}

/** Images of pixels 0 and 1. The class says whether the pixels left and right of the middle are the same. */
async function examples(count: number) {
  const pixels = (await rand([count, 1, 7, 7]).data('float32')).map((value) => Math.round(value));
  const labels = Int32Array.from({ length: count }, (_, i) => (pixels[i * 49 + 23] === pixels[i * 49 + 25] ? 1 : 0));
  return [Tensor.fromData(pixels, [count, 1, 7, 7]), Tensor.fromData(labels, [count])] as const;
}

const [testImages, testLabels] = await examples(1000);
for (const kernels of [[7], [3, 3, 3]]) {
  const name = kernels.map((kernel) => `${kernel}×${kernel}`).join(' + ');
  const wide = kernels.map((kernel) => new nn.Conv2D(64, 64, kernel).parameterCount());
  console.log(`${name}: ${wide.reduce((sum, n) => sum + n, 0)} parameters for 64 channels`);
  const net = new Row(kernels, 16);
  const adam = new optimizer.Adam({ learningRate: 0.005, parameters: net.parameters() });
  for (let step = 1; step <= 600; step++) {
    const [images, labels] = await examples(64);
    const loss = F.crossEntropy(net.forward(images), labels);
    loss.backward();
    await adam.step();
    adam.clearGrad();
    if (step % 200 === 0) console.log(`  step ${step}  loss ${(await loss.item()).toFixed(3)}`);
  }
  const accuracy = await noGrad(() => F.accuracy(net.forward(testImages), testLabels)).item();
  console.log(`  right: ${(100 * accuracy).toFixed(1)} % of 1000 images`);
}
