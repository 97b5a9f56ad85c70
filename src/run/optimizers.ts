import {
  Adam,
  AdamW,
  type GradientClip,
  type lr,
  Momentum,
  type Optimizer,
  type OptimizerOptions,
  SGD,
} from '../optimizer/index.js';
import type { Parameter } from '../tensor/state.js';

/** An optimizer by name, with all its settings. */
export interface OptimizerChoice {
  readonly name: OptimizerName;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** With the optimizer `momentum` only. */
  readonly momentum?: number | undefined;
}

interface NamedOptimizer {
  readonly title: string;
  /** Weight decay where the recipe does not say one. */
  readonly weightDecay: number;
  make(
    parameters: readonly Parameter[],
    settings: Omit<OptimizerChoice, 'learningRate' | 'name'> &
      Pick<OptimizerOptions, 'learningRate' | 'gradClip' | 'average'>,
  ): Optimizer;
}

export const defaultMomentum = 0.9;

export const optimizers = {
  sgd: { title: 'SGD', weightDecay: 0, make: (parameters, settings) => new SGD({ ...settings, parameters }) },
  momentum: {
    title: 'Momentum',
    weightDecay: 0,
    make: (parameters, { momentum = defaultMomentum, ...settings }) =>
      new Momentum({ ...settings, momentum, parameters }),
  },
  adam: { title: 'Adam', weightDecay: 0, make: (parameters, settings) => new Adam({ ...settings, parameters }) },
  adamw: { title: 'AdamW', weightDecay: 0.01, make: (parameters, settings) => new AdamW({ ...settings, parameters }) },
} as const satisfies Record<string, NamedOptimizer>;

export type OptimizerName = keyof typeof optimizers;

export const optimizerNames = Object.keys(optimizers) as [OptimizerName, ...OptimizerName[]];

/** Values that take the place of an optimizer's settings: a schedule as its learning rate, and a clip. */
export interface OptimizerExtras {
  readonly learningRate?: lr.Schedule;
  readonly gradClip?: GradientClip;
  readonly average?: number;
}

/** @param extras take the place of the settings */
export function makeOptimizer(
  { name, ...settings }: OptimizerChoice,
  parameters: readonly Parameter[],
  extras: OptimizerExtras = {},
): Optimizer {
  const { make }: NamedOptimizer = optimizers[name];
  return make(parameters, { ...settings, ...extras });
}
