import type { Shape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import type { Tensor } from '../../tensor/tensor.js';

/** What a network is made with. */
export interface ModelOptions {
  /** Number of logits. */
  readonly numClasses: number;
  /** The two inner classifiers of GoogLeNet, which help to train it. */
  readonly auxiliaryHeads?: boolean | undefined;
}

/** A network that can be asked for by name. */
export interface ModelKind {
  readonly title: string;
  /** `[channels, height, width]` that it is made for. */
  readonly inputShape: Shape;
  /** Whether it takes images of other sizes as well. */
  readonly anySize?: boolean;
  /** Whether it can be made with auxiliary heads. */
  readonly auxiliaryHeads?: boolean;
  /** The name by which Paddle knows its weights, if it may have any. */
  readonly weights?: string;
  create(options: ModelOptions, inputShape: Shape): Layer;
}

/** A network with inner classifiers, on whose losses it is trained as well. */
export interface WithHeads extends Layer {
  forwardWithHeads(x: Tensor): { readonly logits: Tensor; readonly auxiliary: readonly Tensor[] };
}
