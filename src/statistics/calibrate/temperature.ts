import { none } from '../value.js';
import type { LogitSet } from './logits.js';

/** Probabilities become softmax(logits / temperature). */
export interface TemperatureScaling {
  readonly method: 'temperature';
  /** Above 1 for a network that is too sure. */
  readonly temperature: number;
}

type NoFit = ReturnType<typeof none>;

/**
 * The temperature with the smallest log loss (Guo et al., ICML 2017). The loss is convex in 1 / temperature,
 * so that halving an interval finds it. Never changes which class is the most probable.
 */
export function temperatureOf(data: LogitSet): TemperatureScaling | NoFit {
  if (slopeAt(data, 0) >= 0) return none('the logits predict the classes no better than equal probabilities');
  if (isSeparated(data)) {
    return none('every sample has the highest logit at its true class, so that any lower temperature is better');
  }
  let high = 1;
  while (slopeAt(data, high) < 0) high *= 2;
  let low = 0;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (slopeAt(data, middle) < 0) low = middle;
    else high = middle;
  }
  return { method: 'temperature', temperature: 1 / high };
}

function isSeparated({ labels, logits, classes }: LogitSet): boolean {
  for (let i = 0; i < labels.length; i++) {
    const own = logits[i * classes + labels[i]];
    for (let c = 0; c < classes; c++) if (logits[i * classes + c] > own) return false;
  }
  return true;
}

/** Derivative of the summed log loss of softmax(beta · logits) by beta. */
function slopeAt({ labels, logits, classes }: LogitSet, beta: number): number {
  let slope = 0;
  for (let i = 0; i < labels.length; i++) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) highest = Math.max(highest, logits[i * classes + c]);
    let total = 0;
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const below = logits[i * classes + c] - highest;
      const weight = Math.exp(beta * below);
      total += weight;
      sum += weight * below;
    }
    slope += sum / total - (logits[i * classes + labels[i]] - highest);
  }
  return slope;
}
