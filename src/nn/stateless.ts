import * as check from '../check.js';
import { InputError } from '../errors.js';
import type { RandomGenerator } from '../random.js';
import * as F from '../tensor/functional.js';
import { avgPoolChecks, dropoutChecks, poolChecks, size2D } from '../tensor/operands.js';
import { requireTensor, type Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';

/** Maximum over windows; see {@link F.maxPool2d}. The stride is the kernel size by default. */
export class MaxPool2D extends Layer {
  static readonly kind: string = 'MaxPool2D';

  readonly #kernelSize: F.Size2D;
  readonly #options: F.Pool2dOptions;

  constructor(kernelSize: F.Size2D, options: F.Pool2dOptions = {}) {
    super();
    this.#kernelSize = check.requireValue('MaxPool2D', 'kernelSize', kernelSize, size2D);
    this.#options = check.requireOptions('MaxPool2D', options, poolChecks);
  }

  forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.#kernelSize, this.#options);
  }

  protected override describe(): string {
    return describePool(this.#kernelSize, this.#options);
  }
}

/** Mean over windows; see {@link F.avgPool2d}. */
export class AvgPool2D extends Layer {
  static readonly kind: string = 'AvgPool2D';

  readonly #kernelSize: F.Size2D;
  readonly #options: F.AvgPool2dOptions;

  constructor(kernelSize: F.Size2D, options: F.AvgPool2dOptions = {}) {
    super();
    this.#kernelSize = check.requireValue('AvgPool2D', 'kernelSize', kernelSize, size2D);
    this.#options = check.requireOptions('AvgPool2D', options, avgPoolChecks);
  }

  forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.#kernelSize, this.#options);
  }

  protected override describe(): string {
    const exclusive = this.#options.exclusive === false ? ', exclusive=false' : '';
    return `${describePool(this.#kernelSize, this.#options)}${exclusive}`;
  }
}

function describePool(kernelSize: F.Size2D, { stride = kernelSize, padding = 0 }: F.Pool2dOptions): string {
  return `kernelSize=${kernelSize}, stride=${stride}, padding=${padding}`;
}

/** Mean over cells, for any size of the input; see {@link F.adaptiveAvgPool2d}. */
export class AdaptiveAvgPool2D extends Layer {
  static readonly kind: string = 'AdaptiveAvgPool2D';

  readonly #outputSize: F.Size2D;

  constructor(outputSize: F.Size2D) {
    super();
    this.#outputSize = check.requireValue('AdaptiveAvgPool2D', 'outputSize', outputSize, size2D);
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.#outputSize);
  }

  protected override describe(): string {
    return `outputSize=${this.#outputSize}`;
  }
}

const ownDropoutChecks: check.OptionChecks<Pick<F.DropoutOptions, 'mode' | 'generator'>> = {
  mode: dropoutChecks.mode,
  generator: dropoutChecks.generator,
};

/** Drops elements at random while training; see {@link F.dropout}. */
export class Dropout extends Layer {
  static readonly kind: string = 'Dropout';

  readonly #p: number;
  readonly #mode: NonNullable<F.DropoutOptions['mode']>;
  /** Its own generator; null for that of the training. */
  readonly generator: RandomGenerator | null;

  constructor(p = 0.5, options: Pick<F.DropoutOptions, 'mode' | 'generator'> = {}) {
    super();
    const { mode = 'upscaleInTrain', generator } = check.requireOptions('Dropout', options, ownDropoutChecks);
    this.#p = check.requireValue('Dropout', 'p', p, dropoutChecks.p as check.Check<number>);
    this.#mode = mode;
    this.generator = generator ?? null;
  }

  forward(x: Tensor): Tensor {
    const { generator } = this;
    return F.dropout(x, {
      p: this.#p,
      mode: this.#mode,
      training: this.training,
      ...(generator !== null && { generator }),
    });
  }

  protected override describe(): string {
    return `p=${this.#p}, mode=${this.#mode}`;
  }
}

/** max(x, 0); see {@link F.relu}. */
export class ReLU extends Layer {
  static readonly kind: string = 'ReLU';

  forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}

/** min(max(x, 0), 6); see {@link F.relu6}. */
export class ReLU6 extends Layer {
  static readonly kind: string = 'ReLU6';

  forward(x: Tensor): Tensor {
    return F.relu6(x);
  }
}

/** x where positive, otherwise `negativeSlope`·x (default: 0.01); see {@link F.leakyRelu}. */
export class LeakyReLU extends Layer {
  static readonly kind: string = 'LeakyReLU';

  readonly #negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    this.#negativeSlope = check.requireValue('LeakyReLU', 'negativeSlope', negativeSlope, check.nonNegative);
  }

  forward(x: Tensor): Tensor {
    return F.leakyRelu(x, this.#negativeSlope);
  }

  protected override describe(): string {
    return `negativeSlope=${this.#negativeSlope}`;
  }
}

/** 1/(1 + e^(−x)); see {@link F.sigmoid}. */
export class Sigmoid extends Layer {
  static readonly kind: string = 'Sigmoid';

