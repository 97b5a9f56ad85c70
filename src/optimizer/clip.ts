import { InputError } from '../errors.js';
import type { Value } from '../graph/node.js';
import * as ops from '../ops/index.js';

/** Changes gradients before the update, so that no step is too long. Weight decay comes after it, as in Paddle. */
export interface GradientClip {
  /** The gradients of all parameters that a step updates, as nodes. */
  clip(gradients: readonly Value[]): Value[];
  /** Its kind and bounds, for people and for comparisons. */
  describe?(): string;
}

export interface ClipGradByValueOptions {
  readonly max: number;
  /** Default −max. */
  readonly min?: number;
}

/** Limits each element to min … max. */
export class ClipGradByValue implements GradientClip {
  readonly #min: number;
  readonly #max: number;

  constructor({ max, min = -max }: ClipGradByValueOptions) {
    if (!(min <= max)) throw new InputError(`[ClipGradByValue] min: expected at most max = ${max}, got ${min}`);
    this.#min = min;
    this.#max = max;
  }

  describe(): string {
    return `ClipGradByValue ${this.#min} to ${this.#max}`;
  }

  clip(gradients: readonly Value[]): Value[] {
    const [min, max] = [this.#min, this.#max].map((bound) => ops.constant([], 'float32', bound));
    return gradients.map((gradient) => ops.binary('max', ops.binary('min', gradient, max), min));
  }
}

export interface ClipNormOptions {
  /** The largest Euclidean norm that is left as it is. */
  readonly clipNorm: number;
}

/** Shrinks each parameter's gradient to the norm clipNorm if it is longer. */
export class ClipGradByNorm implements GradientClip {
  readonly #clipNorm: number;

  constructor({ clipNorm }: ClipNormOptions) {
    this.#clipNorm = checkNorm('ClipGradByNorm', clipNorm);
  }

  describe(): string {
    return `ClipGradByNorm ${this.#clipNorm}`;
  }

  clip(gradients: readonly Value[]): Value[] {
    return gradients.map((gradient) => shrink(gradient, factor(this.#clipNorm, squaredNorm(gradient))));
  }
}

/** Shrinks all gradients by one factor, to the norm clipNorm all together if they are longer (Pascanu et al., 2013). */
export class ClipGradByGlobalNorm implements GradientClip {
  readonly #clipNorm: number;

  constructor({ clipNorm }: ClipNormOptions) {
    this.#clipNorm = checkNorm('ClipGradByGlobalNorm', clipNorm);
  }

  describe(): string {
    return `ClipGradByGlobalNorm ${this.#clipNorm}`;
  }

  clip(gradients: readonly Value[]): Value[] {
    const total = gradients.map(squaredNorm).reduce((a, b) => ops.binary('add', a, b));
    const scale = factor(this.#clipNorm, total);
    return gradients.map((gradient) => shrink(gradient, scale));
  }
}

function checkNorm(where: string, clipNorm: number): number {
  if (clipNorm > 0 && Number.isFinite(clipNorm)) return clipNorm;
  throw new InputError(`[${where}] clipNorm: expected a finite number above 0, got ${clipNorm}`);
}

function squaredNorm(gradient: Value): Value {
  return ops.reduce('sum', ops.unary('square', gradient));
}

/** clipNorm / max(norm, clipNorm), which is 1 for short gradients. */
function factor(clipNorm: number, squared: Value): Value {
  const limit = ops.constant([], 'float32', clipNorm);
  return ops.binary('div', limit, ops.binary('max', ops.unary('sqrt', squared), limit));
}

function shrink(gradient: Value, scale: Value): Value {
  return ops.binary('mul', gradient, scale);
}
