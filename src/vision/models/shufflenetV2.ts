import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { AdaptiveAvgPool2D, Layer, Linear, MaxPool2D, ReLU, Swish } from '../../nn/index.js';
import { stack } from '../../tensor/combine.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvNormActivation } from './convNormActivation.js';
import { hasClassifier, imageNetClasses, networkChecks, type PooledOptions } from './options.js';

const activations = { relu: ReLU, swish: Swish } as const;

type ActivationName = keyof typeof activations;

/** A 1×1 convolution with batch norm and activation. */
const pointwise = (inChannels: number, outChannels: number, activation: ActivationName) =>
  new ConvNormActivation(inChannels, outChannels, 1, new activations[activation]());

/** A 3×3 convolution of each channel separately, with batch norm. */
const depthwise = (channels: number, stride: number) =>
  new ConvNormActivation(channels, channels, 3, null, { stride, groups: channels });

/** The channels of both in turn: the channel shuffle of two groups. */
function interleave(a: Tensor, b: Tensor): Tensor {
  const [images, channels, height, width] = a.shape;
  return stack([a, b], 2).reshape([images, 2 * channels, height, width]);
}

/** Half of the channels pass; the others go through 1×1, 3×3 of each channel separately, 1×1. */
class InvertedResidual extends Layer {
  static readonly kind: string = 'InvertedResidual';

  readonly _conv_pw: ConvNormActivation;
  readonly _conv_dw: ConvNormActivation;
  readonly _conv_linear: ConvNormActivation;
  readonly #half: number;

  constructor(channels: number, activation: ActivationName) {
    super();
    this.#half = channels / 2;
    this._conv_pw = pointwise(this.#half, this.#half, activation);
    this._conv_dw = depthwise(this.#half, 1);
    this._conv_linear = pointwise(this.#half, this.#half, activation);
  }

  forward(x: Tensor): Tensor {
    const [images, channels] = x.shape;
    const passing = x.slice([0, 0], [images, this.#half]);
    const rest = x.slice([0, this.#half], [images, channels]);
    return interleave(passing, this._conv_linear.forward(this._conv_dw.forward(this._conv_pw.forward(rest))));
  }
}

/** Halves height and width: all channels go through both paths. */
class InvertedResidualDS extends Layer {
  static readonly kind: string = 'InvertedResidualDS';

  readonly _conv_dw_1: ConvNormActivation;
  readonly _conv_linear_1: ConvNormActivation;
  readonly _conv_pw_2: ConvNormActivation;
  readonly _conv_dw_2: ConvNormActivation;
  readonly _conv_linear_2: ConvNormActivation;

  constructor(inChannels: number, outChannels: number, activation: ActivationName) {
    super();
    const half = outChannels / 2;
    this._conv_dw_1 = depthwise(inChannels, 2);
    this._conv_linear_1 = pointwise(inChannels, half, activation);
    this._conv_pw_2 = pointwise(inChannels, half, activation);
    this._conv_dw_2 = depthwise(half, 2);
    this._conv_linear_2 = pointwise(half, half, activation);
  }

  forward(x: Tensor): Tensor {
    const first = this._conv_linear_1.forward(this._conv_dw_1.forward(x));
    return interleave(first, this._conv_linear_2.forward(this._conv_dw_2.forward(this._conv_pw_2.forward(x))));
  }
}

/** Channels of the first convolution, the three stages and the last convolution, by scale. */
const widths = new Map([
  [0.25, [24, 24, 48, 96, 512]],
  [0.33, [24, 32, 64, 128, 512]],
  [0.5, [24, 48, 96, 192, 1024]],
  [1, [24, 116, 232, 464, 1024]],
  [1.5, [24, 176, 352, 704, 1024]],
  [2, [24, 224, 488, 976, 2048]],
]);

/** Number of blocks of each stage. */
const repeats = [4, 8, 4] as const;

const shuffleChecks = { ...networkChecks, scale: check.positive, act: check.text };

export interface ShuffleNetV2Options extends PooledOptions {
  /** Width of the network: 0.25, 0.33, 0.5, 1, 1.5 or 2. Default 1. */
  readonly scale?: number;
  /** Activation. Default `relu`. */
  readonly act?: ActivationName;
}

/**
 * ShuffleNet v2 (Ma et al., 2018), as `paddle.vision.models.ShuffleNetV2`: `[N, 3, H, W]` to `[N,
 * numClasses]`, for images of any size.
 *
 * @example
 * ```ts
 * const net = new vision.models.ShuffleNetV2({ scale: 0.5, numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 96, 96])); // [2, 5]
 * ```
 */
export class ShuffleNetV2 extends Layer {
  static readonly kind: string = 'ShuffleNetV2';

  readonly _conv1: ConvNormActivation;
  readonly _max_pool = new MaxPool2D(3, { stride: 2, padding: 1 });
  readonly #blocks: readonly Layer[];
  readonly #last: ConvNormActivation;
  readonly #pool: AdaptiveAvgPool2D | null;
  readonly #fc: Linear | null;

  /** @throws {InputError} for another scale or activation */
  constructor(options: ShuffleNetV2Options = {}) {
    super();
    check.requireOptions('ShuffleNetV2', options, shuffleChecks);
    const { numClasses = imageNetClasses, withPool = true, scale = 1, act = 'relu' } = options;
    const channels = widths.get(scale);
    if (channels === undefined) {
      throw new InputError(
        `[ShuffleNetV2] scale: expected ${[...widths.keys()].join(', ')}, got ${check.shown(scale)}`,
      );
    }
    if (!Object.hasOwn(activations, act)) {
      throw new InputError(
        `[ShuffleNetV2] act: expected ${Object.keys(activations).join(' or ')}, got ${check.shown(act)}`,
      );
    }
    this._conv1 = new ConvNormActivation(3, channels[0], 3, new activations[act](), { stride: 2 });
    // The names of blocks are computed, so the layers after them are added by name, too.
    this.#blocks = repeats.flatMap((count, stage) =>
      Array.from({ length: count }, (_, i) => {
        const width = channels[stage + 1];
        const block = i === 0 ? new InvertedResidualDS(channels[stage], width, act) : new InvertedResidual(width, act);
        return this.addSublayer(`${stage + 2}_${i + 1}`, block);
      }),
    );
    this.#last = this.addSublayer('_last_conv', pointwise(channels[3], channels[4], act));
    this.#pool = withPool ? this.addSublayer('_pool2d_avg', new AdaptiveAvgPool2D(1)) : null;
    const classifies = hasClassifier('ShuffleNetV2', numClasses);
    this.#fc = classifies ? this.addSublayer('_fc', new Linear(channels[4], numClasses)) : null;
  }

  forward(x: Tensor): Tensor {
    const begun: Tensor = this._max_pool.forward(this._conv1.forward(x));
    let y = this.#last.forward(this.#blocks.reduce((input, block) => block.forward(input), begun));
    if (this.#pool !== null) y = this.#pool.forward(y);
    return this.#fc === null ? y : this.#fc.forward(y.flatten({ startAxis: 1 }));
  }
}
