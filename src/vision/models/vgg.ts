import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import {
  AdaptiveAvgPool2D,
  BatchNorm2D,
  Conv2D,
  Dropout,
  Layer,
  Linear,
  MaxPool2D,
  ReLU,
  Sequential,
} from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, networkChecks, type PooledOptions } from './options.js';

const widths = [64, 128, 256, 512, 512] as const;

/** Number of convolutions of each stage. */
const depths = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;

export interface VGGOptions extends PooledOptions {
  /** Batch normalization after every convolution. Default false. */
  readonly batchNorm?: boolean;
}

function makeFeatures(depth: keyof typeof depths, batchNorm: boolean): Sequential {
  let channels = 3;
  const stages = widths.map((width, stage) => {
    const convolutions = Array.from({ length: depths[depth][stage] }, () => {
      const conv = new Conv2D(channels, width, 3, { padding: 1 });
      channels = width;
      return [conv, ...(batchNorm ? [new BatchNorm2D(width)] : []), new ReLU()];
    });
    return [...convolutions.flat(), new MaxPool2D(2)];
  });
  return new Sequential(...stages.flat());
}

/**
 * VGG-11, 13, 16 or 19 (Simonyan & Zisserman, 2015), as `paddle.vision.models.VGG`: `[N, 3, H, W]` to
 * `[N, numClasses]`, for images of any size from 32×32 on. Without its pooling it takes only 224×224.
 *
 * @example
 * ```ts
 * const net = new vision.models.VGG(16, { numClasses: 5, batchNorm: true });
 * const logits = net.forward(randn([2, 3, 224, 224])); // [2, 5]
 * ```
 */
export class VGG extends Layer {
  static readonly kind: string = 'VGG';

  readonly features: Sequential;
  readonly avgpool: AdaptiveAvgPool2D | null;
  readonly classifier: Sequential | null;

  /** @throws {InputError} for another depth */
  constructor(depth: keyof typeof depths, options: VGGOptions = {}) {
    super();
    check.requireOptions('VGG', options, { ...networkChecks, batchNorm: check.flag });
    const { numClasses = imageNetClasses, withPool = true, batchNorm = false } = options;
    if (!Object.hasOwn(depths, depth)) {
      throw new InputError(`[VGG] depth: expected ${Object.keys(depths).join(', ')}, got ${check.shown(depth)}`);
    }
    this.features = makeFeatures(depth, batchNorm);
    this.avgpool = withPool ? new AdaptiveAvgPool2D(7) : null;
    this.classifier = hasClassifier('VGG', numClasses)
      ? new Sequential(
          new Linear(512 * 7 * 7, 4096),
          new ReLU(),
          new Dropout(),
          new Linear(4096, 4096),
          new ReLU(),
          new Dropout(),
          new Linear(4096, numClasses),
        )
      : null;
  }

  forward(x: Tensor): Tensor {
    let y = this.features.forward(x);
    if (this.avgpool !== null) y = this.avgpool.forward(y);
    return this.classifier === null ? y : this.classifier.forward(y.flatten({ startAxis: 1 }));
  }
}
