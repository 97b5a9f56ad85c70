import { requireOptions } from '../../check.js';
import {
  AdaptiveAvgPool2D,
  AvgPool2D,
  Dropout,
  initializer,
  Layer,
  Linear,
  MaxPool2D,
  ReLU,
  Sequential,
} from '../../nn/index.js';
import { concat } from '../../tensor/combine.js';
import type { Padding2D, Size2D } from '../../tensor/operands.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ConvNormActivation } from './convNormActivation.js';
import { hasClassifier, imageNetClasses, networkChecks, type PooledOptions } from './options.js';

/** A convolution, batch normalization and ReLU. By default height and width stay the same at stride 1. */
function conv(inChannels: number, outChannels: number, kernelSize: Size2D, stride = 1, padding?: Padding2D) {
  const own = padding === undefined ? {} : { padding };
  return new ConvNormActivation(inChannels, outChannels, kernelSize, new ReLU(), { stride, ...own });
}

/** The same with a 3×3 window that stays inside the image. */
const inside = (inChannels: number, outChannels: number, stride: number) => conv(inChannels, outChannels, 3, stride, 0);

const through = (x: Tensor, ...layers: readonly Layer[]): Tensor => layers.reduce((y, layer) => layer.forward(y), x);

const average = () => new AvgPool2D(3, { stride: 1, padding: 1, exclusive: false });

const halve = () => new MaxPool2D(3, { stride: 2 });

class InceptionStem extends Layer {
  static readonly kind: string = 'InceptionStem';

  readonly conv_1a_3x3 = inside(3, 32, 2);
  readonly conv_2a_3x3 = inside(32, 32, 1);
  readonly conv_2b_3x3 = conv(32, 64, 3);
  readonly max_pool = halve();
  readonly conv_3b_1x1 = conv(64, 80, 1);
  readonly conv_4a_3x3 = inside(80, 192, 1);

  forward(x: Tensor): Tensor {
    const { conv_1a_3x3, conv_2a_3x3, conv_2b_3x3, max_pool, conv_3b_1x1, conv_4a_3x3 } = this;
    return through(x, conv_1a_3x3, conv_2a_3x3, conv_2b_3x3, max_pool, conv_3b_1x1, conv_4a_3x3, max_pool);
  }
}

/** Paths of 1×1, 5×5, twice 3×3, and pooling. */
class InceptionA extends Layer {
  static readonly kind: string = 'InceptionA';

  readonly branch1x1: ConvNormActivation;
  readonly branch5x5_1: ConvNormActivation;
  readonly branch5x5_2: ConvNormActivation;
  readonly branch3x3dbl_1: ConvNormActivation;
  readonly branch3x3dbl_2: ConvNormActivation;
  readonly branch3x3dbl_3: ConvNormActivation;
  readonly branch_pool = average();
  readonly branch_pool_conv: ConvNormActivation;

  constructor(inChannels: number, poolFeatures: number) {
    super();
    this.branch1x1 = conv(inChannels, 64, 1);
    this.branch5x5_1 = conv(inChannels, 48, 1);
    this.branch5x5_2 = conv(48, 64, 5);
    this.branch3x3dbl_1 = conv(inChannels, 64, 1);
    this.branch3x3dbl_2 = conv(64, 96, 3);
    this.branch3x3dbl_3 = conv(96, 96, 3);
    this.branch_pool_conv = conv(inChannels, poolFeatures, 1);
  }

  forward(x: Tensor): Tensor {
    return concat(
      [
        this.branch1x1.forward(x),
        through(x, this.branch5x5_1, this.branch5x5_2),
        through(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
        through(x, this.branch_pool, this.branch_pool_conv),
      ],
      1,
    );
  }
}

/** Halves height and width: paths of 3×3, twice 3×3, and pooling. */
class InceptionB extends Layer {
  static readonly kind: string = 'InceptionB';

  readonly branch3x3: ConvNormActivation;
  readonly branch3x3dbl_1: ConvNormActivation;
  readonly branch3x3dbl_2: ConvNormActivation;
  readonly branch3x3dbl_3: ConvNormActivation;
  readonly branch_pool = halve();

