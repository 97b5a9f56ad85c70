import { z } from 'zod';
import type { CalibrationSummary, ScreeningMetrics } from '../../statistics/index.js';
import type { PredictionIntervals } from '../predictions/intervals.js';

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Metrics of one part of the data with some weights. */
const evaluation = z.strictObject({
  /** The weights of the last epoch, or of the best one. */
  weights: z.enum(['last', 'best']),
  weightsSha256: sha256,
  split: z.enum(['validation', 'test']),
  images: count,
  /** Digest of the images and their labels. */
  dataSha256: sha256,
  /** Null for a loss that is no number. */
  loss: z.number().nullable(),
  accuracy: share,
  /** Wilson's interval of 95 %. */
  accuracyInterval: z.tuple([share, share]),
  /** `confusion[t][p]`: images of class t that were predicted as class p. */
  confusion: z.array(z.array(count).readonly()).readonly(),
  /** With two classes: the metrics of the positive one, without the points of its curves. */
  screening: z.custom<Omit<ScreeningMetrics, 'roc' | 'precisionRecall'>>().nullable(),
  /** How well probabilities agree with shares, before and after calibration; missing in older runs. */
  calibration: z
    .strictObject({ before: z.custom<CalibrationSummary>(), after: z.custom<CalibrationSummary>().nullable() })
    .nullable()
    .optional(),
  /** Metrics with intervals by image and by group; null for many images, missing in older runs. */
  intervals: z.custom<PredictionIntervals>().nullable().optional(),
});

/** results.json: the metrics of a finished training. */
export const runResults = z.strictObject({ format: z.literal(1), evaluations: z.array(evaluation) });

export type RunResults = z.infer<typeof runResults>;
export type ResultRecord = z.infer<typeof evaluation>;
