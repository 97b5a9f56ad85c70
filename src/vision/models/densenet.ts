import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import {
  AdaptiveAvgPool2D,
  AvgPool2D,
  BatchNorm2D,
  Conv2D,
  Dropout,
  initializer,
  Layer,
  Linear,
  MaxPool2D,
} from '../../nn/index.js';
import { concat } from '../../tensor/combine.js';
import * as F from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, networkChecks, type PooledOptions } from './options.js';

/** Paddle's older class of batch normalization, by which it names the parameters. A ReLU follows. */
class BatchNorm extends BatchNorm2D {
  static override readonly kind: string = 'BatchNorm';

  override forward(x: Tensor): Tensor {
    return F.relu(super.forward(x));
  }
}

/** Batch normalization, ReLU and a convolution without bias that keeps height and width. */
class BNACConvLayer extends Layer {
  static readonly kind: string = 'BNACConvLayer';

  readonly _batch_norm: BatchNorm;
  readonly _conv: Conv2D;

  constructor(inChannels: number, outChannels: number, kernelSize: number) {
    super();
    const padding = (kernelSize - 1) >> 1;
    this._batch_norm = new BatchNorm(inChannels);
    this._conv = new Conv2D(inChannels, outChannels, kernelSize, { padding, biasAttr: false });
  }

  forward(x: Tensor): Tensor {
    return this._conv.forward(this._batch_norm.forward(x));
  }
}

/** Adds `growthRate` channels to its input. */
class DenseLayer extends Layer {
  static readonly kind: string = 'DenseLayer';

  readonly bn_ac_func1: BNACConvLayer;
  readonly bn_ac_func2: BNACConvLayer;
  readonly dropout_func: Dropout | null;

  constructor(inChannels: number, growthRate: number, bnSize: number, dropout: number) {
    super();
    this.bn_ac_func1 = new BNACConvLayer(inChannels, bnSize * growthRate, 1);
    this.bn_ac_func2 = new BNACConvLayer(bnSize * growthRate, growthRate, 3);
    this.dropout_func = dropout > 0 ? new Dropout(dropout, { mode: 'downscaleInInfer' }) : null;
  }

  forward(x: Tensor): Tensor {
    const y = this.bn_ac_func2.forward(this.bn_ac_func1.forward(x));
    return concat([x, this.dropout_func?.forward(y) ?? y], 1);
  }
}

class DenseBlock extends Layer {
  static readonly kind: string = 'DenseBlock';

  readonly #layers: readonly DenseLayer[];

  constructor(name: string, layers: readonly DenseLayer[]) {
    super();
    this.#layers = layers.map((layer, i) => this.addSublayer(`${name}_${i + 1}`, layer));
  }

  forward(x: Tensor): Tensor {
    return this.#layers.reduce((y, layer) => layer.forward(y), x);
  }
}

/** Halves the channels, height and width. */
class TransitionLayer extends Layer {
  static readonly kind: string = 'TransitionLayer';

  readonly conv_ac_func: BNACConvLayer;
  readonly pool2d_avg = new AvgPool2D(2);

  constructor(inChannels: number) {
    super();
    this.conv_ac_func = new BNACConvLayer(inChannels, Math.floor(inChannels / 2), 1);
  }

  forward(x: Tensor): Tensor {
    return this.pool2d_avg.forward(this.conv_ac_func.forward(x));
  }
}

/** A 7×7 convolution at stride 2, batch normalization, ReLU. */
class ConvBNLayer extends Layer {
  static readonly kind: string = 'ConvBNLayer';

  readonly _conv: Conv2D;
  readonly _batch_norm: BatchNorm;

  constructor(outChannels: number) {
    super();
    this._conv = new Conv2D(3, outChannels, 7, { stride: 2, padding: 3, biasAttr: false });
    this._batch_norm = new BatchNorm(outChannels);
  }

  forward(x: Tensor): Tensor {
    return this._batch_norm.forward(this._conv.forward(x));
  }
}

