import { F, noGrad, Tensor, type vision } from 'fovea';
import type { Maps } from './protocol.js';

/** Feature maps and probabilities of a digit. @param image `[1, 28, 28]`, from 0 (paper) to 1 (ink) */
export async function mapsOf(network: vision.models.course.LeNet, { image, note }: vision.images.Digit): Promise<Maps> {
  const [first, second, probabilities] = noGrad(() => {
    const input = Tensor.fromData(image, [1, 1, 28, 28]);
    const first = F.sigmoid(network.conv1.forward(input));
    const second = network.conv2.forward(F.sigmoid(network.maxPool1.forward(first)));
    return [first, second, F.softmax(network.forward(input))];
  });
  return {
    kind: 'maps',
    input: image,
    first: await first.data('float32'),
    second: await second.data('float32'),
    probabilities: await probabilities.data('float32'),
    note,
  };
}
