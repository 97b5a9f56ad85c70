import * as check from '../check.js';
import { kindOf } from '../kind.js';
import * as ops from '../ops/index.js';
import { Tensor } from '../tensor/tensor.js';
import { optimizerChecks } from './checks.js';
import { Optimizer } from './optimizer.js';
import type { OptimizerOptions, OptimizerSettings, Update } from './options.js';

export interface SGDOptions extends OptimizerOptions {
  /** Coefficient of the L2 penalty, added to the gradient. Default: 0. */
  readonly weightDecay?: number;
}

const sgdChecks: check.OptionChecks<SGDOptions> = { ...optimizerChecks, weightDecay: check.nonNegative };

/**
 * Plain gradient descent: p ← p − rate·(g + weightDecay·p).
 *
 * @example
 * ```ts
 * const net = new nn.Linear(4, 2);
 * const opt = new optimizer.SGD({ parameters: net.parameters(), learningRate: 0.1 });
 * F.crossEntropy(net.forward(randn([8, 4])), randint(2, null, [8])).backward();
 * await opt.step();
 * opt.clearGrad();
 * ```
 */
export class SGD extends Optimizer {
  static readonly kind: string = 'SGD';

  protected readonly stateNames: readonly string[] = [];
  readonly #params: { readonly weightDecay: number };

  constructor(options: SGDOptions) {
    super(options);
    check.requireOptions('SGD', options, sgdChecks);
    this.#params = { weightDecay: options.weightDecay ?? 0 };
  }

  override get settings(): OptimizerSettings {
    return { ...this.#params, ...super.settings };
  }

  protected update(parameter: Tensor, gradient: Tensor, _states: readonly Tensor[], rate: Tensor): Update {
    return updateOf(ops.sgdUpdate(this.#params, ...valuesOf(parameter, gradient, rate)));
  }
}

export interface MomentumOptions extends SGDOptions {
  /** Default: 0.9. */
  readonly momentum?: number;
  /** Look ahead along the velocity (Sutskever et al., 2013). Default: false. */
  readonly useNesterov?: boolean;
}

const momentumChecks: check.OptionChecks<MomentumOptions> = {
  ...sgdChecks,
  momentum: check.shareBelowOne,
  useNesterov: check.flag,
};

/**
 * v ← momentum·v + g + weightDecay·p, then p ← p − rate·v, as in Paddle.
 *
 * @example
 * ```ts
 * const net = new nn.Linear(4, 2);
 * const opt = new optimizer.Momentum({ parameters: net.parameters(), learningRate: 0.01 });
 * F.crossEntropy(net.forward(randn([8, 4])), randint(2, null, [8])).backward();
 * await opt.step();
 * opt.clearGrad();
 * ```
 */
export class Momentum extends Optimizer {
  static readonly kind: string = 'Momentum';

  protected readonly stateNames: readonly string[] = ['velocity'];
  readonly #params: { readonly momentum: number; readonly weightDecay: number; readonly nesterov: boolean };

  constructor(options: MomentumOptions) {
    super(options);
    check.requireOptions('Momentum', options, momentumChecks);
    this.#params = {
      momentum: options.momentum ?? 0.9,
      weightDecay: options.weightDecay ?? 0,
      nesterov: options.useNesterov ?? false,
    };
  }

  override get settings(): OptimizerSettings {
    return { ...this.#params, ...super.settings };
  }

  protected update(parameter: Tensor, gradient: Tensor, [velocity]: readonly Tensor[], rate: Tensor): Update {
    return updateOf(ops.momentumUpdate(this.#params, ...valuesOf(parameter, gradient, velocity, rate)));
  }
}

export interface AdamOptions extends OptimizerOptions {
  /** Default: 0.9. */
  readonly beta1?: number;
  /** Default: 0.999. */
  readonly beta2?: number;
  /** Default: 1e-8. */
  readonly epsilon?: number;
  /** Coefficient of the L2 penalty: in the gradient (Adam: default 0) or decoupled (AdamW: default 0.01). */
  readonly weightDecay?: number;
}

const adamChecks: check.OptionChecks<AdamOptions> = {
  ...optimizerChecks,
  beta1: check.shareBelowOne,
  beta2: check.shareBelowOne,
  epsilon: check.positive,
  weightDecay: check.nonNegative,
};

/**
 * Adam (Kingma & Ba, 2015) with Paddle's defaults. Its weight decay is an L2 penalty in the gradient. As in
 * Paddle, the bias correction of a parameter's moments counts the updates of that parameter.
 *
 * @example
 * ```ts
 * const net = new nn.Linear(4, 2);
 * const opt = new optimizer.Adam({ parameters: net.parameters() });
 * F.crossEntropy(net.forward(randn([8, 4])), randint(2, null, [8])).backward();
 * await opt.step();
 * opt.clearGrad();
 * ```
 */
export class Adam extends Optimizer {
  static readonly kind: string = 'Adam';

  protected override readonly countsUpdates = true;
  protected readonly stateNames: readonly string[] = ['moment1', 'moment2'];
  readonly #params: Parameters<typeof ops.adamUpdate>[0];

  constructor(options: AdamOptions) {
    super(options);
    check.requireOptions(kindOf(this), options, adamChecks);
    this.#params = {
      beta1: options.beta1 ?? 0.9,
      beta2: options.beta2 ?? 0.999,
      epsilon: options.epsilon ?? 1e-8,
      weightDecay: this.coupledDecay(options),
    };
  }

  override get settings(): OptimizerSettings {
    return { ...this.#params, ...super.settings };
  }

  /** `[beta1, beta2]` */
  get betas(): readonly [number, number] {
    return [this.#params.beta1, this.#params.beta2];
  }

  protected coupledDecay({ weightDecay = 0 }: AdamOptions): number {
    return weightDecay;
  }

  /** The factor that multiplies a parameter before each step. */
  protected keep(): number {
    return 1;
  }

  protected override scalars(updates: number): Tensor {
    const { beta1, beta2 } = this.#params;
    return Tensor.fromData(Float32Array.of(this.learningRate, 1 - beta1 ** updates, 1 - beta2 ** updates, this.keep()));
  }

  protected update(parameter: Tensor, gradient: Tensor, states: readonly Tensor[], scalars: Tensor): Update {
    return updateOf(ops.adamUpdate(this.#params, ...valuesOf(parameter, gradient, ...states, scalars)));
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter, 2019): first p ← p·(1 − rate·weightDecay). */
export class AdamW extends Adam {
  static override readonly kind: string = 'AdamW';

  readonly #weightDecay: number;

  constructor(options: AdamOptions) {
    super(options);
    this.#weightDecay = options.weightDecay ?? 0.01;
  }

  override get settings(): OptimizerSettings {
    return { ...super.settings, weightDecay: this.#weightDecay };
  }

  protected override coupledDecay(): number {
    return 0;
  }

  protected override keep(): number {
    return 1 - this.learningRate * this.#weightDecay;
  }
}

function valuesOf(...tensors: readonly Tensor[]) {
  return tensors.map(({ value }) => value);
}

function updateOf([parameter, ...states]: ReturnType<typeof ops.adamUpdate>): Update {
  return { parameter: new Tensor(parameter), states: states.map((state) => new Tensor(state)) };
}