  constructor(inChannels: number) {
    super();
    this.branch3x3 = inside(inChannels, 384, 2);
    this.branch3x3dbl_1 = conv(inChannels, 64, 1);
    this.branch3x3dbl_2 = conv(64, 96, 3);
    this.branch3x3dbl_3 = inside(96, 96, 2);
  }

  forward(x: Tensor): Tensor {
    const tripled = through(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3);
    return concat([this.branch3x3.forward(x), tripled, this.branch_pool.forward(x)], 1);
  }
}

/** Paths of 1×1, 7×7, twice 7×7, and pooling; a row of seven and a column of seven stand for 7×7. */
class InceptionC extends Layer {
  static readonly kind: string = 'InceptionC';

  readonly branch1x1: ConvNormActivation;
  readonly branch7x7_1: ConvNormActivation;
  readonly branch7x7_2: ConvNormActivation;
  readonly branch7x7_3: ConvNormActivation;
  readonly branch7x7dbl_1: ConvNormActivation;
  readonly branch7x7dbl_2: ConvNormActivation;
  readonly branch7x7dbl_3: ConvNormActivation;
  readonly branch7x7dbl_4: ConvNormActivation;
  readonly branch7x7dbl_5: ConvNormActivation;
  readonly branch_pool = average();
  readonly branch_pool_conv: ConvNormActivation;

  constructor(inChannels: number, width: number) {
    super();
    this.branch1x1 = conv(inChannels, 192, 1);
    this.branch7x7_1 = conv(inChannels, width, 1);
    this.branch7x7_2 = conv(width, width, [1, 7]);
    this.branch7x7_3 = conv(width, 192, [7, 1]);
    this.branch7x7dbl_1 = conv(inChannels, width, 1);
    this.branch7x7dbl_2 = conv(width, width, [7, 1]);
    this.branch7x7dbl_3 = conv(width, width, [1, 7]);
    this.branch7x7dbl_4 = conv(width, width, [7, 1]);
    this.branch7x7dbl_5 = conv(width, 192, [1, 7]);
    this.branch_pool_conv = conv(inChannels, 192, 1);
  }

  forward(x: Tensor): Tensor {
    const { branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5 } = this;
    return concat(
      [
        this.branch1x1.forward(x),
        through(x, this.branch7x7_1, this.branch7x7_2, this.branch7x7_3),
        through(x, branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5),
        through(x, this.branch_pool, this.branch_pool_conv),
      ],
      1,
    );
  }
}

/** Halves height and width: paths of 3×3, 7×7 and 3×3, and pooling. */
class InceptionD extends Layer {
  static readonly kind: string = 'InceptionD';

  readonly branch3x3_1: ConvNormActivation;
  readonly branch3x3_2: ConvNormActivation;
  readonly branch7x7x3_1: ConvNormActivation;
  readonly branch7x7x3_2: ConvNormActivation;
  readonly branch7x7x3_3: ConvNormActivation;
  readonly branch7x7x3_4: ConvNormActivation;
  readonly branch_pool = halve();

  constructor(inChannels: number) {
    super();
    this.branch3x3_1 = conv(inChannels, 192, 1);
    this.branch3x3_2 = inside(192, 320, 2);
    this.branch7x7x3_1 = conv(inChannels, 192, 1);
    this.branch7x7x3_2 = conv(192, 192, [1, 7]);
    this.branch7x7x3_3 = conv(192, 192, [7, 1]);
    this.branch7x7x3_4 = inside(192, 192, 2);
  }

  forward(x: Tensor): Tensor {
    const { branch7x7x3_1, branch7x7x3_2, branch7x7x3_3, branch7x7x3_4 } = this;
    return concat(
      [
        through(x, this.branch3x3_1, this.branch3x3_2),
        through(x, branch7x7x3_1, branch7x7x3_2, branch7x7x3_3, branch7x7x3_4),
        this.branch_pool.forward(x),
      ],
      1,
    );
  }
}

/** Paths of 1×1, 3×3, twice 3×3, and pooling; the last 3×3 is a row and a column of three side by side. */
class InceptionE extends Layer {
  static readonly kind: string = 'InceptionE';

