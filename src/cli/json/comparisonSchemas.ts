import { z } from 'zod';
import { count, path, share } from './parts.js';

const number = z.number();
const model = count.describe('index of a model');

/** A metric with its interval by resampling. */
const resampled = z.object({
  value: number.nullable(),
  interval: z.tuple([number, number]).nullable().describe('95 %'),
  method: z.enum(['bca', 'percentile']).nullable(),
  reason: z.string().optional().describe('why there is no interval, or it is that of percentiles'),
  resamples: count,
  undefinedResamples: count.describe('resamples on which the metric has no value'),
  groups: count.describe('groups that were resampled: images if there are no groups'),
});

/** The result of statistics.compareModels. */
const comparedBy = z.object({
  metric: z.string(),
  models: z.array(resampled),
  pairs: z.array(
    z.object({
      a: model,
      b: model,
      difference: resampled.describe('the metric of a minus that of b'),
      test: z.enum(['delong', 'mcnemar', 'bootstrap']),
      pValue: z.object({ value: share.nullable(), reason: z.string().optional() }),
      adjusted: share.nullable().describe('the p-value after Holm'),
    }),
  ),
  undistinguished: z.array(z.array(model)).describe('largest groups of models in which no pair differs significantly'),
});

const comparison = {
  part: z.string(),
  images: count,
  groups: count.nullable().describe('groups that are resampled; null where images are'),
  positive: z.string().nullable(),
  models: z.array(z.object({ name: z.string(), runs: z.array(path) })),
  metrics: z.array(comparedBy),
  mcnemar: z.array(
    z.object({
      a: model,
      b: model,
      onlyA: count,
      onlyB: count,
      both: count,
      neither: count,
      exact: share.describe('two-sided p-value of the exact test'),
      statistic: number.nullable(),
      corrected: share.nullable(),
    }),
  ),
  differences: z
    .array(
      z.object({
        file: path,
        group: z.string().nullable(),
        label: z.string(),
        predicted: z.array(z.string()).describe('by each model'),
        probabilities: z.array(share).describe('of the predicted class, or of the positive one of two'),
      }),
    )
    .describe('images that not all models predict alike'),
};

export const comparisonSchemas = {
  'compare.result': z.object(comparison).describe('comparison of runs on the same images'),
  'ensemble.result': z
    .object({
      threshold: share.nullable().describe('probability from which on the ensemble decides for the positive class'),
      thresholdChosen: z.boolean().describe("whether the ensemble's validation predictions chose it"),
      ...comparison,
      disagreementAuc: share
        .nullable()
        .describe('probability that a wrong prediction has more disagreement than a right one'),
    })
    .describe('an ensemble, model 0, beside its members'),
};
