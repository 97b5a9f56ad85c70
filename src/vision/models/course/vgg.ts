import { Conv2D, Dropout, Layer, Linear, MaxPool2D, ReLU, Sequential } from '../../../nn/index.js';
import * as F from '../../../tensor/functional.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { type ClassifierOptions, requireClasses } from './options.js';

const conv3x3 = (inChannels: number, outChannels: number) => new Conv2D(inChannels, outChannels, 3, { padding: 1 });

/**
 * VGG-16 without batch normalization (Simonyan & Zisserman, 2015, configuration D): `[N, 3, 224, 224]` to
 * `[N, numClasses]`.
 *
 * The names of the parameters (`conv1_1.weight`, `fc1.0.weight`) are those of PaddlePaddle's tutorial.
 */
export class VGG16 extends Layer {
  static readonly kind: string = 'VGG16';

  readonly conv1_1 = conv3x3(3, 64);
  readonly conv1_2 = conv3x3(64, 64);
  readonly conv2_1 = conv3x3(64, 128);
  readonly conv2_2 = conv3x3(128, 128);
  readonly conv3_1 = conv3x3(128, 256);
  readonly conv3_2 = conv3x3(256, 256);
  readonly conv3_3 = conv3x3(256, 256);
  readonly conv4_1 = conv3x3(256, 512);
  readonly conv4_2 = conv3x3(512, 512);
  readonly conv4_3 = conv3x3(512, 512);
  readonly conv5_1 = conv3x3(512, 512);
  readonly conv5_2 = conv3x3(512, 512);
  readonly conv5_3 = conv3x3(512, 512);
  readonly fc1 = new Sequential(new Linear(512 * 7 * 7, 4096), new ReLU());
  readonly dropout1 = new Dropout(0.5);
  readonly fc2 = new Sequential(new Linear(4096, 4096), new ReLU());
  readonly dropout2 = new Dropout(0.5);
  readonly fc3: Linear;
  readonly pool = new MaxPool2D(2, { stride: 2 });

  /** @throws {InputError} without a number of classes */
  constructor(options: ClassifierOptions) {
    super();
    const numClasses = requireClasses('VGG16', options);
    this.fc3 = new Linear(4096, numClasses);
  }

  forward(x: Tensor): Tensor {
    let y = this.#stage(x, this.conv1_1, this.conv1_2);
    y = this.#stage(y, this.conv2_1, this.conv2_2);
    y = this.#stage(y, this.conv3_1, this.conv3_2, this.conv3_3);
    y = this.#stage(y, this.conv4_1, this.conv4_2, this.conv4_3);
    y = this.#stage(y, this.conv5_1, this.conv5_2, this.conv5_3);
    y = y.flatten({ startAxis: 1 });
    y = this.dropout1.forward(this.fc1.forward(y));
    y = this.dropout2.forward(this.fc2.forward(y));
    return this.fc3.forward(y);
  }

  #stage(x: Tensor, ...convs: readonly Conv2D[]): Tensor {
    return this.pool.forward(convs.reduce((y, conv) => F.relu(conv.forward(y)), x));
  }
}
