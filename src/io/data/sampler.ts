import { InputError } from '../../errors.js';
import type { RandomGenerator } from '../../random.js';

/** Chooses the samples of an epoch. */
export interface Sampler {
  /** Number of samples in an epoch. */
  readonly length: number;
  /** Indices of the samples, in order; whatever is random draws from the generator. */
  sample(generator: RandomGenerator): Uint32Array;
}

/** Chooses by class. */
abstract class ClassSampler implements Sampler {
  readonly length: number;
  /** Indices of each class's samples. */
  protected readonly classes: readonly Uint32Array[];

  /** @param labels class of each sample, from 0 */
  constructor(labels: ArrayLike<number>) {
    const members: number[][] = [];
    for (let i = 0; i < labels.length; i++) {
      members[labels[i]] ??= [];
      members[labels[i]].push(i);
    }
    this.classes = members.filter((indices) => indices !== undefined).map((indices) => Uint32Array.from(indices));
    if (this.classes.length === 0) throw new InputError('[sampler] labels: expected at least one sample, got none');
    this.length = labels.length;
  }

  abstract sample(generator: RandomGenerator): Uint32Array;
}

/**
 * As many samples as there are, but the same number of each class, in random order: rare classes are repeated and
 * frequent ones thinned out. Within a class every sample comes before any comes again.
 */
export class BalancedSampler extends ClassSampler {
  static readonly kind: string = 'BalancedSampler';

  sample(generator: RandomGenerator): Uint32Array {
    const chosen = new Uint32Array(this.length);
    const classes = this.classes.length;
    // What is left over when the classes share the epoch goes to other classes each time.
    const lucky = generator.permutation(classes);
    let at = 0;
    for (const [i, members] of this.classes.entries()) {
      const count = Math.floor(this.length / classes) + (lucky[i] < this.length % classes ? 1 : 0);
      for (let done = 0; done < count; done += members.length) {
        const order = generator.permutation(members.length).subarray(0, count - done);
        for (const j of order) chosen[at++] = members[j];
      }
    }
    return generator.permutation(chosen.length).map((i) => chosen[i]);
  }
}

/**
 * Every sample once, in random order, with the classes evenly mixed: every batch has of each class what its share
 * is, give or take one or two. Otherwise a batch pulls all outputs towards the class that it happens to have more of, and
 * where features have a large common part (sigmoids), that drowns what tells the classes apart.
 */
export class StratifiedSampler extends ClassSampler {
  static readonly kind: string = 'StratifiedSampler';

  sample(generator: RandomGenerator): Uint32Array {
    const order = new Uint32Array(this.length);
    const places = new Float64Array(this.length);
    let at = 0;
    for (const members of this.classes) {
      const shuffled = generator.permutation(members.length);
      // The epoch is cut into as many parts as there are samples of the class, and each part gets one, anywhere.
      for (const [j, i] of shuffled.entries()) {
        places[at] = (j + generator.nextUint32() / 2 ** 32) / members.length;
        order[at++] = members[i];
      }
    }
    return Uint32Array.from(places.keys())
      .sort((a, b) => places[a] - places[b])
      .map((i) => order[i]);
  }
}

const samplers = { balanced: BalancedSampler, stratified: StratifiedSampler };

/** A sampler by name. */
export type SamplerName = keyof typeof samplers;

export const samplerNames = Object.keys(samplers) as readonly SamplerName[];

/** @param labels class of each sample, from 0 */
export function makeSampler(name: SamplerName, labels: ArrayLike<number>): Sampler {
  return new samplers[name](labels);
}
