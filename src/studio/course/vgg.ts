/** Small filters in a row, instead of one large filter. The argument is the number of channels. */
import { nn, Tensor } from 'fovea';

const channels = Number(process.argv[2] ?? 64);
const parametersOf = (layers: readonly nn.Layer[]) =>
  layers.reduce((sum, layer) => sum + Number(layer.parameterCount()), 0);
const rows = [
  ['one 5×5', [new nn.Conv2D(channels, channels, 5, { padding: 2 })]],
  ['two 3×3', [3, 3].map((kernel) => new nn.Conv2D(channels, channels, kernel, { padding: 1 }))],
  ['one 7×7', [new nn.Conv2D(channels, channels, 7, { padding: 3 })]],
  ['three 3×3', [3, 3, 3].map((kernel) => new nn.Conv2D(channels, channels, kernel, { padding: 1 }))],
] as const;

for (const [name, layers] of rows) {
  // A pixel in the middle reaches as many outputs as inputs reach an output.
  const image = new Float32Array(channels * 15 * 15);
  image[7 * 15 + 7] = 1;
  let y = Tensor.fromData(image, [1, channels, 15, 15]);
  for (const layer of layers) {
    layer.bias?.load(new Float32Array(channels));
    y = layer.forward(y);
  }
  const reached = (await y.abs().sum({ axis: 1 }).data('float32')).filter((value) => value > 0).length;
  console.log(
    `${name.padEnd(10)} sees ${Math.sqrt(reached)}×${Math.sqrt(reached)} pixels, ${parametersOf(layers)} parameters`,
  );
}
