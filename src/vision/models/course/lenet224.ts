import { Conv2D, Layer, Linear, MaxPool2D } from '../../../nn/index.js';
import * as F from '../../../tensor/functional.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { type ClassifierOptions, requireClasses } from './options.js';

/**
 * LeNet for 224×224 colour images: `[N, 3, 224, 224]` to `[N, numClasses]`.
 *
 * Unlike in `LeNet`, a sigmoid follows every convolution, and the first two are pooled after it. The third
 * convolution gives 120 maps of 50×50, hence the 300,000 inputs of `fc1`. The network is a baseline for
 * deeper ones: its saturating units hardly learn from images of this size, unless batches are evenly mixed
 * (`StratifiedSampler`).
 */
export class LeNet224 extends Layer {
  static readonly kind: string = 'LeNet224';

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
    const numClasses = requireClasses('LeNet224', options);
    this.conv1 = new Conv2D(3, 6, 5);
    this.maxPool1 = new MaxPool2D(2, { stride: 2 });
    this.conv2 = new Conv2D(6, 16, 5);
    this.maxPool2 = new MaxPool2D(2, { stride: 2 });
    this.conv3 = new Conv2D(16, 120, 4);
    this.fc1 = new Linear(120 * 50 * 50, 64);
    this.fc2 = new Linear(64, numClasses);
  }

  forward(x: Tensor): Tensor {
    let y = this.maxPool1.forward(F.sigmoid(this.conv1.forward(x)));
    y = this.maxPool2.forward(F.sigmoid(this.conv2.forward(y)));
    y = F.sigmoid(this.conv3.forward(y)).flatten({ startAxis: 1 });
    y = F.sigmoid(this.fc1.forward(y));
    return this.fc2.forward(y);
  }
}
