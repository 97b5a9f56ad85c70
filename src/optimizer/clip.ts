import * as check from '../check.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Changes gradients before the update, so that no step is too long. As in Paddle, weight decay comes
 * after it.
 *
 * @example
 * ```ts
 * import type { optimizer, Tensor } from 'fovea';
 *
 * // Centralizes the gradient of each weight (Yong et al., 2020).
 * class Centralize implements optimizer.GradientClip {
 *   clip(gradients: readonly Tensor[]): Tensor[] {
 *     return gradients.map((g) => (g.shape.length > 1 ? g.sub(g.mean({ axis: 0, keepdim: true })) : g));
 *   }
 * }
 * ```
 */
export interface GradientClip {
  /**
   * The changed gradients, with the same shapes. The tensors are lazy; `backward()` does not see
   * these operations.
   *
   * @param gradients of all parameters that a step updates
   */
  clip(gradients: readonly Tensor[]): Tensor[];
  /** Kind and bounds, for reports and for the comparison of a resumed training with its beginning. */
  describe?(): string;
}

export interface ClipGradByValueOptions {
  readonly max: number;
  /** Default: −max. */
  readonly min?: number;
}

/** Limits each element to min … max. */
export class ClipGradByValue implements GradientClip {
  static readonly kind: string = 'ClipGradByValue';

  readonly #min: number;
  readonly #max: number;

  constructor(options: ClipGradByValueOptions) {
    check.requireOptions('ClipGradByValue', options, { max: check.finite, min: check.finite });
    const max = check.requireValue('ClipGradByValue', 'max', options.max, check.finite);
    const { min = -max } = options;
    check.requireValue(
      'ClipGradByValue',
      'min',
      min,
      check.rule(`a finite number, at most max = ${max}`, () => min <= max),
    );
    this.#min = min;
    this.#max = max;
  }

  describe(): string {
    return `ClipGradByValue ${this.#min} to ${this.#max}`;
  }

  clip(gradients: readonly Tensor[]): Tensor[] {
    const [min, max] = [this.#min, this.#max].map((bound) => Tensor.full([], bound));
    return gradients.map((gradient) => gradient.minimum(max).maximum(min));
  }
}

export interface ClipNormOptions {
  /** The largest Euclidean norm that is not changed. */
  readonly clipNorm: number;
}

/** Shrinks each parameter's gradient to the norm clipNorm if it is longer. */
export class ClipGradByNorm implements GradientClip {
  static readonly kind: string = 'ClipGradByNorm';

  readonly #clipNorm: number;

  constructor(options: ClipNormOptions) {
    this.#clipNorm = checkedNorm('ClipGradByNorm', options);
  }

  describe(): string {
    return `ClipGradByNorm ${this.#clipNorm}`;
  }

  clip(gradients: readonly Tensor[]): Tensor[] {
    return gradients.map((gradient) => gradient.mul(factor(this.#clipNorm, squaredNorm(gradient))));
  }
}

/** Shrinks all gradients by one factor: their common norm is at most clipNorm (Pascanu et al., 2013). */
export class ClipGradByGlobalNorm implements GradientClip {
  static readonly kind: string = 'ClipGradByGlobalNorm';

  readonly #clipNorm: number;

  constructor(options: ClipNormOptions) {
    this.#clipNorm = checkedNorm('ClipGradByGlobalNorm', options);
  }

  describe(): string {
    return `ClipGradByGlobalNorm ${this.#clipNorm}`;
  }

  clip(gradients: readonly Tensor[]): Tensor[] {
    const total = gradients.map(squaredNorm).reduce((a, b) => a.add(b));
    const scale = factor(this.#clipNorm, total);
    return gradients.map((gradient) => gradient.mul(scale));
  }
}

function checkedNorm(where: string, options: ClipNormOptions): number {
  check.requireOptions(where, options, { clipNorm: check.positive });
  return check.requireValue(where, 'clipNorm', options.clipNorm, check.positive);
}

function squaredNorm(gradient: Tensor): Tensor {
  return gradient.square().sum();
}

/** clipNorm / max(norm, clipNorm), which is 1 for short gradients. */
function factor(clipNorm: number, squared: Tensor): Tensor {
  const limit = Tensor.full([], clipNorm);
  return limit.div(squared.sqrt().maximum(limit));
}
