import * as check from '../check.js';
import { InputError } from '../errors.js';
import { allocate } from '../graph/dtype.js';
import { numel, type Shape } from '../graph/shape.js';
import * as ops from '../ops/index.js';
import * as F from '../tensor/functional.js';
import { convChecks, convParams, count, pairOf, size2D } from '../tensor/operands.js';
import { Buffer, Parameter } from '../tensor/state.js';
import { operandOf, Tensor } from '../tensor/tensor.js';
import { constant, type Fans, type Initializer, kaimingNormal, xavierUniform } from './initializer.js';
import { Layer } from './layer.js';

/** The initial values of a parameter, and whether it is trained. */
export interface ParamAttr {
  /** Default: the layer's own. */
  readonly initializer?: Initializer;
  /** False for a frozen parameter; see {@link Parameter.trainable}. Default: true. */
  readonly trainable?: boolean;
}

export interface WeightOptions {
  readonly weightAttr?: ParamAttr;
  /** `false` for a layer without bias. */
  readonly biasAttr?: ParamAttr | false;
}

const paramAttr = check.rule<ParamAttr>('{ initializer, trainable }', (x) => {
  if (!check.record.is(x)) return false;
  const { initializer, trainable } = x as ParamAttr;
  return (
    (initializer === undefined || check.callable.is(initializer)) &&
    (trainable === undefined || check.flag.is(trainable))
  );
});
const weightChecks: check.OptionChecks<WeightOptions> = {
  weightAttr: paramAttr,
  biasAttr: check.either(paramAttr, check.oneOf([false])),
};

function makeParameter(shape: Shape, fans: Fans, attr: ParamAttr | undefined, otherwise: Initializer): Parameter {
  const data = check.requireValue(
    'initializer',
    'values',
    (attr?.initializer ?? otherwise)(shape, fans),
    check.instanceOf(Float32Array),
  );
  if (data.length !== numel(shape)) {
    throw new InputError(`[initializer] values: expected ${numel(shape)} for shape [${shape}], got ${data.length}`);
  }
  return new Parameter(data, shape, { trainable: attr?.trainable ?? true });
}

function makeBias(size: number, fans: Fans, attr: ParamAttr | false | undefined): Parameter | null {
  return attr === false ? null : makeParameter([size], fans, attr, constant(0));
}

/**
 * 2-D convolution over `[N, inChannels, H, W]`.
 *
 * Parameters: `weight [outChannels, inChannels/groups, kh, kw]`, normal with standard deviation
 * √(2/(inChannels·kh·kw)) as in Paddle; `bias [outChannels]`, zeros.
 *
 * @example
 * ```ts
 * const conv = new nn.Conv2D(3, 16, 3, { stride: 2, padding: 1 });
 * const y = conv.forward(randn([8, 3, 32, 32])); // [8, 16, 16, 16]
 * ```
 */
export class Conv2D extends Layer {
  static readonly kind: string = 'Conv2D';

  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly #params: Parameters<typeof ops.conv2d>[0];
  readonly #inChannels: number;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: F.Size2D,
    options: F.Conv2dOptions & WeightOptions = {},
  ) {
    super();
    check.requireOptions('Conv2D', options, { ...convChecks, ...weightChecks });
    const { groups = 1, weightAttr, biasAttr } = options;
    check.requireValue('Conv2D', 'inChannels', inChannels, count);
    check.requireValue('Conv2D', 'outChannels', outChannels, count);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new InputError(
        `[Conv2D] groups: expected a divisor of ${inChannels} input and ${outChannels} output channels, got ${groups}`,
      );
    }
    const [height, width] = pairOf(check.requireValue('Conv2D', 'kernelSize', kernelSize, size2D));
    // Paddle's fan-in counts all input channels, also those of other groups.
    const fans = { fanIn: inChannels * height * width, fanOut: outChannels * height * width };
    this.weight = makeParameter([outChannels, inChannels / groups, height, width], fans, weightAttr, kaimingNormal());
    this.bias = makeBias(outChannels, fans, biasAttr);
    this.#inChannels = inChannels;
    this.#params = convParams(options);
  }

  forward(x: Tensor): Tensor {
    return new Tensor(ops.conv2d(this.#params, operandOf('conv2d', x), this.weight.value, this.bias?.value ?? null));
  }

  protected override describe(): string {
    const { stride, padding, dilation, groups } = this.#params;
    const parts = [`${this.#inChannels}, ${this.weight.shape[0]}, kernelSize=[${this.weight.shape.slice(2)}]`];
    if (stride.some((n) => n !== 1)) parts.push(`stride=[${stride}]`);
    if (padding.some((n) => n !== 0)) parts.push(`padding=[${padding}]`);
    if (dilation.some((n) => n !== 1)) parts.push(`dilation=[${dilation}]`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (this.bias === null) parts.push('bias=false');
    return parts.join(', ');
  }
}

/**
 * `x·weight + bias` over the last axis.
 *
 * Parameters: `weight [inFeatures, outFeatures]` (Paddle's order), uniform within ±√(6/(in + out)); `bias
 * [outFeatures]`, zeros.
 *
 * @example
 * ```ts
 * const fc = new nn.Linear(64, 10);
 * const logits = fc.forward(randn([8, 64])); // [8, 10]
 * ```
 */
export class Linear extends Layer {
  static readonly kind: string = 'Linear';

  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: WeightOptions = {}) {
    super();
    const { weightAttr, biasAttr } = check.requireOptions('Linear', options, weightChecks);
    check.requireValue('Linear', 'inFeatures', inFeatures, count);
    check.requireValue('Linear', 'outFeatures', outFeatures, count);
    const fans = { fanIn: inFeatures, fanOut: outFeatures };
    this.weight = makeParameter([inFeatures, outFeatures], fans, weightAttr, xavierUniform());
    this.bias = makeBias(outFeatures, fans, biasAttr);
  }

  forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias);
  }

  protected override describe(): string {
    const [inFeatures, outFeatures] = this.weight.shape;
    return `inFeatures=${inFeatures}, outFeatures=${outFeatures}${this.bias === null ? ', bias=false' : ''}`;
  }
}

