import { z } from 'zod';
import type { CalibrationSummary, Calibrator, ThresholdMetrics } from '../../statistics/index.js';
import { operatingRule } from '../../train/checkpoint/schema.js';

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Why there is nothing: all images of one class, for instance. */
const absent = z.strictObject({ value: z.null(), reason: z.string() });
const points = z.array(z.number()).readonly();

/** How probabilities are made of logits. */
const calibrator: z.ZodType<Calibrator> = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('temperature'), temperature: z.number().gt(0) }),
  z.strictObject({ method: z.literal('platt'), slope: z.number(), intercept: z.number() }),
  z.strictObject({ method: z.literal('isotonic'), logOdds: points, probabilities: points }),
]);

/** The images that chose a threshold or a calibration. Runs of older versions chose on training images. */
export const chosenParts = ['train', 'validation', 'out-of-fold'] as const;

const choice = z.strictObject({
  /** The weights of the last epoch, or of the best one; `fold-3` of the network of a fold. */
  weights: z.string(),
  weightsSha256: sha256,
  part: z.enum(chosenParts),
  images: count,
  /** The threshold between two classes; null where the run has no rule for it. */
  operatingPoint: z
    .union([
      z.strictObject({ rule: operatingRule, threshold: z.number(), chosenOn: z.custom<ThresholdMetrics>() }),
      absent,
    ])
    .nullable(),
  /** Null where the run wants none. */
  calibration: z
    .union([
      z.strictObject({
        calibrator,
        /** On the images that it was fitted on. */
        before: z.custom<CalibrationSummary>(),
        after: z.custom<CalibrationSummary>(),
      }),
      absent,
    ])
    .nullable(),
});

/** decision.json: the threshold and the calibration of a finished training, for each of its weights. */
export const runDecisions = z.strictObject({ format: z.literal(1), choices: z.array(choice) });

export type DecisionChoice = z.infer<typeof choice>;
export type ChosenPart = (typeof chosenParts)[number];
