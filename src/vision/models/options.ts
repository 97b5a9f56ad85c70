import * as check from '../../check.js';

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

const classCount = check.rule<number>('an integer of at least 0', check.integer(0).is);

/** The checks of options that several networks have. */
export const networkChecks = { numClasses: classCount, withPool: check.flag };

/** Whether the network gets a classifier. */
export function hasClassifier(network: string, numClasses: number): boolean {
  return check.requireValue(network, 'numClasses', numClasses, classCount) > 0;
}

/** The checks of networks whose numbers of channels have a factor. */
export const scaledChecks = {
  ...networkChecks,
  scale: check.rule<number>('a positive factor of the channels', (x) => check.positive.is(x) && x < 100),
};

/** The multiple of 8 nearest to a number of channels, but at least nine tenths of it. */
export function toMultipleOf8(channels: number): number {
  const nearest = Math.max(8, Math.floor(Math.trunc(channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}
