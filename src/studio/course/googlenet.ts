/** An Inception block: four paths side by side. The argument `wide` leaves out the first 1×1 layers. */
import { concat, F, nn, randn, seed, type Tensor } from 'fovea';

const isWide = process.argv[2] === 'wide';
seed(1);

class Inception extends nn.Layer {
  p1 = new nn.Conv2D(192, 64, 1);
  p2 = isWide
    ? new nn.Sequential(new nn.Conv2D(192, 128, 3, { padding: 1 }))
    : new nn.Sequential(new nn.Conv2D(192, 96, 1), new nn.ReLU(), new nn.Conv2D(96, 128, 3, { padding: 1 }));
  p3 = isWide
    ? new nn.Sequential(new nn.Conv2D(192, 32, 5, { padding: 2 }))
    : new nn.Sequential(new nn.Conv2D(192, 16, 1), new nn.ReLU(), new nn.Conv2D(16, 32, 5, { padding: 2 }));
  p4 = new nn.Conv2D(192, 32, 1);

  forward(x: Tensor): Tensor {
    const pooled = F.maxPool2d(x, 3, { stride: 1, padding: 1 });
    const paths = [this.p1.forward(x), this.p2.forward(x), this.p3.forward(x), this.p4.forward(pooled)];
    paths.forEach((path, i) => {
      console.log(`path ${i + 1}  ${path.shape.join('×')}`);
    });
    return F.relu(concat(paths, 1));
  }
}

const block = new Inception();
const y = block.forward(randn([1, 192, 28, 28]));
console.log(`joined  ${y.shape.join('×')}, mean ${(await y.mean().item()).toFixed(3)}`);
console.log(`${block.parameterCount()} parameters`);
