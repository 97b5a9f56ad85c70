import { requireOptions } from '../../check.js';
import {
  AdaptiveAvgPool2D,
  AvgPool2D,
  Conv2D,
  Dropout,
  initializer,
  Layer,
  Linear,
  MaxPool2D,
} from '../../nn/index.js';
import { concat } from '../../tensor/combine.js';
import * as F from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hasClassifier, imageNetClasses, networkChecks, type PooledOptions } from './options.js';

class ConvLayer extends Layer {
  static readonly kind: string = 'ConvLayer';

  readonly _conv: Conv2D;

  constructor(inChannels: number, outChannels: number, kernelSize: number, stride = 1) {
    super();
    const padding = (kernelSize - 1) >> 1;
    this._conv = new Conv2D(inChannels, outChannels, kernelSize, { stride, padding, biasAttr: false });
  }

  forward(x: Tensor): Tensor {
    return this._conv.forward(x);
  }
}

/** Four parallel paths whose outputs are joined, with a single ReLU after that. */
class Inception extends Layer {
  static readonly kind: string = 'Inception';

  readonly _conv1: ConvLayer;
  readonly _conv3r: ConvLayer;
  readonly _conv3: ConvLayer;
  readonly _conv5r: ConvLayer;
  readonly _conv5: ConvLayer;
  readonly _pool = new MaxPool2D(3, { stride: 1, padding: 1 });
  readonly _convprj: ConvLayer;

  constructor(
    inChannels: number,
    filter1: number,
    filter3R: number,
    filter3: number,
    filter5R: number,
    filter5: number,
    proj: number,
  ) {
    super();
    this._conv1 = new ConvLayer(inChannels, filter1, 1);
    this._conv3r = new ConvLayer(inChannels, filter3R, 1);
    this._conv3 = new ConvLayer(filter3R, filter3, 3);
    this._conv5r = new ConvLayer(inChannels, filter5R, 1);
    this._conv5 = new ConvLayer(filter5R, filter5, 5);
    this._convprj = new ConvLayer(inChannels, proj, 1);
  }

  forward(x: Tensor): Tensor {
    const conv1 = this._conv1.forward(x);
    const conv3 = this._conv3.forward(this._conv3r.forward(x));
    const conv5 = this._conv5.forward(this._conv5r.forward(x));
    const convprj = this._convprj.forward(this._pool.forward(x));
    return F.relu(concat([conv1, conv3, conv5, convprj], 1));
  }
}

function linear(inFeatures: number, outFeatures: number, channels = inFeatures): Linear {
  const limit = Math.sqrt(3 / channels);
  return new Linear(inFeatures, outFeatures, { weightAttr: { initializer: initializer.uniform(-limit, limit) } });
}

const dropout = (p: number) => new Dropout(p, { mode: 'downscaleInInfer' });

function makePools() {
  return {
    _pool_5: new AdaptiveAvgPool2D(1),
    _pool_o1: new AvgPool2D(5, { stride: 3 }),
    _pool_o2: new AvgPool2D(5, { stride: 3 }),
  };
}

function makeClassifiers(numClasses: number) {
  return {
    _drop: dropout(0.4),
    _fc_out: linear(1024, numClasses),
    _conv_o1: new ConvLayer(512, 128, 1),
    _fc_o1: linear(1152, 1024, 2048),
    _drop_o1: dropout(0.7),
    _out1: linear(1024, numClasses),
    _conv_o2: new ConvLayer(528, 128, 1),
    _fc_o2: linear(1152, 1024, 2048),
    _drop_o2: dropout(0.7),
    _out2: linear(1024, numClasses),
  };
}

/**
 * GoogLeNet (Szegedy et al., 2015), as `paddle.vision.models.GoogLeNet`: `[N, 3, 224, 224]` to
 * `[N, numClasses]`.
 *
 * As in Paddle, convolutions have neither biases nor activations; there is only one ReLU at the end of each
 * inception block. Dropout does not scale in training, but multiplies by 1 − p in evaluation. Paddle's
 * `forward` returns `[out, out1, out2]`, which is {@link forwardWithHeads} here; `forward` returns only the
 * first, for images of any size.
 */
export class GoogLeNet extends Layer {
  static readonly kind: string = 'GoogLeNet';

