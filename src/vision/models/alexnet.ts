import { requireOptions } from '../../check.js';
import { Conv2D, Dropout, initializer, Layer, Linear, MaxPool2D } from '../../nn/index.js';
import * as F from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, type NetworkOptions, networkChecks } from './options.js';

/** Uniform within ±1/√fanIn, for weights and bias. */
function initial(fanIn: number) {
  const limit = 1 / Math.sqrt(fanIn);
  const attr = { initializer: initializer.uniform(-limit, limit) };
  return { weightAttr: attr, biasAttr: attr };
}

function conv(inChannels: number, outChannels: number, kernelSize: number, stride: number, padding: number): Conv2D {
  const fanIn = inChannels * kernelSize * kernelSize;
  return new Conv2D(inChannels, outChannels, kernelSize, { stride, padding, ...initial(fanIn) });
}

class ConvPoolLayer extends Layer {
  static readonly kind: string = 'ConvPoolLayer';

  readonly _conv: Conv2D;
  readonly _pool = new MaxPool2D(3, { stride: 2 });

  constructor(...shape: Parameters<typeof conv>) {
    super();
    this._conv = conv(...shape);
  }

  forward(x: Tensor): Tensor {
    return this._pool.forward(F.relu(this._conv.forward(x)));
  }
}

function makeClassifier(numClasses: number) {
  // Paddle initializes all three with the number of inputs of the first.
  const linear = (inFeatures: number, outFeatures: number) => new Linear(inFeatures, outFeatures, initial(256 * 6 * 6));
  const dropout = () => new Dropout(0.5, { mode: 'downscaleInInfer' });
  return {
    _drop1: dropout(),
    _fc6: linear(256 * 6 * 6, 4096),
    _drop2: dropout(),
    _fc7: linear(4096, 4096),
    _fc8: linear(4096, numClasses),
  };
}

/**
 * AlexNet in one tower (Krizhevsky, 2014), as `paddle.vision.models.AlexNet`: `[N, 3, 224, 224]` to
 * `[N, numClasses]`.
 *
 * Its dropout does not scale in training, but multiplies by 1 − p in evaluation.
 *
 * @example
 * ```ts
 * const net = new vision.models.AlexNet({ numClasses: 5 });
 * const logits = net.forward(randn([2, 3, 224, 224])); // [2, 5]
 * ```
 */
export class AlexNet extends Layer {
  static readonly kind: string = 'AlexNet';

  readonly _conv1 = new ConvPoolLayer(3, 64, 11, 4, 2);
  readonly _conv2 = new ConvPoolLayer(64, 192, 5, 1, 2);
  readonly _conv3 = conv(192, 384, 3, 1, 1);
  readonly _conv4 = conv(384, 256, 3, 1, 1);
  readonly _conv5 = new ConvPoolLayer(256, 256, 3, 1, 1);
  readonly #classifier: ReturnType<typeof makeClassifier> | null;

  constructor(options: NetworkOptions = {}) {
    super();
    const { numClasses = imageNetClasses } = requireOptions('AlexNet', options, {
      numClasses: networkChecks.numClasses,
    });
    this.#classifier = hasClassifier('AlexNet', numClasses) ? makeClassifier(numClasses) : null;
    for (const [name, layer] of Object.entries(this.#classifier ?? {})) this.addSublayer(name, layer);
  }

  forward(x: Tensor): Tensor {
    let y = this._conv2.forward(this._conv1.forward(x));
    y = F.relu(this._conv4.forward(F.relu(this._conv3.forward(y))));
    y = this._conv5.forward(y);
    if (this.#classifier === null) return y;
    const { _drop1, _fc6, _drop2, _fc7, _fc8 } = this.#classifier;
    y = F.relu(_fc6.forward(_drop1.forward(y.flatten({ startAxis: 1 }))));
    return _fc8.forward(F.relu(_fc7.forward(_drop2.forward(y))));
  }
}
