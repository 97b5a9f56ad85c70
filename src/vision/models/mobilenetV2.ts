import { requireOptions } from '../../check.js';
import { AdaptiveAvgPool2D, BatchNorm2D, Conv2D, Dropout, Layer, Linear, ReLU6, Sequential } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvNormActivation } from './convNormActivation.js';
import type { MobileNetOptions } from './mobilenetV1.js';
import { hasClassifier, imageNetClasses, scaledChecks, toMultipleOf8 } from './options.js';

/**
 * 1×1 to `expand` times the channels, 3×3 of each channel separately, 1×1 without activation; the input is
 * added.
 */
class InvertedResidual extends Layer {
  static readonly kind: string = 'InvertedResidual';

  readonly conv: Sequential;
  readonly #adds: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expand: number) {
    super();
    const hidden = inChannels * expand;
    const expansion = expand === 1 ? [] : [new ConvNormActivation(inChannels, hidden, 1, new ReLU6())];
    this.conv = new Sequential(
      ...expansion,
      new ConvNormActivation(hidden, hidden, 3, new ReLU6(), { stride, groups: hidden }),
      new Conv2D(hidden, outChannels, 1, { biasAttr: false }),
      new BatchNorm2D(outChannels),
    );
    this.#adds = stride === 1 && inChannels === outChannels;
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x);
    return this.#adds ? x.add(y) : y;
  }
}

/** Columns: expansion, output channels, number of blocks, stride of the first block. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNet v2 (Sandler et al., 2018), as `paddle.vision.models.MobileNetV2`: `[N, 3, H, W]` to
 * `[N, numClasses]`, for images of any size.
 *
 * @example
 * ```ts
 * const net = new vision.models.MobileNetV2({ scale: 0.5, numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 96, 96])); // [2, 5]
 * ```
 */
export class MobileNetV2 extends Layer {
  static readonly kind: string = 'MobileNetV2';

  readonly features: Sequential;
  readonly pool2d_avg: AdaptiveAvgPool2D | null;
  readonly classifier: Sequential | null;

  constructor(options: MobileNetOptions = {}) {
    super();
    const {
      numClasses = imageNetClasses,
      withPool = true,
      scale = 1,
    } = requireOptions('MobileNetV2', options, scaledChecks);
    let channels = toMultipleOf8(32 * scale);
    const layers: Layer[] = [new ConvNormActivation(3, channels, 3, new ReLU6(), { stride: 2 })];
    for (const [expand, width, blocks, stride] of stages) {
      const outChannels = toMultipleOf8(width * scale);
      for (let i = 0; i < blocks; i++) {
        layers.push(new InvertedResidual(channels, outChannels, i === 0 ? stride : 1, expand));
        channels = outChannels;
      }
    }
    const last = toMultipleOf8(1280 * Math.max(1, scale));
    this.features = new Sequential(...layers, new ConvNormActivation(channels, last, 1, new ReLU6()));
    this.pool2d_avg = withPool ? new AdaptiveAvgPool2D(1) : null;
    this.classifier = hasClassifier('MobileNetV2', numClasses)
      ? new Sequential(new Dropout(0.2), new Linear(last, numClasses))
      : null;
  }

  forward(x: Tensor): Tensor {
    let y = this.features.forward(x);
    if (this.pool2d_avg !== null) y = this.pool2d_avg.forward(y);
    return this.classifier === null ? y : this.classifier.forward(y.flatten({ startAxis: 1 }));
  }
}
