import { InputError } from '../../../errors.js';
import { AdaptiveAvgPool2D, BatchNorm2D, Conv2D, initializer, Layer, Linear, MaxPool2D } from '../../../nn/index.js';
import * as F from '../../../tensor/functional.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { type ClassifierOptions, requireClasses } from './options.js';

export interface ConvBNOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Default 1. */
  readonly groups?: number;
  /** `leaky` has a slope of 0.1 below 0. Default: none. */
  readonly act?: 'relu' | 'leaky';
}

/**
 * A convolution without bias that keeps height and width at stride 1, batch normalization and an activation:
 * `[N, inChannels, H, W]` to `[N, outChannels, ⌈H/stride⌉, ⌈W/stride⌉]`.
 *
 * @param kernelSize an odd number
 */
export class ConvBN extends Layer {
  static readonly kind: string = 'ConvBN';

  readonly #conv: Conv2D;
  readonly #batchNorm: BatchNorm2D;
  readonly #act: ConvBNOptions['act'];

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvBNOptions = {}) {
    super();
    const { stride = 1, groups = 1, act } = options;
    const conv = { stride, groups, padding: (kernelSize - 1) >> 1, biasAttr: false } as const;
    this.#conv = this.addSublayer('_conv', new Conv2D(inChannels, outChannels, kernelSize, conv));
    this.#batchNorm = this.addSublayer('_batch_norm', new BatchNorm2D(outChannels));
    this.#act = act;
  }

  forward(x: Tensor): Tensor {
    const y = this.#batchNorm.forward(this.#conv.forward(x));
    if (this.#act === 'relu') return F.relu(y);
    return this.#act === 'leaky' ? F.leakyRelu(y, 0.1) : y;
  }

  protected override describe(): string {
    return this.#act === undefined ? '' : `act=${this.#act}`;
  }
}

/**
 * 1×1 to `width` channels, 3×3 with the stride, 1×1 to 4·width channels; the input is added, through a 1×1
 * branch `short` if its shape differs.
 */
class Bottleneck extends Layer {
  static readonly kind: string = 'Bottleneck';

  readonly conv0: ConvBN;
  readonly conv1: ConvBN;
  readonly conv2: ConvBN;
  readonly short: ConvBN | null;

  constructor(inChannels: number, width: number, stride: number) {
    super();
    const outChannels = 4 * width;
    this.conv0 = new ConvBN(inChannels, width, 1, { act: 'relu' });
    this.conv1 = new ConvBN(width, width, 3, { stride, act: 'relu' });
    this.conv2 = new ConvBN(width, outChannels, 1);
    const sameShape = inChannels === outChannels && stride === 1;
    this.short = sameShape ? null : new ConvBN(inChannels, outChannels, 1, { stride });
  }

  forward(x: Tensor): Tensor {
    const y = this.conv2.forward(this.conv1.forward(this.conv0.forward(x)));
    const short = this.short === null ? x : this.short.forward(x);
    return F.relu(short.add(y));
  }
}

const depths = { 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3] } as const;

export interface ResNetOptions extends ClassifierOptions {
  /** Default 50. */
  readonly layers?: keyof typeof depths;
}

/**
 * ResNet-50, 101 or 152 (He et al., 2016): `[N, 3, H, W]` to `[N, numClasses]`.
 *
 * The 3×3 convolution in the first block of a stage has the stride of the stage. The initial weights of `out`
 * are uniform within ±1/√2048. The names of the parameters are those of PaddlePaddle's tutorial: block `i` of
 * stage `s` is `bb_s_i`.
 */
export class ResNet extends Layer {
  static readonly kind: string = 'ResNet';

  readonly #conv: ConvBN;
  readonly #maxPool: MaxPool2D;
  readonly #blocks: readonly Bottleneck[];
  readonly #avgPool: AdaptiveAvgPool2D;
  readonly #out: Linear;

  /** @throws {InputError} without a number of classes, or for another number of layers */
  constructor(options: ResNetOptions) {
    super();
    const numClasses = requireClasses('ResNet', options);
    const { layers = 50 } = options;
    if (!Object.hasOwn(depths, layers)) {
      throw new InputError(`[ResNet] layers: expected ${Object.keys(depths).join(', ')}, got ${layers}`);
    }
    // Everything is added by name, in order, since the names of the blocks are computed: fields of the class
    // would come before the blocks.
    this.#conv = this.addSublayer('conv', new ConvBN(3, 64, 7, { stride: 2, act: 'relu' }));
    this.#maxPool = this.addSublayer('pool2d_max', new MaxPool2D(3, { stride: 2, padding: 1 }));
    const blocks: Bottleneck[] = [];
    let channels = 64;
    depths[layers].forEach((depth, stage) => {
      const width = 64 << stage;
      for (let i = 0; i < depth; i++) {
        const stride = i === 0 && stage > 0 ? 2 : 1;
        blocks.push(this.addSublayer(`bb_${stage}_${i}`, new Bottleneck(channels, width, stride)));
        channels = 4 * width;
      }
    });
    this.#blocks = blocks;
    this.#avgPool = this.addSublayer('pool2d_avg', new AdaptiveAvgPool2D(1));
    const limit = 1 / Math.sqrt(channels);
    const weightAttr = { initializer: initializer.uniform(-limit, limit) };
    this.#out = this.addSublayer('out', new Linear(channels, numClasses, { weightAttr }));
  }

  forward(x: Tensor): Tensor {
    let y = this.#maxPool.forward(this.#conv.forward(x));
    for (const block of this.#blocks) y = block.forward(y);
    return this.#out.forward(this.#avgPool.forward(y).flatten({ startAxis: 1 }));
  }
}
