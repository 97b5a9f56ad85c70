import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { AdaptiveAvgPool2D, initializer, Layer, Linear, ReLU, Sequential, Sigmoid } from '../../nn/index.js';
import * as F from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvNormActivation } from './convNormActivation.js';
import { hasClassifier, imageNetClasses, type NetworkOptions, networkChecks } from './options.js';
import { SqueezeExcitation } from './squeezeExcitation.js';

/**
 * Columns: channels, blocks and group width, as the paper's formula gives them: for 400MF width
 * 48 + 27.89·i of block i, rounded to 48·2.09ʲ and to multiples of the group width.
 */
const variants = {
  y_400mf: [[48, 104, 208, 440], [1, 3, 6, 6], 8],
  y_800mf: [[64, 144, 320, 784], [1, 3, 8, 2], 16],
  y_1_6gf: [[48, 120, 336, 888], [2, 6, 17, 2], 24],
  y_3_2gf: [[72, 216, 576, 1512], [2, 5, 13, 1], 24],
} as const;

/** Channels of the first convolution. */
const stemChannels = 32;

const conv = (from: number, to: number, kernelSize: number, activates: boolean, stride = 1, groups = 1) =>
  new ConvNormActivation(from, to, kernelSize, activates ? new ReLU() : null, { stride, groups });

/** 1×1, 3×3 in groups, squeeze and excitation, 1×1 without activation; the input is added. */
class ResBottleneckBlock extends Layer {
  static readonly kind: string = 'ResBottleneckBlock';

  readonly proj: ConvNormActivation | null;
  readonly f: Sequential;

  constructor(inChannels: number, outChannels: number, stride: number, groupWidth: number) {
    super();
    const keeps = inChannels === outChannels && stride === 1;
    this.proj = keeps ? null : conv(inChannels, outChannels, 1, false, stride);
    this.f = new Sequential({
      a: conv(inChannels, outChannels, 1, true),
      b: conv(outChannels, outChannels, 3, true, stride, outChannels / groupWidth),
      se: new SqueezeExcitation(outChannels, Math.round(inChannels / 4), new ReLU(), new Sigmoid()),
      c: conv(outChannels, outChannels, 1, false),
    });
  }

  forward(x: Tensor): Tensor {
    return F.relu((this.proj?.forward(x) ?? x).add(this.f.forward(x)));
  }
}

/**
 * RegNetY-400MF, 800MF, 1.6GF or 3.2GF (Radosavovic et al., 2020), with the layers and names of torchvision:
 * `[N, 3, H, W]` to `[N, numClasses]`, for images of any size. Paddle has no such network.
 *
 * @example
 * ```ts
 * const net = new vision.models.RegNet('y_400mf', { numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 64, 64])); // [2, 5]
 * ```
 */
export class RegNet extends Layer {
  static readonly kind: string = 'RegNet';

  readonly stem: ConvNormActivation;
  readonly trunk_output: Sequential;
  readonly avgpool = new AdaptiveAvgPool2D(1);
  readonly fc: Linear | null;

  /** @throws {InputError} for another variant */
  constructor(variant: keyof typeof variants, options: NetworkOptions = {}) {
    super();
    check.requireOptions('RegNet', options, { numClasses: networkChecks.numClasses });
    const { numClasses = imageNetClasses } = options;
    if (!Object.hasOwn(variants, variant)) {
      throw new InputError(
        `[RegNet] variant: expected ${Object.keys(variants).join(', ')}, got ${check.shown(variant)}`,
      );
    }
    const [widths, counts, groupWidth] = variants[variant];
    this.stem = conv(3, stemChannels, 3, true, 2);
    let channels: number = stemChannels;
    const stages = widths.map((width, stage) => {
      const blocks = Array.from({ length: counts[stage] }, (_, i) => {
        const block = new ResBottleneckBlock(channels, width, i === 0 ? 2 : 1, groupWidth);
        channels = width;
        return [`block${stage + 1}-${i}`, block] as const;
      });
      return [`block${stage + 1}`, new Sequential(Object.fromEntries(blocks))] as const;
    });
    this.trunk_output = new Sequential(Object.fromEntries(stages));
    const weightAttr = { initializer: initializer.normal(0, 0.01) };
    this.fc = hasClassifier('RegNet', numClasses) ? new Linear(channels, numClasses, { weightAttr }) : null;
  }

  forward(x: Tensor): Tensor {
    const y = this.avgpool.forward(this.trunk_output.forward(this.stem.forward(x)));
    return this.fc === null ? y : this.fc.forward(y.flatten({ startAxis: 1 }));
  }
}
