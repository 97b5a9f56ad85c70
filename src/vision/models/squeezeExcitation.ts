import { AdaptiveAvgPool2D, Conv2D, Layer } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Multiplies each channel by a number that is computed from the means of all channels (Hu et al., 2018). */
export class SqueezeExcitation extends Layer {
  static readonly kind: string = 'SqueezeExcitation';

  readonly avgpool = new AdaptiveAvgPool2D(1);
  readonly fc1: Conv2D;
  readonly fc2: Conv2D;
  readonly activation: Layer;
  readonly scale_activation: Layer;

  /** @param scaleActivation gives the factors: a step from 0 to 1 */
  constructor(channels: number, squeezed: number, activation: Layer, scaleActivation: Layer) {
    super();
    this.fc1 = new Conv2D(channels, squeezed, 1);
    this.fc2 = new Conv2D(squeezed, channels, 1);
    this.activation = activation;
    this.scale_activation = scaleActivation;
  }

  forward(x: Tensor): Tensor {
    const squeezed = this.activation.forward(this.fc1.forward(this.avgpool.forward(x)));
    return x.mul(this.scale_activation.forward(this.fc2.forward(squeezed)));
  }
}
