import { type BinaryScores, sortByScore } from './binary.js';
import { none, type WeightedMetric } from './value.js';

/**
 * Adds up the weights of both classes for each score, the highest score first. The scores are sorted once,
 * since a bootstrap asks for thousands of weights.
 */
class Ranking {
  /** Weights of the samples of class 1 for each score that occurs. */
  readonly own: Float64Array;
  /** Weights of the samples of class 0. */
  readonly others: Float64Array;
  /** The place of each sample's score. */
  readonly #places: Uint32Array;
  readonly #labels: BinaryScores['labels'];

  constructor({ labels, scores }: BinaryScores) {
    this.#labels = labels;
    this.#places = new Uint32Array(labels.length);
    let place = -1;
    let last = Number.NaN;
    for (const sample of sortByScore(scores)) {
      if (scores[sample] !== last) place++;
      last = scores[sample];
      this.#places[sample] = place;
    }
    this.own = new Float64Array(place + 1);
    this.others = new Float64Array(place + 1);
  }

  /** @returns the weights of both classes */
  weigh(weights?: ArrayLike<number>): { positives: number; negatives: number } {
    const { own, others } = this;
    own.fill(0);
    others.fill(0);
    let positives = 0;
    let negatives = 0;
    for (let i = 0; i < this.#places.length; i++) {
      const weight = weights === undefined ? 1 : weights[i];
      if (this.#labels[i] === 1) {
        own[this.#places[i]] += weight;
        positives += weight;
      } else {
        others[this.#places[i]] += weight;
        negatives += weight;
      }
    }
    return { positives, negatives };
  }
}

/** The area under the ROC curve of scores, for any weights of the samples; ties count half. */
export function prepareAuc(data: BinaryScores): WeightedMetric {
  const ranking = new Ranking(data);
  const { own, others } = ranking;
  return (weights) => {
    const { positives, negatives } = ranking.weigh(weights);
    if (positives === 0) return none('no sample is of the class');
    if (negatives === 0) return none('all samples are of the class');
    let above = 0;
    let area = 0;
    for (let place = 0; place < own.length; place++) {
      area += others[place] * (above + own[place] / 2);
      above += own[place];
    }
    return { value: area / positives / negatives };
  };
}

/** Average precision of scores without interpolation, for any weights of the samples. */
export function prepareAveragePrecision(data: BinaryScores): WeightedMetric {
  const ranking = new Ranking(data);
  const { own, others } = ranking;
  return (weights) => {
    const { positives } = ranking.weigh(weights);
    if (positives === 0) return none('no sample is of the class');
    let truePositives = 0;
    let called = 0;
    let area = 0;
    for (let place = 0; place < own.length; place++) {
      truePositives += own[place];
      called += own[place] + others[place];
      if (own[place] > 0) area += (own[place] / positives) * (truePositives / called);
    }
    return { value: area };
  };
}
