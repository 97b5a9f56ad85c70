import { requireOptions } from '../../check.js';
import { Conv2D, Layer, Linear, MaxPool2D, ReLU, Sequential } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, type NetworkOptions, networkChecks } from './options.js';

/**
 * LeNet for 28×28 grey images, as `paddle.vision.models.LeNet`: `[N, 1, 28, 28]` to `[N, numClasses]`.
 *
 * It has ReLU and a padded first convolution, unlike the paper's network (LeCun et al., 1998).
 *
 * @example
 * ```ts
 * const net = new vision.models.LeNet();
 * const logits = net.forward(randn([8, 1, 28, 28])); // [8, 10]
 * ```
 */
export class LeNet extends Layer {
  static readonly kind: string = 'LeNet';

  readonly features = new Sequential(
    new Conv2D(1, 6, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2D(2),
    new Conv2D(6, 16, 5),
    new ReLU(),
    new MaxPool2D(2),
  );
  readonly fc: Sequential | null;

  /** @param options.numClasses number of logits, 0 for none; default 10 */
  constructor(options: NetworkOptions = {}) {
    super();
    const { numClasses = 10 } = requireOptions('LeNet', options, { numClasses: networkChecks.numClasses });
    this.fc = hasClassifier('LeNet', numClasses)
      ? new Sequential(new Linear(400, 120), new Linear(120, 84), new Linear(84, numClasses))
      : null;
  }

  forward(x: Tensor): Tensor {
    const y = this.features.forward(x);
    return this.fc === null ? y : this.fc.forward(y.flatten({ startAxis: 1 }));
  }
}
