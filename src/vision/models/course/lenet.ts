import { Conv2D, Layer, Linear, MaxPool2D } from '../../../nn/index.js';
import * as F from '../../../tensor/functional.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { type ClassifierOptions, requireClasses } from './options.js';

/**
 * LeNet for 28×28 grey images (after LeCun et al., 1998): `[N, 1, 28, 28]` to `[N, numClasses]`.
 *
 * There is a sigmoid before and after the first pooling, and no other one among the convolutions.
 */
export class LeNet extends Layer {
  static readonly kind: string = 'LeNet';

  readonly conv1: Conv2D;
  readonly maxPool1: MaxPool2D;
  readonly conv2: Conv2D;
  readonly maxPool2: MaxPool2D;
  readonly conv3: Conv2D;
  readonly fc1: Linear;
  readonly fc2: Linear;

  /** @throws {InputError} without a number of classes */
  constructor(options: ClassifierOptions) {
    super();
    const numClasses = requireClasses('LeNet', options);
    this.conv1 = new Conv2D(1, 6, 5);
    this.maxPool1 = new MaxPool2D(2, { stride: 2 });
    this.conv2 = new Conv2D(6, 16, 5);
    this.maxPool2 = new MaxPool2D(2, { stride: 2 });
    this.conv3 = new Conv2D(16, 120, 4);
    this.fc1 = new Linear(120, 64);
    this.fc2 = new Linear(64, numClasses);
  }

  forward(x: Tensor): Tensor {
    let y = F.sigmoid(this.conv1.forward(x));
    y = F.sigmoid(this.maxPool1.forward(y));
    y = this.maxPool2.forward(this.conv2.forward(y));
    y = this.conv3.forward(y).flatten({ startAxis: 1 });
    y = F.sigmoid(this.fc1.forward(y));
    return this.fc2.forward(y);
  }
}
