import * as z from 'zod';
import type { lr } from '../../optimizer/index.js';
import type { ThresholdMetrics } from '../../statistics/index.js';
import type { Json } from '../../text/json.js';
import type { EpochRecord, TrainingState } from '../history.js';

/** Version of config.json and state.json. It increases when Fovea can no longer read older files. */
export const format = z.literal(2);
const count = z.int().min(0);
const positive = z.int().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const when = z.iso.datetime();

/** Rule that chooses the threshold of a binary decision. */
export const operatingRule = z.union([
  z.strictObject({ sensitivity: z.number().gt(0).lte(1) }),
  z.strictObject({ specificity: z.number().gt(0).lte(1) }),
  z.literal('youden'),
]);

const generator = z.strictObject({
  algorithm: z.literal('xoshiro128**'),
  words: z.tuple([count, count, count, count]).readonly(),
});

export const schedule: z.ZodType<lr.ScheduleState> = z.strictObject({
  lastEpoch: count,
  lastLr: z.number().min(0),
  get inner() {
    return schedule.optional();
  },
  best: z.number().nullable().optional(),
  badEpochs: count.optional(),
  cooldownCounter: count.optional(),
});

/** Fields that an optimizer's file has besides the states. */
export const progress = z.strictObject({
  steps: count,
  learningRate: z.number().min(0),
  schedule: schedule.nullable(),
});

const metricState = z.record(z.string(), z.union([z.number(), z.array(z.number()).readonly()])).readonly();

const identity = z.strictObject({ labels: z.string().nullable(), images: z.string().nullable() });

/**
 * state.json: the progress of the training, and the sizes and digests of the other files of the run folder.
 */
export const savedState = z.strictObject({
  format,
  saved: when,
  finished: z.boolean(),
  training: z.strictObject({
    epoch: positive,
    batch: count,
    samples: count,
    lossSum: z.number(),
    hits: count.optional(),
    seconds: z.number().min(0),
    dataSeconds: z.number().min(0),
    shuffle: generator.nullable(),
    generator,
    generators: z.record(z.string(), generator).readonly().optional(),
    steps: count,
    learningRate: z.number().min(0),
    schedule: schedule.nullable().default(null),
    metrics: z.array(metricState).readonly().default([]),
    callbacks: z.record(z.string(), z.custom<Json>()).readonly().default({}),
    setting: z
      .strictObject({
        batchSize: positive,
        samples: positive,
        dropLast: z.boolean(),
        order: z.string(),
        accumulateGradBatches: positive,
        optimizer: z.string(),
        schedule: z.string().nullable(),
        metrics: z.array(z.string()).readonly(),
        loss: z.string().optional(),
        layers: z.record(z.string(), z.string()).readonly().optional(),
        operations: z.record(z.string(), count).readonly().optional(),
        frozen: z.array(z.string()).readonly().optional(),
        lossOfProbe: z.number().nullable().optional(),
        trainData: identity.optional(),
        evalData: identity.nullable().optional(),
        learningRate: z.number().min(0).optional(),
        classWeight: z.array(z.number()).readonly().nullable().optional(),
        optimizerSettings: z
          .record(z.string(), z.union([z.number(), z.boolean(), z.string()]))
          .readonly()
          .optional(),
      })
      .optional(),
  }) satisfies z.ZodType<TrainingState>,
  /** In older runs: the threshold between two classes, chosen on the training images. Else null. */
  operatingPoint: z
    .strictObject({ rule: operatingRule, threshold: z.number(), chosenOn: z.custom<ThresholdMetrics>() })
    .nullable(),
  /** When the optimizer's state was removed; `files` has no entry for it then. */
  slimmed: when.optional(),
  files: z.record(z.string(), z.strictObject({ bytes: count, sha256 })),
});

const metrics = z.record(z.string(), z.number().nullable());

/** A line of metrics.jsonl. */
export const epochRecord = z.strictObject({
  epoch: positive,
  trainLoss: z.number(),
  trainAccuracy: z.number().min(0).max(1).optional(),
  evalLoss: z.number().nullable(),
  evalAccuracy: z.number().min(0).max(1).nullable(),
  imagesPerSecond: z.number().min(0),
  seconds: z.number().min(0),
  dataShare: z.number().min(0).max(1),
  learningRate: z.number().min(0).optional(),
  trainMetrics: metrics.optional(),
  evalMetrics: metrics.nullable().optional(),
}) satisfies z.ZodType<EpochRecord>;

export type SavedState = z.infer<typeof savedState>;
