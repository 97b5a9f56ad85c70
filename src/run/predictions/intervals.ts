import { type MetricIntervals, metricIntervals } from '../../statistics/index.js';
import type { DecisionRule } from '../decision.js';
import { groupsOf, metricInput } from './metricInput.js';
import type { Predictions } from './predictions.js';

/** Up to so many images the intervals are computed unasked, in seconds. */
export const usualIntervalImages = 1000;

/** The usual metrics of some predictions with intervals: by image, and by group where all images have one. */
export interface PredictionIntervals {
  /** Number of groups, such as patients; null without groups. */
  readonly groups: number | null;
  readonly metrics: readonly MetricIntervals[];
}

/**
 * @param decision between two classes; null for the most probable class
 */
export function predictionIntervals(predictions: Predictions, decision: DecisionRule | null): PredictionIntervals {
  const by = decision && { positive: decision.positive.index, threshold: decision.threshold };
  const groups = groupsOf(predictions);
  return {
    groups: groups === undefined ? null : new Set(groups).size,
    metrics: metricIntervals(metricInput(predictions, by), { groups }),
  };
}
