import type { Shape } from '../../graph/shape.js';
import type { Layer } from '../../nn/layer.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { OptimizerChoice } from '../optimizers.js';

/** The options that a network is made with. */
export interface ModelOptions {
  /** Number of logits. */
  readonly numClasses: number;
  /** Adds the two inner classifiers of GoogLeNet, which help to train it. */
  readonly auxiliaryHeads?: boolean | undefined;
}

/** How a network is trained by default. The loss follows from the number of classes. */
export interface UsualRecipe {
  readonly data: UsualData;
  readonly optimizer: OptimizerChoice;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly epochs: number;
  /** Batches between two lines of progress. */
  readonly logEvery: number;
}

/** The data set that a network is usually trained on. */
export interface UsualData {
  readonly name: string;
  readonly classes: number;
}

/** A network that can be named on the command line, with its usual recipe. */
export interface NamedModel {
  readonly title: string;
  /** `[channels, height, width]` of the images that it is made for. */
  readonly inputShape: Shape;
  /** It takes images of other sizes as well. Default false. */
  readonly anySize?: boolean;
  /** It can be made with auxiliary heads. Default false. */
  readonly auxiliaryHeads?: boolean;
  /** It has batch norm. Default false. */
  readonly batchNorm?: boolean;
  /** Paddle's name of its weights, if Paddle may have any. */
  readonly weights?: string;
  /** Layer whose features explain a decision; default: the last one with features of several places. */
  readonly mapLayer?: string;
  readonly recipe: UsualRecipe;
  create(options: ModelOptions, inputShape: Shape): Layer;
}

/** A network with inner classifiers, whose losses are trained on as well. */
export interface WithHeads extends Layer {
  forwardWithHeads(x: Tensor): { readonly logits: Tensor; readonly auxiliary: readonly Tensor[] };
}
