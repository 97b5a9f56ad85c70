import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { allocate } from '../../graph/dtype.js';
import { AdaptiveAvgPool2D, Conv2D, initializer, Layer, Linear, Sequential } from '../../nn/index.js';
import * as F from '../../tensor/functional.js';
import { normalized } from '../../tensor/layerNorm.js';
import { Parameter } from '../../tensor/state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, type NetworkOptions, networkChecks } from './options.js';
import { StochasticDepth } from './stochasticDepth.js';

/** Channels and blocks of the four stages, and the share of the last block that is skipped in training. */
const variants = { tiny: [[96, 192, 384, 768], [3, 3, 9, 3], 0.1] } as const;

const epsilon = 1e-6;
const firstScale = 1e-6;
const weightAttr = { initializer: initializer.normal(0, 0.02) };

/** Layer normalization over the channels of each pixel of `[N, C, H, W]`. */
class LayerNorm2D extends Layer {
  static readonly kind: string = 'LayerNorm2D';

  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(channels: number) {
    super();
    this.weight = new Parameter(allocate('float32', channels).fill(1), [channels]);
    this.bias = new Parameter(allocate('float32', channels), [channels]);
  }

  forward(x: Tensor): Tensor {
    return normalized(x, 1, this.weight, this.bias, epsilon);
  }
}

/**
 * A linear layer over the channels of each pixel, computed as a convolution of 1×1: no axes change places.
 */
function linearOverChannels({ weight, bias }: Linear, x: Tensor): Tensor {
  const [from, to] = weight.shape;
  return F.conv2d(x, weight.transpose([1, 0]).reshape([to, from, 1, 1]), bias);
}

/**
 * 7×7 by channel, layer norm, two linear layers with GELU between, and a factor for each channel; the input
 * is added.
 */
class CNBlock extends Layer {
  static readonly kind: string = 'CNBlock';

  // The order and the numbers are torchvision's; its places 1, 4 and 6 have no parameters.
  readonly layer_scale: Parameter;
  readonly block: Sequential;
  readonly stochastic_depth: StochasticDepth;
  readonly #conv: Conv2D;
  readonly #norm: LayerNorm2D;
  readonly #wide: Linear;
  readonly #narrow: Linear;

  constructor(channels: number, skips: number) {
    super();
    this.layer_scale = new Parameter(allocate('float32', channels).fill(firstScale), [channels, 1, 1]);
    this.#conv = new Conv2D(channels, channels, 7, { padding: 3, groups: channels, weightAttr });
    this.#norm = new LayerNorm2D(channels);
    this.#wide = new Linear(channels, 4 * channels, { weightAttr });
    this.#narrow = new Linear(4 * channels, channels, { weightAttr });
    this.block = new Sequential({ '0': this.#conv, '2': this.#norm, '3': this.#wide, '5': this.#narrow });
    this.stochastic_depth = new StochasticDepth(skips);
  }

  forward(x: Tensor): Tensor {
    const wide = linearOverChannels(this.#wide, this.#norm.forward(this.#conv.forward(x)));
    const y = linearOverChannels(this.#narrow, F.gelu(wide)).mul(this.layer_scale.unsqueeze(0));
    return x.add(this.stochastic_depth.forward(y));
  }
}

/**
 * ConvNeXt-Tiny (Liu et al., 2022), with the layers and names of torchvision: `[N, 3, H, W]` to `[N,
 * numClasses]`, for images of any size from 32×32 on. Paddle has no such network.
 *
 * @example
 * ```ts
 * const net = new vision.models.ConvNeXt('tiny', { numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 64, 64])); // [2, 5]
 * ```
 */
export class ConvNeXt extends Layer {
  static readonly kind: string = 'ConvNeXt';

  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2D(1);
  readonly classifier: Sequential | null;

  /** @throws {InputError} for another variant */
  constructor(variant: keyof typeof variants, options: NetworkOptions = {}) {
    super();
    check.requireOptions('ConvNeXt', options, { numClasses: networkChecks.numClasses });
    const { numClasses = imageNetClasses } = options;
    if (!Object.hasOwn(variants, variant)) {
      throw new InputError(
        `[ConvNeXt] variant: expected ${Object.keys(variants).join(', ')}, got ${check.shown(variant)}`,
      );
    }
    const [widths, counts, skipped] = variants[variant];
    const total = counts.reduce((sum: number, count) => sum + count, 0);
    const layers: Layer[] = [
      new Sequential(new Conv2D(3, widths[0], 4, { stride: 4, weightAttr }), new LayerNorm2D(widths[0])),
    ];
    let block = 0;
    for (const [stage, width] of widths.entries()) {
      const skips = () => (skipped * block++) / (total - 1);
      layers.push(new Sequential(...Array.from({ length: counts[stage] }, () => new CNBlock(width, skips()))));
      const next = widths[stage + 1];
      if (next === undefined) continue;
      layers.push(new Sequential(new LayerNorm2D(width), new Conv2D(width, next, 2, { stride: 2, weightAttr })));
    }
    this.features = new Sequential(...layers);
    const channels = widths[widths.length - 1];
    this.classifier = hasClassifier('ConvNeXt', numClasses)
      ? new Sequential({ '0': new LayerNorm2D(channels), '2': new Linear(channels, numClasses, { weightAttr }) })
      : null;
  }

  forward(x: Tensor): Tensor {
    const y = this.avgpool.forward(this.features.forward(x));
    if (this.classifier === null) return y;
    const [norm, linear] = this.classifier.namedChildren().values();
    return linear.forward(norm.forward(y).flatten({ startAxis: 1 }));
  }
}
