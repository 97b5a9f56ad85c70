import * as check from '../check.js';
import * as F from '../tensor/functional.js';
import { crossEntropyChecks, lossChecks } from '../tensor/operands.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';

/** Softmax cross entropy with class labels; see {@link F.crossEntropy}. */
export class CrossEntropyLoss extends Layer {
  static readonly kind: string = 'CrossEntropyLoss';

  readonly #options: F.CrossEntropyOptions;

  constructor(options: F.CrossEntropyOptions = {}) {
    super();
    this.#options = check.requireOptions('CrossEntropyLoss', options, crossEntropyChecks);
  }

  /** @internal */
  get options(): F.CrossEntropyOptions {
    return this.#options;
  }

  /** @param weight of each class, instead of the option's */
  forward(logits: Tensor, labels: Tensor, weight = this.#options.weight): Tensor {
    return F.crossEntropy(logits, labels, { ...this.#options, weight });
  }
}

/** Binary cross entropy of logits; see {@link F.binaryCrossEntropyWithLogits}. */
export class BCEWithLogitsLoss extends Layer {
  static readonly kind: string = 'BCEWithLogitsLoss';

  readonly #options: F.LossOptions;

  constructor(options: F.LossOptions = {}) {
    super();
    this.#options = check.requireOptions('BCEWithLogitsLoss', options, lossChecks);
  }

  /** @internal */
  get options(): F.LossOptions {
    return this.#options;
  }

  forward(logits: Tensor, targets: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(logits, targets, this.#options);
  }
}

/** Mean squared error; see {@link F.mseLoss}. */
export class MSELoss extends Layer {
  static readonly kind: string = 'MSELoss';

  readonly #options: F.LossOptions;

  constructor(options: F.LossOptions = {}) {
    super();
    this.#options = check.requireOptions('MSELoss', options, lossChecks);
  }

  forward(prediction: Tensor, target: Tensor): Tensor {
    return F.mseLoss(prediction, target, this.#options);
  }
}
