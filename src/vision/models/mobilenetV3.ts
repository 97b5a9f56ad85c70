import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { AdaptiveAvgPool2D, Dropout, Hardsigmoid, Hardswish, Layer, Linear, ReLU, Sequential } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvNormActivation } from './convNormActivation.js';
import type { MobileNetOptions } from './mobilenetV1.js';
import { hasClassifier, imageNetClasses, scaledChecks, toMultipleOf8 } from './options.js';
import { SqueezeExcitation } from './squeezeExcitation.js';

/** Paddle's settings of the batch norms of this network. */
const norm = { epsilon: 0.001, momentum: 0.99 };

/** Input channels, kernel size, inner and output channels, squeeze and excitation, activation, stride. */
type Block = readonly [number, 3 | 5, number, number, boolean, 'relu' | 'hardswish', 1 | 2];

const blocks = {
  small: [
    [16, 3, 16, 16, true, 'relu', 2],
    [16, 3, 72, 24, false, 'relu', 2],
    [24, 3, 88, 24, false, 'relu', 1],
    [24, 5, 96, 40, true, 'hardswish', 2],
    [40, 5, 240, 40, true, 'hardswish', 1],
    [40, 5, 240, 40, true, 'hardswish', 1],
    [40, 5, 120, 48, true, 'hardswish', 1],
    [48, 5, 144, 48, true, 'hardswish', 1],
    [48, 5, 288, 96, true, 'hardswish', 2],
    [96, 5, 576, 96, true, 'hardswish', 1],
    [96, 5, 576, 96, true, 'hardswish', 1],
  ],
  large: [
    [16, 3, 16, 16, false, 'relu', 1],
    [16, 3, 64, 24, false, 'relu', 2],
    [24, 3, 72, 24, false, 'relu', 1],
    [24, 5, 72, 40, true, 'relu', 2],
    [40, 5, 120, 40, true, 'relu', 1],
    [40, 5, 120, 40, true, 'relu', 1],
    [40, 3, 240, 80, false, 'hardswish', 2],
    [80, 3, 200, 80, false, 'hardswish', 1],
    [80, 3, 184, 80, false, 'hardswish', 1],
    [80, 3, 184, 80, false, 'hardswish', 1],
    [80, 3, 480, 112, true, 'hardswish', 1],
    [112, 3, 672, 112, true, 'hardswish', 1],
    [112, 5, 672, 160, true, 'hardswish', 2],
    [160, 5, 960, 160, true, 'hardswish', 1],
    [160, 5, 960, 160, true, 'hardswish', 1],
  ],
} as const satisfies Readonly<Record<string, readonly Block[]>>;

/** Channels between the two layers of the classifier. */
const lastChannels = { small: 1024, large: 1280 } as const;

/**
 * 1×1 to the inner channels, 3×3 or 5×5 of each channel separately, squeeze and excitation, 1×1 without
 * activation; the input is added.
 */
class InvertedResidual extends Layer {
  static readonly kind: string = 'InvertedResidual';

  readonly expand_conv: ConvNormActivation | null;
  readonly bottleneck_conv: ConvNormActivation;
  readonly mid_se: SqueezeExcitation | null;
  readonly linear_conv: ConvNormActivation;
  readonly #adds: boolean;

  constructor([inChannels, kernelSize, inner, outChannels, squeezes, activation, stride]: Block, scale: number) {
    super();
    const [from, through, to] = [inChannels, inner, outChannels].map((channels) => toMultipleOf8(channels * scale));
    const activate = () => (activation === 'relu' ? new ReLU() : new Hardswish());
    this.expand_conv = from === through ? null : new ConvNormActivation(from, through, 1, activate(), { norm });
    const depthwise = { stride, groups: through, norm };
    this.bottleneck_conv = new ConvNormActivation(through, through, kernelSize, activate(), depthwise);
    const squeezed = toMultipleOf8(Math.floor(through / 4));
    this.mid_se = squeezes ? new SqueezeExcitation(through, squeezed, new ReLU(), new Hardsigmoid()) : null;
    this.linear_conv = new ConvNormActivation(through, to, 1, null, { norm });
    this.#adds = stride === 1 && from === to;
  }

  forward(x: Tensor): Tensor {
    let y = this.bottleneck_conv.forward(this.expand_conv?.forward(x) ?? x);
    if (this.mid_se !== null) y = this.mid_se.forward(y);
    y = this.linear_conv.forward(y);
    return this.#adds ? x.add(y) : y;
  }
}

/**
 * MobileNet v3, small or large (Howard et al., 2019), as `paddle.vision.models.MobileNetV3Small` and
 * `MobileNetV3Large`: `[N, 3, H, W]` to `[N, numClasses]`, for images of any size.
 *
 * @example
 * ```ts
 * const net = new vision.models.MobileNetV3('small', { scale: 0.5, numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 96, 96])); // [2, 5]
 * ```
 */
export class MobileNetV3 extends Layer {
  static readonly kind: string = 'MobileNetV3';

  readonly conv: ConvNormActivation;
  readonly blocks: Sequential;
  readonly lastconv: ConvNormActivation;
  readonly avgpool: AdaptiveAvgPool2D | null;
  readonly classifier: Sequential | null;

  /** @throws {InputError} for another size */
  constructor(size: keyof typeof blocks, options: MobileNetOptions = {}) {
    super();
    check.requireOptions('MobileNetV3', options, scaledChecks);
    const { numClasses = imageNetClasses, withPool = true, scale = 1 } = options;
    if (!Object.hasOwn(blocks, size)) {
      throw new InputError(
        `[MobileNetV3] size: expected ${Object.keys(blocks).join(' or ')}, got ${check.shown(size)}`,
      );
    }
    const scaled = (channels: number) => toMultipleOf8(channels * scale);
    const last = lastChannels[size];
    const specs: readonly Block[] = blocks[size];
    this.conv = new ConvNormActivation(3, scaled(16), 3, new Hardswish(), { stride: 2, norm });
    this.blocks = new Sequential(...specs.map((block) => new InvertedResidual(block, scale)));
    const channels = scaled(specs[specs.length - 1][3]);
    this.lastconv = new ConvNormActivation(channels, channels * 6, 1, new Hardswish(), { norm });
    this.avgpool = withPool ? new AdaptiveAvgPool2D(1) : null;
    this.classifier = hasClassifier('MobileNetV3', numClasses)
      ? new Sequential(
          new Linear(channels * 6, scaled(last)),
          new Hardswish(),
          new Dropout(0.2),
          new Linear(scaled(last), numClasses),
        )
      : null;
  }

  forward(x: Tensor): Tensor {
    let y = this.lastconv.forward(this.blocks.forward(this.conv.forward(x)));
    if (this.avgpool !== null) y = this.avgpool.forward(y);
    return this.classifier === null ? y : this.classifier.forward(y.flatten({ startAxis: 1 }));
  }
}
