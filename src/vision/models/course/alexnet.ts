import { Conv2D, Dropout, Layer, Linear, MaxPool2D } from '../../../nn/index.js';
import * as F from '../../../tensor/functional.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { type ClassifierOptions, requireClasses } from './options.js';

/**
 * AlexNet (after Krizhevsky et al., 2012): `[N, 3, 224, 224]` to `[N, numClasses]`.
 *
 * As in PaddlePaddle's tutorial it has one tower, pooling by 2×2 windows that do not overlap, and no local
 * response normalization.
 */
export class AlexNet extends Layer {
  static readonly kind: string = 'AlexNet';

  readonly conv1: Conv2D;
  readonly maxPool1: MaxPool2D;
  readonly conv2: Conv2D;
  readonly maxPool2: MaxPool2D;
  readonly conv3: Conv2D;
  readonly conv4: Conv2D;
  readonly conv5: Conv2D;
  readonly maxPool5: MaxPool2D;
  readonly fc1: Linear;
  readonly drop1: Dropout;
  readonly fc2: Linear;
  readonly drop2: Dropout;
  readonly fc3: Linear;

  /** @throws {InputError} without a number of classes */
  constructor(options: ClassifierOptions) {
    super();
    const numClasses = requireClasses('AlexNet', options);
    this.conv1 = new Conv2D(3, 96, 11, { stride: 4, padding: 5 });
    this.maxPool1 = new MaxPool2D(2, { stride: 2 });
    this.conv2 = new Conv2D(96, 256, 5, { padding: 2 });
    this.maxPool2 = new MaxPool2D(2, { stride: 2 });
    this.conv3 = new Conv2D(256, 384, 3, { padding: 1 });
    this.conv4 = new Conv2D(384, 384, 3, { padding: 1 });
    this.conv5 = new Conv2D(384, 256, 3, { padding: 1 });
    this.maxPool5 = new MaxPool2D(2, { stride: 2 });
    this.fc1 = new Linear(256 * 7 * 7, 4096);
    this.drop1 = new Dropout(0.5);
    this.fc2 = new Linear(4096, 4096);
    this.drop2 = new Dropout(0.5);
    this.fc3 = new Linear(4096, numClasses);
  }

  forward(x: Tensor): Tensor {
    let y = this.maxPool1.forward(F.relu(this.conv1.forward(x)));
    y = this.maxPool2.forward(F.relu(this.conv2.forward(y)));
    y = F.relu(this.conv3.forward(y));
    y = F.relu(this.conv4.forward(y));
    y = this.maxPool5.forward(F.relu(this.conv5.forward(y)));
    y = y.flatten({ startAxis: 1 });
    y = this.drop1.forward(F.relu(this.fc1.forward(y)));
    y = this.drop2.forward(F.relu(this.fc2.forward(y)));
    return this.fc3.forward(y);
  }
}
