import * as check from '../check.js';
import { allocate } from '../graph/dtype.js';
import { numel, type Shape } from '../graph/shape.js';
import * as F from '../tensor/functional.js';
import { Parameter } from '../tensor/state.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';

export interface LayerNormLayerOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly epsilon?: number;
}

/**
 * Layer normalization over the last axes of each sample; see {@link F.layerNorm}.
 *
 * Parameters: `weight` (ones) and `bias` (zeros), of the normalized shape.
 *
 * @example
 * ```ts
 * const norm = new nn.LayerNorm([64]);
 * const y = norm.forward(randn([8, 197, 64])); // [8, 197, 64]
 * ```
 */
export class LayerNorm extends Layer {
  static readonly kind: string = 'LayerNorm';

  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #shape: Shape;
  readonly #epsilon: number;

  constructor(normalizedShape: number | Shape, options: LayerNormLayerOptions = {}) {
    super();
    const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
    check.requireValue('LayerNorm', 'normalizedShape', shape, sizes);
    const { epsilon = 1e-5 } = check.requireOptions('LayerNorm', options, { epsilon: check.positive });
    this.#shape = [...shape];
    this.#epsilon = epsilon;
    this.weight = new Parameter(allocate('float32', numel(shape)).fill(1), shape);
    this.bias = new Parameter(allocate('float32', numel(shape)), shape);
  }

  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.#shape, { weight: this.weight, bias: this.bias, epsilon: this.#epsilon });
  }

  protected override describe(): string {
    return `[${this.#shape}], epsilon=${this.#epsilon}`;
  }
}

const sizes = check.listOf(check.integer(1), { least: 1 });
