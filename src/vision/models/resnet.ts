import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { AdaptiveAvgPool2D, BatchNorm2D, Conv2D, Layer, Linear, MaxPool2D, Sequential } from '../../nn/index.js';
import * as F from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, networkChecks, type PooledOptions } from './options.js';

interface BlockShape {
  readonly inChannels: number;
  /** Channels of the stage, before the expansion. */
  readonly planes: number;
  readonly stride: number;
  readonly groups: number;
  /** Channels of a group in the first stage. */
  readonly width: number;
}

/**
 * A 1×1 convolution on the way around a block whose output has another shape than its input. Paddle makes it
 * before the block, and so do blocks here, since Paddle's names of parameters number the layers in the order
 * in which they are made.
 */
function shortcut({ inChannels, stride }: BlockShape, outChannels: number): Sequential | null {
  if (stride === 1 && inChannels === outChannels) return null;
  return new Sequential(
    new Conv2D(inChannels, outChannels, 1, { stride, biasAttr: false }),
    new BatchNorm2D(outChannels),
  );
}

/** Two 3×3 convolutions; the first one has the stride. */
class BasicBlock extends Layer {
  static readonly kind: string = 'BasicBlock';

  static readonly expansion = 1;
  readonly conv1: Conv2D;
  readonly bn1: BatchNorm2D;
  readonly conv2: Conv2D;
  readonly bn2: BatchNorm2D;
  readonly downsample: Sequential | null;

  constructor(shape: BlockShape) {
    super();
    const { inChannels, planes, stride } = shape;
    const downsample = shortcut(shape, planes);
    this.conv1 = new Conv2D(inChannels, planes, 3, { stride, padding: 1, biasAttr: false });
    this.bn1 = new BatchNorm2D(planes);
    this.conv2 = new Conv2D(planes, planes, 3, { padding: 1, biasAttr: false });
    this.bn2 = new BatchNorm2D(planes);
    this.downsample = downsample;
  }

  forward(x: Tensor): Tensor {
    const y = F.relu(this.bn1.forward(this.conv1.forward(x)));
    return F.relu(this.bn2.forward(this.conv2.forward(y)).add(this.downsample?.forward(x) ?? x));
  }
}

/** 1×1, 3×3 in groups and with the stride, 1×1 to four times the channels. */
class BottleneckBlock extends Layer {
  static readonly kind: string = 'BottleneckBlock';

  static readonly expansion = 4;
  readonly conv1: Conv2D;
  readonly bn1: BatchNorm2D;
  readonly conv2: Conv2D;
  readonly bn2: BatchNorm2D;
  readonly conv3: Conv2D;
  readonly bn3: BatchNorm2D;
  readonly downsample: Sequential | null;

  constructor(shape: BlockShape) {
    super();
    const { inChannels, planes, stride, groups } = shape;
    const width = Math.trunc((planes * shape.width) / 64) * groups;
    const outChannels = BottleneckBlock.expansion * planes;
    const downsample = shortcut(shape, outChannels);
    this.conv1 = new Conv2D(inChannels, width, 1, { biasAttr: false });
    this.bn1 = new BatchNorm2D(width);
    this.conv2 = new Conv2D(width, width, 3, { stride, padding: 1, groups, biasAttr: false });
    this.bn2 = new BatchNorm2D(width);
    this.conv3 = new Conv2D(width, outChannels, 1, { biasAttr: false });
    this.bn3 = new BatchNorm2D(outChannels);
    this.downsample = downsample;
  }

  forward(x: Tensor): Tensor {
    let y = F.relu(this.bn1.forward(this.conv1.forward(x)));
    y = F.relu(this.bn2.forward(this.conv2.forward(y)));
    return F.relu(this.bn3.forward(this.conv3.forward(y)).add(this.downsample?.forward(x) ?? x));
  }
}

const depths = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const;

export interface ResNetOptions extends PooledOptions {
  /** Channels of a group of the 3×3 convolutions in the first stage: 128 for wide networks. Default 64. */
  readonly width?: number;
  /** Groups of the 3×3 convolutions: 32 or 64 for ResNeXt. Default 1. */
  readonly groups?: number;
}

const resNetChecks: check.OptionChecks<ResNetOptions> = {
  ...networkChecks,
  width: check.integer(1),
  groups: check.integer(1),
};

/**
 * ResNet (He et al., 2016), wide ResNet (Zagoruyko & Komodakis, 2016) and ResNeXt (Xie et al., 2017), as
 * `paddle.vision.models.ResNet`: `[N, 3, H, W]` to `[N, numClasses]`, for images of any size.
 *
 * The first 3×3 convolution of a stage has the stride of the stage.
 *
 * @example
 * ```ts
 * const net = new vision.models.ResNet(18, { numClasses: 10 });
 * const logits = net.forward(randn([2, 3, 64, 64])); // [2, 10]
 * ```
 */
export class ResNet extends Layer {
  static readonly kind: string = 'ResNet';

  readonly conv1 = new Conv2D(3, 64, 7, { stride: 2, padding: 3, biasAttr: false });
  readonly bn1 = new BatchNorm2D(64);
  readonly maxpool = new MaxPool2D(3, { stride: 2, padding: 1 });
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool: AdaptiveAvgPool2D | null;
  readonly fc: Linear | null;

  /**
   * @throws {InputError} for another depth, or for width and groups in a network without bottlenecks (below
   *   50 layers)
   */
  constructor(depth: keyof typeof depths, options: ResNetOptions = {}) {
    super();
    check.requireOptions('ResNet', options, resNetChecks);
    const { numClasses = imageNetClasses, withPool = true, width = 64, groups = 1 } = options;
    if (!Object.hasOwn(depths, depth)) {
      throw new InputError(`[ResNet] depth: expected ${Object.keys(depths).join(', ')}, got ${check.shown(depth)}`);
    }
    const Block = depth < 50 ? BasicBlock : BottleneckBlock;
    if (Block === BasicBlock && (width !== 64 || groups !== 1)) {
      throw new InputError(
        `[ResNet] width and groups: expected 64 and 1 below 50 layers, got ${width} and ${groups}; take 50 layers or more`,
      );
    }
    let inChannels = 64;
    const [layer1, layer2, layer3, layer4] = depths[depth].map((blocks, stage) => {
      const planes = 64 << stage;
      const made = Array.from({ length: blocks }, (_, i) => {
        const block = new Block({ inChannels, planes, stride: i === 0 && stage > 0 ? 2 : 1, groups, width });
        inChannels = Block.expansion * planes;
        return block;
      });
      return new Sequential(...made);
    });
    this.layer1 = layer1;
    this.layer2 = layer2;
    this.layer3 = layer3;
    this.layer4 = layer4;
    this.avgpool = withPool ? new AdaptiveAvgPool2D(1) : null;
    this.fc = hasClassifier('ResNet', numClasses) ? new Linear(inChannels, numClasses) : null;
  }

  forward(x: Tensor): Tensor {
    let y = this.maxpool.forward(F.relu(this.bn1.forward(this.conv1.forward(x))));
    for (const stage of [this.layer1, this.layer2, this.layer3, this.layer4]) y = stage.forward(y);
    if (this.avgpool !== null) y = this.avgpool.forward(y);
    return this.fc === null ? y : this.fc.forward(y.flatten({ startAxis: 1 }));
  }
}