  readonly _conv = new ConvLayer(3, 64, 7, 2);
  readonly _pool = new MaxPool2D(3, { stride: 2 });
  readonly _conv_1 = new ConvLayer(64, 64, 1);
  readonly _conv_2 = new ConvLayer(64, 192, 3);
  readonly _ince3a = new Inception(192, 64, 96, 128, 16, 32, 32);
  readonly _ince3b = new Inception(256, 128, 128, 192, 32, 96, 64);
  readonly _ince4a = new Inception(480, 192, 96, 208, 16, 48, 64);
  readonly _ince4b = new Inception(512, 160, 112, 224, 24, 64, 64);
  readonly _ince4c = new Inception(512, 128, 128, 256, 24, 64, 64);
  readonly _ince4d = new Inception(512, 112, 144, 288, 32, 64, 64);
  readonly _ince4e = new Inception(528, 256, 160, 320, 32, 128, 128);
  readonly _ince5a = new Inception(832, 256, 160, 320, 32, 128, 128);
  readonly _ince5b = new Inception(832, 384, 192, 384, 48, 128, 128);
  readonly #pools: ReturnType<typeof makePools> | null;
  readonly #classifiers: ReturnType<typeof makeClassifiers> | null;

  constructor(options: PooledOptions = {}) {
    super();
    const { numClasses = imageNetClasses, withPool = true } = requireOptions('GoogLeNet', options, networkChecks);
    this.#pools = withPool ? makePools() : null;
    this.#classifiers = hasClassifier('GoogLeNet', numClasses) ? makeClassifiers(numClasses) : null;
    for (const [name, layer] of Object.entries({ ...this.#pools, ...this.#classifiers })) this.addSublayer(name, layer);
  }

  forward(x: Tensor): Tensor {
    return this.#logits(this.#trunk(x).ince5b);
  }

  /**
   * The logits together with those of the two auxiliary classifiers, all `[N, numClasses]`. The paper trains
   * on loss(logits) + 0.3·(loss(auxiliary 1) + loss(auxiliary 2)).
   *
   * @throws {ShapeError} for images that are too small for the 3×3 cells of the auxiliary classifiers;
   *   224×224 is large enough
   */
  forwardWithHeads(x: Tensor): { readonly logits: Tensor; readonly auxiliary: readonly [Tensor, Tensor] } {
    const { ince4a, ince4d, ince5b } = this.#trunk(x);
    const out1 = this.#pools?._pool_o1.forward(ince4a) ?? ince4a;
    const out2 = this.#pools?._pool_o2.forward(ince4d) ?? ince4d;
    const logits = this.#logits(ince5b);
    if (this.#classifiers === null) return { logits, auxiliary: [out1, out2] };
    const { _conv_o1, _fc_o1, _drop_o1, _out1, _conv_o2, _fc_o2, _drop_o2, _out2 } = this.#classifiers;
    const inner1 = F.relu(_fc_o1.forward(_conv_o1.forward(out1).flatten({ startAxis: 1 })));
    // Paddle leaves out the ReLU here.
    const inner2 = _fc_o2.forward(_conv_o2.forward(out2).flatten({ startAxis: 1 }));
    return { logits, auxiliary: [_out1.forward(_drop_o1.forward(inner1)), _out2.forward(_drop_o2.forward(inner2))] };
  }

  #trunk(x: Tensor): { readonly ince4a: Tensor; readonly ince4d: Tensor; readonly ince5b: Tensor } {
    let y = this._conv_1.forward(this._pool.forward(this._conv.forward(x)));
    y = this._pool.forward(this._conv_2.forward(y));
    y = this._pool.forward(this._ince3b.forward(this._ince3a.forward(y)));
    const ince4a = this._ince4a.forward(y);
    const ince4d = this._ince4d.forward(this._ince4c.forward(this._ince4b.forward(ince4a)));
    y = this._pool.forward(this._ince4e.forward(ince4d));
    return { ince4a, ince4d, ince5b: this._ince5b.forward(this._ince5a.forward(y)) };
  }

  #logits(ince5b: Tensor): Tensor {
    const y = this.#pools?._pool_5.forward(ince5b) ?? ince5b;
    if (this.#classifiers === null) return y;
    const { _drop, _fc_out } = this.#classifiers;
    return _fc_out.forward(_drop.forward(y).flatten({ startAxis: 1 }));
  }
}
