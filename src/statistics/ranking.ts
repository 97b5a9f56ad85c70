import { type BinaryScores, sortByScore } from './binary.js';
import { none, type WeightedMetric } from './value.js';

/**
 * Samples in the order of their scores, the highest first, and where the samples with the next score begin.
 */
interface Ranking {
  readonly labels: BinaryScores['labels'];
  readonly order: Uint32Array;
  /** Index in `order` behind the last sample of each score. */
  readonly ends: readonly number[];
}

function rank({ labels, scores }: BinaryScores): Ranking {
  const order = sortByScore(scores);
  const ends: number[] = [];
  order.forEach((sample, i) => {
    if (i + 1 === order.length || scores[order[i + 1]] !== scores[sample]) ends.push(i + 1);
  });
  return { labels, order, ends };
}

/** Weights of both classes for each score, the highest score first. */
function weigh({ labels, order, ends }: Ranking, weights?: ArrayLike<number>): [own: number[], others: number[]] {
  const own: number[] = [];
  const others: number[] = [];
  let i = 0;
  for (const end of ends) {
    let positive = 0;
    let negative = 0;
    for (; i < end; i++) {
      const weight = weights === undefined ? 1 : weights[order[i]];
      if (labels[order[i]] === 1) positive += weight;
      else negative += weight;
    }
    own.push(positive);
    others.push(negative);
  }
  return [own, others];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/**
 * The area under the ROC curve of scores, for any weights of the samples; ties count half. The scores are
 * sorted once, since a bootstrap asks for thousands of weights.
 */
export function prepareAuc(data: BinaryScores): WeightedMetric {
  const ranking = rank(data);
  return (weights) => {
    const [own, others] = weigh(ranking, weights);
    const [positives, negatives] = [sum(own), sum(others)];
    if (positives === 0 || negatives === 0) return none(reasonForOneClass(positives));
    let above = 0;
    let area = 0;
    own.forEach((weight, i) => {
      area += others[i] * (above + weight / 2);
      above += weight;
    });
    return { value: area / positives / negatives };
  };
}

/** Average precision of scores without interpolation, for any weights of the samples. */
export function prepareAveragePrecision(data: BinaryScores): WeightedMetric {
  const ranking = rank(data);
  return (weights) => {
    const [own, others] = weigh(ranking, weights);
    const positives = sum(own);
    if (positives === 0) return none(reasonForOneClass(positives));
    let truePositives = 0;
    let called = 0;
    let area = 0;
    own.forEach((weight, i) => {
      truePositives += weight;
      called += weight + others[i];
      if (weight > 0) area += (weight / positives) * (truePositives / called);
    });
    return { value: area };
  };
}

function reasonForOneClass(positives: number): string {
  return positives === 0 ? 'no sample is of the class' : 'all samples are of the class';
}
