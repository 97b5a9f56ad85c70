import type { RandomGenerator } from '../../random.js';

export type Range = readonly [least: number, most: number];

/** A number between two others, uniformly distributed. */
export function sample(random: RandomGenerator, [least, most]: Range): number {
  return least + (most - least) * random.uniform();
}

/** An integer from 0 to `most`. */
export function sampleUpTo(random: RandomGenerator, most: number): number {
  return random.int(most + 1);
}

/** Samples a factor uniformly on the logarithmic scale: 1/2 and 2 are equally likely. */
export function sampleRatio(random: RandomGenerator, [least, most]: Range): number {
  return Math.exp(sample(random, [Math.log(least), Math.log(most)]));
}
