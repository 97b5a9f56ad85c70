import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { AdaptiveAvgPool2D, Dropout, initializer, Layer, Linear, Sequential, Sigmoid, Silu } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvNormActivation } from './convNormActivation.js';
import { hasClassifier, imageNetClasses, type NetworkOptions, networkChecks, toMultipleOf8 } from './options.js';
import { SqueezeExcitation } from './squeezeExcitation.js';
import { StochasticDepth } from './stochasticDepth.js';

/** Factors of channels and of layers, and the dropout before the classifier. */
const sizes = {
  b0: [1, 1, 0.2],
  b1: [1, 1.1, 0.2],
  b2: [1.1, 1.2, 0.3],
  b3: [1.2, 1.4, 0.3],
} as const;

/** Columns: expansion, kernel size, stride of the first block, input channels, output channels, blocks. */
const stages = [
  [1, 3, 1, 32, 16, 1],
  [6, 3, 2, 16, 24, 2],
  [6, 5, 2, 24, 40, 2],
  [6, 3, 2, 40, 80, 3],
  [6, 5, 1, 80, 112, 3],
  [6, 5, 2, 112, 192, 4],
  [6, 3, 1, 192, 320, 1],
] as const;

/** Probability that the last block is skipped; that of the others grows in steps from 0. */
const lastDepth = 0.2;

interface Shape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly expansion: number;
  /** Probability that the block is skipped. */
  readonly skips: number;
}

/**
 * 1×1 to the inner channels, 3×3 or 5×5 of each channel separately, squeeze and excitation, 1×1 without
 * activation; the input is added.
 */
class MBConv extends Layer {
  static readonly kind: string = 'MBConv';

  readonly block: Sequential;
  readonly stochastic_depth: StochasticDepth;
  readonly #adds: boolean;

  constructor({ inChannels, outChannels, kernelSize, stride, expansion, skips }: Shape) {
    super();
    const inner = toMultipleOf8(inChannels * expansion);
    const expands = inner === inChannels ? [] : [new ConvNormActivation(inChannels, inner, 1, new Silu())];
    this.block = new Sequential(
      ...expands,
      new ConvNormActivation(inner, inner, kernelSize, new Silu(), { stride, groups: inner }),
      new SqueezeExcitation(inner, Math.max(1, Math.floor(inChannels / 4)), new Silu(), new Sigmoid()),
      new ConvNormActivation(inner, outChannels, 1, null),
    );
    this.stochastic_depth = new StochasticDepth(skips);
    this.#adds = stride === 1 && inChannels === outChannels;
  }

  forward(x: Tensor): Tensor {
    const y = this.block.forward(x);
    return this.#adds ? x.add(this.stochastic_depth.forward(y)) : y;
  }
}

/**
 * EfficientNet B0 to B3 (Tan & Le, 2019), with the layers and names of torchvision: `[N, 3, H, W]` to `[N,
 * numClasses]`, for images of any size. Paddle has no such network.
 *
 * @example
 * ```ts
 * const net = new vision.models.EfficientNet('b0', { numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 64, 64])); // [2, 5]
 * ```
 */
export class EfficientNet extends Layer {
  static readonly kind: string = 'EfficientNet';

  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2D(1);
  readonly classifier: Sequential | null;

  /** @throws {InputError} for another size */
  constructor(size: keyof typeof sizes, options: NetworkOptions = {}) {
    super();
    check.requireOptions('EfficientNet', options, { numClasses: networkChecks.numClasses });
    const { numClasses = imageNetClasses } = options;
    if (!Object.hasOwn(sizes, size)) {
      throw new InputError(`[EfficientNet] size: expected ${Object.keys(sizes).join(', ')}, got ${check.shown(size)}`);
    }
    const [width, depth, dropout] = sizes[size];
    const scaled = (channels: number) => toMultipleOf8(channels * width);
    const counts = stages.map((stage) => Math.ceil(stage[5] * depth));
    const total = counts.reduce((sum, count) => sum + count, 0);
    let block = 0;
    const groups = stages.map(([expansion, kernelSize, stride, from, to], stage) => {
      const blocks = Array.from({ length: counts[stage] }, (_, i) => {
        const [inChannels, outChannels] = [scaled(i === 0 ? from : to), scaled(to)];
        const skips = (lastDepth * block++) / total;
        return new MBConv({ inChannels, outChannels, kernelSize, stride: i === 0 ? stride : 1, expansion, skips });
      });
      return new Sequential(...blocks);
    });
    const channels = scaled(stages[stages.length - 1][4]);
    this.features = new Sequential(
      new ConvNormActivation(3, scaled(stages[0][3]), 3, new Silu(), { stride: 2 }),
      ...groups,
      new ConvNormActivation(channels, 4 * channels, 1, new Silu()),
    );
    const limit = 1 / Math.sqrt(numClasses);
    const weightAttr = { initializer: initializer.uniform(-limit, limit) };
    this.classifier = hasClassifier('EfficientNet', numClasses)
      ? new Sequential(new Dropout(dropout), new Linear(4 * channels, numClasses, { weightAttr }))
      : null;
  }

  forward(x: Tensor): Tensor {
    const y = this.avgpool.forward(this.features.forward(x));
    return this.classifier === null ? y : this.classifier.forward(y.flatten({ startAxis: 1 }));
  }
}