export interface BatchNormOptions {
  /** Share of the old running statistics that is kept at each step (1 − PyTorch's momentum). Default: 0.9. */
  readonly momentum?: number;
  /** Added to the variance. Default: 1e-5. */
  readonly epsilon?: number;
  /** See {@link BatchNorm2D.useGlobalStats}. Default: null. */
  readonly useGlobalStats?: boolean | null;
}

const batchNormChecks: check.OptionChecks<BatchNormOptions> = {
  momentum: check.share,
  epsilon: check.positive,
  useGlobalStats: check.orNull(check.flag),
};

/**
 * Batch normalization over N, H and W of `[N, C, H, W]` (Ioffe & Szegedy, 2015).
 *
 * It has parameters `weight [C]` (ones) and `bias [C]` (zeros), and buffers `_mean` (zeros) and `_variance`
 * (ones). Training updates the buffers with the batch's mean and biased variance; evaluation uses them.
 */
export class BatchNorm2D extends Layer {
  static readonly kind: string = 'BatchNorm2D';

  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly _mean: Buffer;
  readonly _variance: Buffer;
  /**
   * Whether to normalize with the running statistics, which are not updated then. With null, evaluation does
   * so and training does not. True keeps the statistics of a frozen part of a network unchanged while the
   * rest is trained.
   */
  useGlobalStats: boolean | null;
  readonly #momentum: number;
  readonly #params: { readonly epsilon: number };

  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super();
    check.requireValue('BatchNorm2D', 'numFeatures', numFeatures, count);
    check.requireOptions('BatchNorm2D', options, batchNormChecks);
    const { momentum = 0.9, epsilon = 1e-5, useGlobalStats = null } = options;
    this.weight = new Parameter(allocate('float32', numFeatures).fill(1), [numFeatures]);
    this.bias = new Parameter(allocate('float32', numFeatures), [numFeatures]);
    this._mean = Buffer.filled([numFeatures], 0);
    this._variance = Buffer.filled([numFeatures], 1);
    this.#momentum = momentum;
    this.#params = { epsilon };
    this.useGlobalStats = useGlobalStats;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, _mean, _variance } = this;
    const input = operandOf('batchNorm', x);
    if (this.useGlobalStats ?? !this.training) {
      return new Tensor(ops.batchNorm(this.#params, input, _mean.value, _variance.value, weight.value, bias.value));
    }
    const [y, mean, variance] = ops.batchNormTrain(this.#params, input, weight.value, bias.value);
    // The running statistics are updated exactly when this batch is computed.
    _mean.assign(ops.runningAverage(this.#momentum, _mean.value, mean), y);
    _variance.assign(ops.runningAverage(this.#momentum, _variance.value, variance), y);
    return new Tensor(y);
  }

  protected override describe(): string {
    const global = this.useGlobalStats === null ? '' : `, useGlobalStats=${this.useGlobalStats}`;
    return `numFeatures=${this.weight.size}, momentum=${this.#momentum}, epsilon=${this.#params.epsilon}${global}`;
  }
}
