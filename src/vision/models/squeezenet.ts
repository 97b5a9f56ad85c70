import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { AdaptiveAvgPool2D, Conv2D, Dropout, Layer, MaxPool2D } from '../../nn/index.js';
import { concat } from '../../tensor/combine.js';
import * as F from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, networkChecks, type PooledOptions } from './options.js';

class MakeFireConv extends Layer {
  static readonly kind: string = 'MakeFireConv';

  readonly _conv: Conv2D;

  constructor(inChannels: number, outChannels: number, kernelSize: number) {
    super();
    this._conv = new Conv2D(inChannels, outChannels, kernelSize, { padding: (kernelSize - 1) >> 1 });
  }

  forward(x: Tensor): Tensor {
    return F.relu(this._conv.forward(x));
  }
}

/** 1×1 to few channels, then 1×1 and 3×3 side by side to `expand` channels each. */
class MakeFire extends Layer {
  static readonly kind: string = 'MakeFire';

  readonly _conv: MakeFireConv;
  readonly _conv_path1: MakeFireConv;
  readonly _conv_path2: MakeFireConv;

  constructor(inChannels: number, squeeze: number, expand: number) {
    super();
    this._conv = new MakeFireConv(inChannels, squeeze, 1);
    this._conv_path1 = new MakeFireConv(squeeze, expand, 1);
    this._conv_path2 = new MakeFireConv(squeeze, expand, 3);
  }

  forward(x: Tensor): Tensor {
    const y = this._conv.forward(x);
    return concat([this._conv_path1.forward(y), this._conv_path2.forward(y)], 1);
  }
}

/** The fire modules before which there is a max pooling. */
const pooled = { '1.0': [1, 4, 8], '1.1': [1, 3, 5] } as const;

/**
 * SqueezeNet 1.0 or 1.1 (Iandola et al., 2016), as `paddle.vision.models.SqueezeNet`: `[N, 3, H, W]` to `[N,
 * numClasses]`, for images of any size from 35×35 (1.1: 29×29) on.
 *
 * As in Paddle, the ReLU behind the classifier belongs to the pooling, and dropout does not scale in
 * training, but multiplies by 1 − p in evaluation.
 *
 * @example
 * ```ts
 * const net = new vision.models.SqueezeNet('1.1', { numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 64, 64])); // [2, 5]
 * ```
 */
export class SqueezeNet extends Layer {
  static readonly kind: string = 'SqueezeNet';

  readonly _conv: Conv2D;
  readonly _pool = new MaxPool2D(3, { stride: 2 });
  readonly _conv1: MakeFire;
  readonly _conv2: MakeFire;
  readonly _conv3: MakeFire;
  readonly _conv4: MakeFire;
  readonly _conv5: MakeFire;
  readonly _conv6: MakeFire;
  readonly _conv7: MakeFire;
  readonly _conv8: MakeFire;
  readonly _drop = new Dropout(0.5, { mode: 'downscaleInInfer' });
  readonly _conv9: Conv2D | null;
  readonly _avg_pool: AdaptiveAvgPool2D | null;
  readonly #pooled: readonly number[];

  /** @throws {InputError} for another version */
  constructor(version: keyof typeof pooled, options: PooledOptions = {}) {
    super();
    check.requireOptions('SqueezeNet', options, networkChecks);
    const { numClasses = imageNetClasses, withPool = true } = options;
    if (!Object.hasOwn(pooled, version)) {
      throw new InputError(
        `[SqueezeNet] version: expected ${Object.keys(pooled).join(' or ')}, got ${check.shown(version)}`,
      );
    }
    this.#pooled = pooled[version];
    const [channels, kernelSize, padding] = version === '1.0' ? [96, 7, 0] : [64, 3, 1];
    this._conv = new Conv2D(3, channels, kernelSize, { stride: 2, padding });
    this._conv1 = new MakeFire(channels, 16, 64);
    this._conv2 = new MakeFire(128, 16, 64);
    this._conv3 = new MakeFire(128, 32, 128);
    this._conv4 = new MakeFire(256, 32, 128);
    this._conv5 = new MakeFire(256, 48, 192);
    this._conv6 = new MakeFire(384, 48, 192);
    this._conv7 = new MakeFire(384, 64, 256);
    this._conv8 = new MakeFire(512, 64, 256);
    this._conv9 = hasClassifier('SqueezeNet', numClasses) ? new Conv2D(512, numClasses, 1) : null;
    this._avg_pool = withPool ? new AdaptiveAvgPool2D(1) : null;
  }

  forward(x: Tensor): Tensor {
    const { _conv1, _conv2, _conv3, _conv4, _conv5, _conv6, _conv7, _conv8 } = this;
    const fires = [_conv1, _conv2, _conv3, _conv4, _conv5, _conv6, _conv7, _conv8];
    let y = fires.reduce(
      (input, fire, i) => fire.forward(this.#pooled.includes(i + 1) ? this._pool.forward(input) : input),
      F.relu(this._conv.forward(x)),
    );
    if (this._conv9 !== null) y = this._conv9.forward(this._drop.forward(y));
    return this._avg_pool === null ? y : this._avg_pool.forward(F.relu(y)).flatten({ startAxis: 1 });
  }
}
