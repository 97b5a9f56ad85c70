import { InputError } from '../../errors.js';

/** Options of every ready-made network. */
export interface NetworkOptions {
  /** Number of logits; 0 for a network without its classifier. Default 1000, the classes of ImageNet. */
  readonly numClasses?: number;
}

export interface PooledOptions extends NetworkOptions {
  /** Whether to average over height and width before the classifier. Default true. */
  readonly withPool?: boolean;
}

export const imageNetClasses = 1000;

/** Whether the network gets a classifier. */
export function hasClassifier(network: string, numClasses: number): boolean {
  if (!Number.isInteger(numClasses) || numClasses < 0) {
    throw new InputError(`[${network}] numClasses: expected an integer of at least 0, got ${numClasses}`);
  }
  return numClasses > 0;
}

/** Refuses factors that are invalid for numbers of channels. */
export function checkScale(network: string, scale: number): void {
  if (!(scale > 0 && scale < 100)) {
    throw new InputError(`[${network}] scale: expected a positive factor of the channels, got ${scale}`);
  }
}
