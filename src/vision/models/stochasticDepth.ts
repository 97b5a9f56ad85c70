import { InputError } from '../../errors.js';
import { Layer } from '../../nn/index.js';
import * as F from '../../tensor/functional.js';
import { Tensor } from '../../tensor/tensor.js';

/**
 * Sets all features of an image to zero with probability p in training, and divides those of the others by
 * 1 − p (Huang et al., 2016).
 */
export class StochasticDepth extends Layer {
  static readonly kind: string = 'StochasticDepth';

  readonly #p: number;

  constructor(p: number) {
    super();
    if (!(p >= 0 && p < 1)) throw new InputError(`[StochasticDepth] p: expected 0 <= p < 1, got ${p}`);
    this.#p = p;
  }

  forward(x: Tensor): Tensor {
    if (!this.training || this.#p === 0) return x;
    const [images, channels] = x.shape;
    const kept = F.dropout(Tensor.ones([images, 1, 1, 1]), { p: this.#p });
    return x.mul(kept.broadcastTo([images, channels, 1, 1]));
  }

  protected override describe(): string {
    return `p=${this.#p}`;
  }
}
