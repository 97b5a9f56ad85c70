import { AdaptiveAvgPool2D, Conv2D, Hardsigmoid, Layer, ReLU } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Multiplies each channel by a number from 0 to 1 that is computed from the means of all channels. */
export class SqueezeExcitation extends Layer {
  static readonly kind: string = 'SqueezeExcitation';

  readonly avgpool = new AdaptiveAvgPool2D(1);
  readonly fc1: Conv2D;
  readonly fc2: Conv2D;
  readonly activation = new ReLU();
  readonly scale_activation = new Hardsigmoid();

  constructor(channels: number, squeezed: number) {
    super();
    this.fc1 = new Conv2D(channels, squeezed, 1);
    this.fc2 = new Conv2D(squeezed, channels, 1);
  }

  forward(x: Tensor): Tensor {
    const squeezed = this.activation.forward(this.fc1.forward(this.avgpool.forward(x)));
    return x.mul(this.scale_activation.forward(this.fc2.forward(squeezed)));
  }
}