  readonly branch1x1: ConvNormActivation;
  readonly branch3x3_1: ConvNormActivation;
  readonly branch3x3_2a: ConvNormActivation;
  readonly branch3x3_2b: ConvNormActivation;
  readonly branch3x3dbl_1: ConvNormActivation;
  readonly branch3x3dbl_2: ConvNormActivation;
  readonly branch3x3dbl_3a: ConvNormActivation;
  readonly branch3x3dbl_3b: ConvNormActivation;
  readonly branch_pool = average();
  readonly branch_pool_conv: ConvNormActivation;

  constructor(inChannels: number) {
    super();
    this.branch1x1 = conv(inChannels, 320, 1);
    this.branch3x3_1 = conv(inChannels, 384, 1);
    this.branch3x3_2a = conv(384, 384, [1, 3]);
    this.branch3x3_2b = conv(384, 384, [3, 1]);
    this.branch3x3dbl_1 = conv(inChannels, 448, 1);
    this.branch3x3dbl_2 = conv(448, 384, 3);
    this.branch3x3dbl_3a = conv(384, 384, [1, 3]);
    this.branch3x3dbl_3b = conv(384, 384, [3, 1]);
    this.branch_pool_conv = conv(inChannels, 192, 1);
  }

  forward(x: Tensor): Tensor {
    const single = this.branch3x3_1.forward(x);
    const double = through(x, this.branch3x3dbl_1, this.branch3x3dbl_2);
    return concat(
      [
        this.branch1x1.forward(x),
        this.branch3x3_2a.forward(single),
        this.branch3x3_2b.forward(single),
        this.branch3x3dbl_3a.forward(double),
        this.branch3x3dbl_3b.forward(double),
        through(x, this.branch_pool, this.branch_pool_conv),
      ],
      1,
    );
  }
}

const features = 2048;

/**
 * Inception v3 (Szegedy et al., 2016) without its auxiliary classifier, as
 * `paddle.vision.models.InceptionV3`: `[N, 3, 299, 299]` to `[N, numClasses]`, for images of any size from
 * 75×75 on.
 *
 * As in Paddle, dropout does not scale in training, but multiplies by 1 − p in evaluation.
 *
 * @example
 * ```ts
 * const net = new vision.models.InceptionV3({ numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 96, 96])); // [2, 5]
 * ```
 */
export class InceptionV3 extends Layer {
  static readonly kind: string = 'InceptionV3';

  readonly inception_stem = new InceptionStem();
  readonly inception_block_list = new Sequential(
    new InceptionA(192, 32),
    new InceptionA(256, 64),
    new InceptionA(288, 64),
    new InceptionB(288),
    new InceptionC(768, 128),
    new InceptionC(768, 160),
    new InceptionC(768, 160),
    new InceptionC(768, 192),
    new InceptionD(768),
    new InceptionE(1280),
    new InceptionE(2048),
  );
  readonly avg_pool: AdaptiveAvgPool2D | null;
  readonly dropout: Dropout | null;
  readonly fc: Linear | null;

  constructor(options: PooledOptions = {}) {
    super();
    const { numClasses = imageNetClasses, withPool = true } = requireOptions('InceptionV3', options, networkChecks);
    const classifies = hasClassifier('InceptionV3', numClasses);
    const limit = 1 / Math.sqrt(features);
    const weightAttr = { initializer: initializer.uniform(-limit, limit) };
    this.avg_pool = withPool ? new AdaptiveAvgPool2D(1) : null;
    this.dropout = classifies ? new Dropout(0.2, { mode: 'downscaleInInfer' }) : null;
    this.fc = classifies ? new Linear(features, numClasses, { weightAttr }) : null;
  }

  forward(x: Tensor): Tensor {
    let y = this.inception_block_list.forward(this.inception_stem.forward(x));
    if (this.avg_pool !== null) y = this.avg_pool.forward(y);
    if (this.fc === null || this.dropout === null) return y;
    return this.fc.forward(this.dropout.forward(y.flatten({ startAxis: 1 })));
  }
}
