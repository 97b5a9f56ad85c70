import { requireOptions } from '../../check.js';
import { AdaptiveAvgPool2D, Layer, Linear, ReLU } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvNormActivation } from './convNormActivation.js';
import { hasClassifier, imageNetClasses, type PooledOptions, scaledChecks } from './options.js';

/** A 3×3 convolution of each channel separately, then a 1×1 convolution. */
class DepthwiseSeparable extends Layer {
  static readonly kind: string = 'DepthwiseSeparable';

  readonly _depthwise_conv: ConvNormActivation;
  readonly _pointwise_conv: ConvNormActivation;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this._depthwise_conv = new ConvNormActivation(inChannels, inChannels, 3, new ReLU(), {
      stride,
      groups: inChannels,
    });
    this._pointwise_conv = new ConvNormActivation(inChannels, outChannels, 1, new ReLU());
  }

  forward(x: Tensor): Tensor {
    return this._pointwise_conv.forward(this._depthwise_conv.forward(x));
  }
}

/** Columns: name, input and output channels, stride. */
const blocks = [
  ['conv2_1', 32, 64, 1],
  ['conv2_2', 64, 128, 2],
  ['conv3_1', 128, 128, 1],
  ['conv3_2', 128, 256, 2],
  ['conv4_1', 256, 256, 1],
  ['conv4_2', 256, 512, 2],
  ['conv5_1', 512, 512, 1],
  ['conv5_2', 512, 512, 1],
  ['conv5_3', 512, 512, 1],
  ['conv5_4', 512, 512, 1],
  ['conv5_5', 512, 512, 1],
  ['conv5_6', 512, 1024, 2],
  ['conv6', 1024, 1024, 1],
] as const;

export interface MobileNetOptions extends PooledOptions {
  /** Factor of the channels. Default 1. */
  readonly scale?: number;
}

/**
 * MobileNet (Howard et al., 2017), as `paddle.vision.models.MobileNetV1`: `[N, 3, H, W]` to
 * `[N, numClasses]`, for images of any size.
 */
export class MobileNetV1 extends Layer {
  static readonly kind: string = 'MobileNetV1';

  readonly #blocks: readonly Layer[];
  readonly #pool: AdaptiveAvgPool2D | null;
  readonly #fc: Linear | null;

  constructor(options: MobileNetOptions = {}) {
    super();
    const {
      numClasses = imageNetClasses,
      withPool = true,
      scale = 1,
    } = requireOptions('MobileNetV1', options, scaledChecks);
    const scaled = (channels: number) => Math.trunc(channels * scale);
    // Everything is added by name, in order, since the names of the blocks are computed: fields of the class
    // would come before the blocks.
    this.#blocks = [
      this.addSublayer('conv1', new ConvNormActivation(3, scaled(32), 3, new ReLU(), { stride: 2 })),
      ...blocks.map(([name, inChannels, outChannels, stride]) =>
        this.addSublayer(name, new DepthwiseSeparable(scaled(inChannels), scaled(outChannels), stride)),
      ),
    ];
    this.#pool = withPool ? this.addSublayer('pool2d_avg', new AdaptiveAvgPool2D(1)) : null;
    const classifies = hasClassifier('MobileNetV1', numClasses);
    this.#fc = classifies ? this.addSublayer('fc', new Linear(scaled(1024), numClasses)) : null;
  }

  forward(x: Tensor): Tensor {
    let y = this.#blocks.reduce((input, block) => block.forward(input), x);
    if (this.#pool !== null) y = this.#pool.forward(y);
    return this.#fc === null ? y : this.#fc.forward(y.flatten({ startAxis: 1 }));
  }
}
