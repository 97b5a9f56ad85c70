import { InputError } from '../../../errors.js';
import { AdaptiveAvgPool2D, AvgPool2D, Conv2D, Dropout, Layer, Linear, MaxPool2D } from '../../../nn/index.js';
import { concat } from '../../../tensor/combine.js';
import * as F from '../../../tensor/functional.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { type ClassifierOptions, requireClasses } from './options.js';

/**
 * Four parallel paths, joined along the channels: 1×1; 1×1 then 3×3; 1×1 then 5×5; 3×3 max pooling then 1×1.
 * `[N, inChannels, H, W]` to `[N, c1 + c2[1] + c3[1] + c4, H, W]`.
 */
class Inception extends Layer {
  static readonly kind: string = 'Inception';

  readonly p1_1: Conv2D;
  readonly p2_1: Conv2D;
  readonly p2_2: Conv2D;
  readonly p3_1: Conv2D;
  readonly p3_2: Conv2D;
  readonly p4_1: MaxPool2D;
  readonly p4_2: Conv2D;

  constructor(
    inChannels: number,
    c1: number,
    c2: readonly [number, number],
    c3: readonly [number, number],
    c4: number,
  ) {
    super();
    this.p1_1 = new Conv2D(inChannels, c1, 1);
    this.p2_1 = new Conv2D(inChannels, c2[0], 1);
    this.p2_2 = new Conv2D(c2[0], c2[1], 3, { padding: 1 });
    this.p3_1 = new Conv2D(inChannels, c3[0], 1);
    this.p3_2 = new Conv2D(c3[0], c3[1], 5, { padding: 2 });
    this.p4_1 = new MaxPool2D(3, { stride: 1, padding: 1 });
    this.p4_2 = new Conv2D(inChannels, c4, 1);
  }

  forward(x: Tensor): Tensor {
    const p1 = F.relu(this.p1_1.forward(x));
    const p2 = F.relu(this.p2_2.forward(F.relu(this.p2_1.forward(x))));
    const p3 = F.relu(this.p3_2.forward(F.relu(this.p3_1.forward(x))));
    const p4 = F.relu(this.p4_2.forward(this.p4_1.forward(x)));
    return concat([p1, p2, p3, p4], 1);
  }
}

/** The paper's classifier on an inner layer: `[N, inChannels, size, size]` to `[N, numClasses]`. */
class AuxiliaryHead extends Layer {
  static readonly kind: string = 'AuxiliaryHead';

  readonly pool: AvgPool2D;
  readonly conv: Conv2D;
  readonly fc1: Linear;
  readonly dropout: Dropout;
  readonly fc2: Linear;

  constructor(inChannels: number, size: number, numClasses: number) {
    super();
    const pooled = Math.floor((size - 5) / 3) + 1;
    this.pool = new AvgPool2D(5, { stride: 3 });
    this.conv = new Conv2D(inChannels, 128, 1);
    this.fc1 = new Linear(128 * pooled * pooled, 1024);
    this.dropout = new Dropout(0.7);
    this.fc2 = new Linear(1024, numClasses);
  }

  forward(x: Tensor): Tensor {
    const y = F.relu(this.conv.forward(this.pool.forward(x))).flatten({ startAxis: 1 });
    return this.fc2.forward(this.dropout.forward(F.relu(this.fc1.forward(y))));
  }
}

export interface GoogLeNetOptions extends ClassifierOptions {
  /** Adds the paper's two classifiers after `block4_1` and `block4_4`. Default false. */
  readonly auxiliaryHeads?: boolean;
  /**
   * Height and width of the images, at least 33. The fully connected layers of the auxiliary heads depend on
   * it. Default 224. Without heads the network takes images of any size.
   */
  readonly imageSize?: number;
}

/**
 * GoogLeNet (after Szegedy et al., 2015): `[N, 3, H, W]` to `[N, numClasses]`.
 *
 * As in PaddlePaddle's tutorial the first convolution has stride 1 (the paper's has 2), and there is neither
 * local response normalization nor dropout before `fc`. The names of the parameters are the tutorial's, too.
 */
export class GoogLeNet extends Layer {
  static readonly kind: string = 'GoogLeNet';

