import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { RandomGenerator } from '../../random.js';

/** Chooses the samples of an epoch. */
export interface Sampler {
  /** Number of samples in an epoch. */
  readonly length: number;
  /** Indices of the samples in order; random choices use the generator. */
  sample(generator: RandomGenerator): Uint32Array;
}

/** Base of samplers that use the classes. */
abstract class ClassSampler implements Sampler {
  readonly length: number;
  /** Indices of each class's samples. */
  protected readonly classes: readonly Uint32Array[];

  /** @param labels class of each sample, from 0 */
  constructor(labels: ArrayLike<number>) {
    check.requireValue('sampler', 'labels', labels, classLabels);
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

  /** @throws {InputError} unless the generator is one */
  protected requireGenerator(generator: RandomGenerator): void {
    check.requireValue('sampler', 'generator', generator, check.instanceOf(RandomGenerator));
  }
}

const isClass = check.integer(0, 2 ** 31 - 1).is;
const classLabels = check.rule<ArrayLike<number>>('an array of classes, integers from 0 on', (x) => {
  if (!Array.isArray(x) && (!ArrayBuffer.isView(x) || x instanceof DataView)) return false;
  return Array.prototype.every.call(x, isClass);
});

/**
 * Samples every class equally often, in random order. An epoch has as many samples as the data set: samples
 * of rare classes are repeated, and some of frequent classes are left out. Within a class, no sample is
 * repeated before all were used.
 */
export class BalancedSampler extends ClassSampler {
  static readonly kind: string = 'BalancedSampler';

  sample(generator: RandomGenerator): Uint32Array {
    this.requireGenerator(generator);
    const chosen = new Uint32Array(this.length);
    const classes = this.classes.length;
    // The remainder of the division goes to other classes in each epoch.
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
 * Takes every sample once, in random order, with the classes evenly mixed: the shares of the classes in every
 * batch are those of the data set, up to one or two samples. Otherwise a batch pulls all outputs towards the
 * class that it has more of, and if features have a large common part (sigmoids), that hides the differences
 * between the classes.
 */
export class StratifiedSampler extends ClassSampler {
  static readonly kind: string = 'StratifiedSampler';

  sample(generator: RandomGenerator): Uint32Array {
    this.requireGenerator(generator);
    const order = new Uint32Array(this.length);
    const places = new Float64Array(this.length);
    let at = 0;
    for (const members of this.classes) {
      const shuffled = generator.permutation(members.length);
      // Cuts the epoch into as many parts as the class has samples; each part gets one sample at a random
      // place.
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
