import type { Parameter } from '../tensor/state.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GradientClip } from './clip.js';
import type { Schedule } from './lr/schedule.js';

export interface OptimizerOptions {
  /** The parameters to train: usually `net.parameters()`. */
  readonly parameters: readonly Parameter[];
  /** A number, or a schedule that the training loop steps. Default: 0.001. */
  readonly learningRate?: number | Schedule;
  /** Default: gradients are used as they are. */
  readonly gradClip?: GradientClip | undefined;
  /**
   * Decay of an exponential moving average of the parameters, such as 0.999. `train` evaluates and saves
   * the averages. Default: none.
   */
  readonly average?: number | undefined;
}

/** Arrays by name. */
export type OptimizerSettings = Readonly<Record<string, number | boolean | string>>;

/** Options of {@link Optimizer.step}. */
export interface StepOptions {
  /**
   * Tensors to compute along with the step. A value that depends on the parameters and is read after the step
   * has to be computed before they change.
   */
  readonly also?: readonly Tensor[];
  /** Whether to refuse to learn from a loss that is infinite or no number. Default: false. */
  readonly finiteLoss?: boolean;
}

/** The new contents of one parameter and of its states, each of the parameter's shape. */
export interface Update {
  readonly parameter: Tensor;
  /** In the order of `stateNames`. */
  readonly states: readonly Tensor[];
}
