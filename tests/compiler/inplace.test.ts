import { describe, it } from 'vitest';
import { concat } from '../../src/tensor/combine.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { type Build, checkOp, noise, spread } from '../engines.js';

/** A convolution by the unit matrix: the same values, in blocks where the channels are odd in both senses. */
function blocked(x: Tensor): Tensor {
  const [, channels] = x.shape;
  const unit = Float32Array.from({ length: channels ** 2 }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0));
  return F.conv2d(x, Tensor.fromData(unit, [channels, channels, 1, 1]));
}

const shape = [2, 17, 5, 4];
const image = spread(shape, 1, 0.01);
const other = noise(shape, 2);

// Kernels write over operands without later readers. A reader is easily overlooked where one value is stored in
// several places, or several values in one.
describe('nothing is overwritten that is still to be read', () => {
  it.each<[string, Build]>([
    [
      'a gradient that two activations take in one layout',
      (x, y) =>
        F.relu(blocked(x))
          .add(F.leakyRelu(blocked(y)))
          .mul(F.sigmoid(y)),
    ],
    ['a value and its copy in another layout', (x) => [blocked(x).flatten().exp(), F.tanh(blocked(x)), x.abs()]],
    [
      'the row-major copy behind a reshape',
      (x) => {
        const y = blocked(x);
        return [F.sigmoid(y.reshape([2, 340])), y.pad([0, 0, 1, 0], [0, 0, 0, 0]), y.transpose([0, 2, 3, 1])];
      },
    ],
    [
      'memory that a reshape shares',
      (x) => {
        const y = x.affine(2, 1);
        const flat = y.reshape([680]);
        return [flat.exp(), F.tanh(y), flat.affine(3, 0), y.sum({ axis: 1 })];
      },
    ],
    [
      'one operand of several elementwise kernels',
      (x, y) => {
        const z = x.mul(y);
        return [z.exp(), F.sigmoid(z), z.add(z), z.mul(y), z.sub(x)];
      },
    ],
    [
      'the operand of an op on itself',
      (x) =>
        F.tanh(x.affine(0.5, 0))
          .mul(F.tanh(x.affine(0.5, 0)))
          .add(x.square()),
    ],
    [
      'an input of a batch that is joined',
      (x, y) => {
        const [a, b] = [F.tanh(blocked(x)), F.sigmoid(blocked(y))];
        return [concat([a, b, a], 1), a.exp(), b.affine(2, 0)];
      },
    ],
    [
      'the output that an activation takes its gradient from',
      (x) => {
        const y = F.sigmoid(blocked(x));
        return [F.tanh(y.affine(3, 0)), y.mul(2), F.maxPool2d(y, 2)];
      },
    ],
    [
      'a broadcast operand',
      (x, y) => {
        const mean = y.mean({ axis: [0, 2, 3], keepdim: true });
        return [x.sub(mean), mean.exp(), x.div(mean.square().add(1)), mean.mul(x)];
      },
    ],
    [
      'a chain that goes through every layout',
      (x) => {
        let y = blocked(x);
        for (let i = 0; i < 3; i++) y = F.tanh(blocked(y.transpose([0, 1, 3, 2]).affine(1.1, 0.1)).add(i));
        return [y, y.flatten({ startAxis: 1 }).add(0.5)];
      },
    ],
  ])('%s', async (name, build) => {
    await checkOp(build, [image, other], name);
  });
});