/** Channels of the first convolution, channels that each layer adds, numbers of layers of the four blocks. */
const depths = {
  121: [64, 32, [6, 12, 24, 16]],
  161: [96, 48, [6, 12, 36, 24]],
  169: [64, 32, [6, 12, 32, 32]],
  201: [64, 32, [6, 12, 48, 32]],
  264: [64, 32, [6, 12, 64, 48]],
} as const;

const denseChecks = { ...networkChecks, bnSize: check.integer(1), dropout: check.shareBelowOne };

export interface DenseNetOptions extends PooledOptions {
  /** Channels inside a layer, as a multiple of those that it adds. Default 4. */
  readonly bnSize?: number;
  /**
   * Probability of dropping an element of the channels that a layer adds. As in Paddle, the others are not
   * scaled in training, and all are multiplied by 1 − p in evaluation. Default 0.
   */
  readonly dropout?: number;
}

/**
 * DenseNet-121, 161, 169, 201 or 264 (Huang et al., 2017), as `paddle.vision.models.DenseNet`: `[N, 3, H, W]`
 * to `[N, numClasses]`, for images of any size from 29×29 on.
 *
 * Without its pooling, Paddle's network fails; this one returns the features.
 *
 * @example
 * ```ts
 * const net = new vision.models.DenseNet(121, { numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 64, 64])); // [2, 5]
 * ```
 */
export class DenseNet extends Layer {
  static readonly kind: string = 'DenseNet';

  readonly conv1_func: ConvBNLayer;
  readonly pool2d_max = new MaxPool2D(3, { stride: 2, padding: 1 });
  readonly #blocks: readonly Layer[];
  readonly #norm: BatchNorm;
  readonly #pool: AdaptiveAvgPool2D | null;
  readonly #out: Linear | null;

  /** @throws {InputError} for another depth */
  constructor(depth: keyof typeof depths, options: DenseNetOptions = {}) {
    super();
    check.requireOptions('DenseNet', options, denseChecks);
    const { numClasses = imageNetClasses, withPool = true, bnSize = 4, dropout = 0 } = options;
    if (!Object.hasOwn(depths, depth)) {
      throw new InputError(`[DenseNet] depth: expected ${Object.keys(depths).join(', ')}, got ${check.shown(depth)}`);
    }
    const [first, growthRate, counts] = depths[depth];
    this.conv1_func = new ConvBNLayer(first);
    let channels: number = first;
    // The names of blocks are computed, so the layers after them are added by name, too.
    this.#blocks = counts.flatMap((count, stage) => {
      const layers = Array.from({ length: count }, () => {
        const layer = new DenseLayer(channels, growthRate, bnSize, dropout);
        channels += growthRate;
        return layer;
      });
      const block = this.addSublayer(`db_conv_${stage + 2}`, new DenseBlock(`conv${stage + 2}`, layers));
      if (stage === counts.length - 1) return [block];
      const transition = this.addSublayer(`tr_conv${stage + 2}_blk`, new TransitionLayer(channels));
      channels = Math.floor(channels / 2);
      return [block, transition];
    });
    this.#norm = this.addSublayer('batch_norm', new BatchNorm(channels));
    this.#pool = withPool ? this.addSublayer('pool2d_avg', new AdaptiveAvgPool2D(1)) : null;
    const limit = 1 / Math.sqrt(channels);
    const weightAttr = { initializer: initializer.uniform(-limit, limit) };
    const classifies = hasClassifier('DenseNet', numClasses);
    this.#out = classifies ? this.addSublayer('out', new Linear(channels, numClasses, { weightAttr })) : null;
  }

  forward(x: Tensor): Tensor {
    let y = this.pool2d_max.forward(this.conv1_func.forward(x));
    y = this.#norm.forward(this.#blocks.reduce((input, block) => block.forward(input), y));
    if (this.#pool !== null) y = this.#pool.forward(y);
    return this.#out === null ? y : this.#out.forward(y.flatten({ startAxis: 1 }));
  }
}