  forward(x: Tensor): Tensor {
    return F.sigmoid(x);
  }
}

/** Hyperbolic tangent; see {@link F.tanh}. */
export class Tanh extends Layer {
  static readonly kind: string = 'Tanh';

  forward(x: Tensor): Tensor {
    return F.tanh(x);
  }
}

/** x·relu6(x + 3)/6; see {@link F.hardswish}. */
export class Hardswish extends Layer {
  static readonly kind: string = 'Hardswish';

  forward(x: Tensor): Tensor {
    return F.hardswish(x);
  }
}

/** relu6(x + 3)/6; see {@link F.hardsigmoid}. */
export class Hardsigmoid extends Layer {
  static readonly kind: string = 'Hardsigmoid';

  forward(x: Tensor): Tensor {
    return F.hardsigmoid(x);
  }
}

/** x·sigmoid(x); see {@link F.silu}. */
export class Silu extends Layer {
  static readonly kind: string = 'Silu';

  forward(x: Tensor): Tensor {
    return F.silu(x);
  }
}

/** x·sigmoid(x); see {@link F.swish}. */
export class Swish extends Layer {
  static readonly kind: string = 'Swish';

  forward(x: Tensor): Tensor {
    return F.swish(x);
  }
}

/** x times the share of a standard normal distribution below x; see {@link F.gelu}. */
export class GELU extends Layer {
  static readonly kind: string = 'GELU';

  forward(x: Tensor): Tensor {
    return F.gelu(x);
  }
}

const anInteger = check.rule<number>('an integer', Number.isSafeInteger);
const flattenChecks = { startAxis: anInteger, stopAxis: anInteger };

/** Exponentials along an axis (default: the last), scaled to sum up to 1; see {@link F.softmax}. */
export class Softmax extends Layer {
  static readonly kind: string = 'Softmax';

  readonly #axis: number;

  constructor(axis = -1) {
    super();
    this.#axis = check.requireValue('Softmax', 'axis', axis, anInteger);
  }

  forward(x: Tensor): Tensor {
    return F.softmax(x, this.#axis);
  }

  protected override describe(): string {
    return `axis=${this.#axis}`;
  }
}

/** Logarithm of the softmax along an axis (default: the last); see {@link F.logSoftmax}. */
export class LogSoftmax extends Layer {
  static readonly kind: string = 'LogSoftmax';

  readonly #axis: number;

  constructor(axis = -1) {
    super();
    this.#axis = check.requireValue('LogSoftmax', 'axis', axis, anInteger);
  }

  forward(x: Tensor): Tensor {
    return F.logSoftmax(x, this.#axis);
  }

  protected override describe(): string {
    return `axis=${this.#axis}`;
  }
}

/** Joins all axes from `startAxis` (default 1: all but the batch) to `stopAxis`. */
export class Flatten extends Layer {
  static readonly kind: string = 'Flatten';

  readonly #startAxis: number;
  readonly #stopAxis: number;

  constructor(options: { startAxis?: number; stopAxis?: number } = {}) {
    super();
    const { startAxis = 1, stopAxis = -1 } = check.requireOptions('Flatten', options, flattenChecks);
    this.#startAxis = startAxis;
    this.#stopAxis = stopAxis;
  }

  forward(x: Tensor): Tensor {
    return requireTensor('Flatten', x).flatten({ startAxis: this.#startAxis, stopAxis: this.#stopAxis });
  }

  protected override describe(): string {
    return `startAxis=${this.#startAxis}, stopAxis=${this.#stopAxis}`;
  }
}

/** Returns its input. */
export class Identity extends Layer {
  static readonly kind: string = 'Identity';

  forward(x: Tensor): Tensor {
    return requireTensor('Identity', x);
  }
}

/**
 * Layers one after another. Their names are 0, 1, 2 …, or those of an object's entries.
 *
 * @example
 * ```ts
 * const [hidden, out] = [new nn.Linear(784, 64), new nn.Linear(64, 10)];
 * const net = new nn.Sequential(new nn.Flatten(), hidden, new nn.ReLU(), out);
 * const named = new nn.Sequential({ hidden: new nn.Linear(784, 64), out: new nn.Linear(64, 10) });
 * ```
 */
export class Sequential extends Layer {
  static readonly kind: string = 'Sequential';

  readonly #layers: readonly Layer[];

  constructor(...layers: Layer[] | [Readonly<Record<string, Layer>>]) {
    super();
    const [first] = layers;
    const isNamed = layers.length === 1 && isPlainObject(first);
    if (Array.isArray(first)) {
      throw new InputError('[Sequential] layers: expected one layer after another, got an array; write ...layers');
    }
    this.#layers = Object.entries(isNamed ? first : layers).map(([name, layer]) =>
      this.addSublayer(name, layer as Layer),
    );
  }

  forward(x: Tensor): Tensor {
    return this.#layers.reduce((y, layer) => layer.forward(y), requireTensor('Sequential', x));
  }
}

function isPlainObject(value: unknown): boolean {
  if (!check.record.is(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