  readonly conv1 = new Conv2D(3, 64, 7, { padding: 3 });
  readonly pool1 = new MaxPool2D(3, { stride: 2, padding: 1 });
  readonly conv2_1 = new Conv2D(64, 64, 1);
  readonly conv2_2 = new Conv2D(64, 192, 3, { padding: 1 });
  readonly pool2 = new MaxPool2D(3, { stride: 2, padding: 1 });
  readonly block3_1 = new Inception(192, 64, [96, 128], [16, 32], 32);
  readonly block3_2 = new Inception(256, 128, [128, 192], [32, 96], 64);
  readonly pool3 = new MaxPool2D(3, { stride: 2, padding: 1 });
  readonly block4_1 = new Inception(480, 192, [96, 208], [16, 48], 64);
  readonly block4_2 = new Inception(512, 160, [112, 224], [24, 64], 64);
  readonly block4_3 = new Inception(512, 128, [128, 256], [24, 64], 64);
  readonly block4_4 = new Inception(512, 112, [144, 288], [32, 64], 64);
  readonly block4_5 = new Inception(528, 256, [160, 320], [32, 128], 128);
  readonly pool4 = new MaxPool2D(3, { stride: 2, padding: 1 });
  readonly block5_1 = new Inception(832, 256, [160, 320], [32, 128], 128);
  readonly block5_2 = new Inception(832, 384, [192, 384], [48, 128], 128);
  readonly pool5 = new AdaptiveAvgPool2D(1);
  readonly fc: Linear;
  readonly aux1: AuxiliaryHead | null;
  readonly aux2: AuxiliaryHead | null;

  /**
   * @throws {InputError} without a number of classes, or for an image size that is invalid for auxiliary
   *   heads
   */
  constructor(options: GoogLeNetOptions) {
    super();
    const numClasses = requireClasses('GoogLeNet', options);
    const { auxiliaryHeads = false, imageSize = 224 } = options;
    this.fc = new Linear(1024, numClasses);
    // Three poolings of stride 2, each of which rounds up, come before block 4.
    const size = Math.ceil(imageSize / 8);
    if (auxiliaryHeads && !(Number.isInteger(imageSize) && size >= 5)) {
      throw new InputError(
        `[GoogLeNet] imageSize: expected an integer of at least 33 with auxiliary heads, got ${imageSize}`,
      );
    }
    this.aux1 = auxiliaryHeads ? new AuxiliaryHead(512, size, numClasses) : null;
    this.aux2 = auxiliaryHeads ? new AuxiliaryHead(528, size, numClasses) : null;
  }

  forward(x: Tensor): Tensor {
    return this.#trunk(x).logits;
  }

  /**
   * The logits together with those of the two auxiliary heads, all `[N, numClasses]`. The paper trains on
   * loss(logits) + 0.3·(loss(auxiliary 1) + loss(auxiliary 2)), and leaves the heads out afterwards.
   *
   * @throws {InputError} if the network has no heads
   */
  forwardWithHeads(x: Tensor): { readonly logits: Tensor; readonly auxiliary: readonly [Tensor, Tensor] } {
    const { aux1, aux2 } = this;
    if (aux1 === null || aux2 === null) {
      throw new InputError(
        '[GoogLeNet] auxiliary heads: expected a network with them, got one without; ' +
          'make it with new vision.models.course.GoogLeNet({ numClasses, auxiliaryHeads: true })',
      );
    }
    const { block4_1, block4_4, logits } = this.#trunk(x);
    return { logits, auxiliary: [aux1.forward(block4_1), aux2.forward(block4_4)] };
  }

  #trunk(x: Tensor): { readonly block4_1: Tensor; readonly block4_4: Tensor; readonly logits: Tensor } {
    let y = this.pool1.forward(F.relu(this.conv1.forward(x)));
    y = this.pool2.forward(F.relu(this.conv2_2.forward(F.relu(this.conv2_1.forward(y)))));
    y = this.pool3.forward(this.block3_2.forward(this.block3_1.forward(y)));
    const block4_1 = this.block4_1.forward(y);
    const block4_4 = this.block4_4.forward(this.block4_3.forward(this.block4_2.forward(block4_1)));
    y = this.pool4.forward(this.block4_5.forward(block4_4));
    y = this.pool5.forward(this.block5_2.forward(this.block5_1.forward(y)));
    return { block4_1, block4_4, logits: this.fc.forward(y.flatten({ startAxis: 1 })) };
  }
}
