/** LeNet for photographs: how far its features of two images differ. The argument is the activation. */
import { F, nn, randn, seed, type Tensor } from 'fovea';

const activation = process.argv[2] === 'relu' ? F.relu : F.sigmoid;
seed(1);

class Trunk extends nn.Layer {
  conv1 = new nn.Conv2D(3, 6, 5);
  conv2 = new nn.Conv2D(6, 16, 5);
  conv3 = new nn.Conv2D(16, 120, 4);

  forward(x: Tensor): Tensor {
    const y = F.maxPool2d(activation(this.conv1.forward(x)), 2);
    return activation(this.conv3.forward(F.maxPool2d(activation(this.conv2.forward(y)), 2)));
  }
}

const features = new Trunk().eval().forward(randn([2, 3, 224, 224]));
const pooled = await features.mean({ axis: [2, 3] }).data('float32');
const [first, second] = [pooled.subarray(0, 120), pooled.subarray(120)];
const mean = first.reduce((sum, x) => sum + x, 0) / 120;
const difference = first.reduce((sum, x, i) => sum + Math.abs(x - second[i]), 0) / 120;
console.log(`120 maps of ${features.shape[2]}×${features.shape[3]} give ${120 * 50 * 50} inputs to the linear layer`);
console.log(`mean feature ${mean.toFixed(3)}`);
console.log(`two images differ by ${((100 * difference) / mean).toFixed(2)} % of it`);
