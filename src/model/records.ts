import { z } from 'zod';
import { convolutionNames, engineNames, precisionNames } from '../engine/select.js';
import { FileError } from '../errors.js';
import { parseJson } from '../io/json.js';
import { samplerNames } from '../io/sampler.js';
import type { ThresholdFigures } from '../metric/index.js';
import type { lr } from '../optimizer/index.js';
import { fits } from '../vision/transforms/preprocess.js';
import type { Json } from './callback.js';
import type { SplitChecksums } from './checksums.js';
import { lossNames, optimizerNames } from './recipes.js';
import type { Techniques } from './techniques.js';
import type { EpochRecord, TrainingState } from './trainer.js';

/** Of config.json and state.json; a later version that can no longer be read by this one counts up. */
const format = z.literal(2);
const count = z.int().min(0);
const positive = z.int().min(1);
const size = z.array(positive);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const when = z.iso.datetime();

const split = z.strictObject({
  images: positive,
  source: z.string(),
  /** Of the images and their labels, in order. */
  sha256,
  classCounts: z.array(count),
  unreadable: z.array(z.strictObject({ path: z.string(), reason: z.string() })),
});
/** How photographs become inputs. */
export const preprocessing = z.strictObject({
  height: positive,
  width: positive,
  order: z.enum(['RGB', 'BGR']),
  antialias: z.boolean(),
  /** Older records do not say it. */
  fit: z.enum(fits).default('squash'),
});
const holdOut = z.strictObject({ share: z.number().gt(0).lt(1), seed: count });
const table = z.strictObject({
  fileColumn: z.string().optional(),
  labelColumn: z.string().optional(),
  splitColumn: z.string().optional(),
  root: z.string().optional(),
});
/** How the threshold for a binary decision is to be chosen on the training images. */
const operatingRule = z.union([
  z.strictObject({ sensitivity: z.number().gt(0).lte(1) }),
  z.strictObject({ specificity: z.number().gt(0).lte(1) }),
  z.literal('youden'),
]);

const techniques = z.strictObject({
  schedule: z
    .strictObject({
      name: z.string(),
      by: z.enum(['step', 'epoch']),
      options: z.record(z.string(), z.custom<Json>()),
    })
    .optional(),
  clipGradNorm: z.number().gt(0).optional(),
  accumulateGradBatches: positive.optional(),
  classWeight: z.union([z.literal('auto'), z.array(z.number().min(0)).readonly()]).optional(),
  sampler: z.enum(samplerNames).optional(),
  transforms: z
    .array(z.record(z.string(), z.record(z.string(), z.unknown())))
    .readonly()
    .optional(),
  evalEvery: positive.optional(),
  saveBest: z.string().optional(),
  earlyStopping: positive.optional(),
}) satisfies z.ZodType<Techniques>;

/** config.json: everything needed to repeat a run. */
const runConfig = z.strictObject({
  format,
  version: z.string(),
  started: when,
  model: z.strictObject({
    name: z.string(),
    options: z.strictObject({ numClasses: positive, auxiliaryHeads: z.boolean().optional() }),
    inputShape: size,
    parameters: count,
    /** The file that the weights began with. */
    pretrained: z.strictObject({ path: z.string(), sha256 }).optional(),
  }),
  data: z.strictObject({
    name: z.string(),
    title: z.string(),
    location: z.string().optional(),
    images: preprocessing.nullable(),
    holdOut: holdOut.nullable(),
    /** What was to be done about photographs that cannot be decoded. */
    onBadImage: z.enum(['fail', 'skip']).optional(),
    /** Columns of a table, and the folder that its paths start from, where they were named. */
    table: table.optional(),
    synthetic: z.boolean(),
    classNames: z.array(z.string()),
    train: split,
    eval: split,
  }),
  recipe: z.strictObject({
    optimizer: z.strictObject({
      name: z.enum(optimizerNames),
      learningRate: z.number().min(0),
      weightDecay: z.number().min(0),
      momentum: z.number().min(0).optional(),
    }),
    loss: z.enum(lossNames),
    batchSize: positive,
    shuffle: z.boolean(),
    epochs: positive,
    logEvery: positive,
    techniques: techniques.optional(),
  }),
  /** Null where there are not two classes. */
  operatingRule: operatingRule.nullable(),
  /** With two classes the one that sensitivity speaks of; older runs do not say it. */
  positive: z.string().optional(),
  /** Whether reports speak of a screening test; default: with iChallenge-PM alone. */
  screening: z.boolean().optional(),
  seed: count,
  engine: z.strictObject({
    name: z.enum(engineNames),
    description: z.string(),
    threads: positive,
    precision: z.enum(precisionNames).default('float32'),
    convolution: z.enum(convolutionNames).default('auto'),
  }),
  machine: z.strictObject({ node: z.string(), platform: z.string(), processor: z.string() }),
});

const generator = z.strictObject({
  algorithm: z.literal('xoshiro128**'),
  words: z.tuple([count, count, count, count]).readonly(),
});

const schedule: z.ZodType<lr.ScheduleState> = z.strictObject({
  lastEpoch: count,
  lastLr: z.number().min(0),
  get inner() {
    return schedule.optional();
  },
  best: z.number().nullable().optional(),
  badEpochs: count.optional(),
  cooldownCounter: count.optional(),
});

/** What stands beside the states in the file of an optimizer. */
const progress = z.strictObject({
  steps: count,
  learningRate: z.number().min(0),
  schedule: schedule.nullable(),
});

const metricState = z.record(z.string(), z.union([z.number(), z.array(z.number()).readonly()])).readonly();

const identity = z.strictObject({ labels: z.string().nullable(), images: z.string().nullable() });

/** state.json: where the training stands, and what the other files of the run folder must be. */
const savedState = z.strictObject({
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
  /** The threshold of the decision between two classes; null before the end of the training. */
  operatingPoint: z
    .strictObject({ rule: operatingRule, threshold: z.number(), chosenOn: z.custom<ThresholdFigures>() })
    .nullable(),
  /** When the optimizer's state was removed; `files` has no entry for it then. */
  slimmed: when.optional(),
  files: z.record(z.string(), z.strictObject({ bytes: count, sha256 })),
});

const figures = z.record(z.string(), z.number().nullable());

/** A line of metrics.jsonl. */
const epochRecord = z.strictObject({
  epoch: positive,
  trainLoss: z.number(),
  trainAccuracy: z.number().min(0).max(1).optional(),
  evalLoss: z.number().nullable(),
  evalAccuracy: z.number().min(0).max(1).nullable(),
  imagesPerSecond: z.number().min(0),
  seconds: z.number().min(0),
  dataShare: z.number().min(0).max(1),
  learningRate: z.number().min(0).optional(),
  trainMetrics: figures.optional(),
  evalMetrics: figures.nullable().optional(),
}) satisfies z.ZodType<EpochRecord>;

export type RunConfig = z.infer<typeof runConfig>;
export type SavedState = z.infer<typeof savedState>;
export type SplitRecord = z.infer<typeof split>;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const checksums = z.strictObject({ files: base64.nullable(), pixels: base64.nullable() });

/** pictures.json: checksums of the pictures of a run, packed. */
const pictures = z.strictObject({
  format: z.literal(1),
  train: checksums,
  validation: checksums,
}) satisfies z.ZodType<Record<'train' | 'validation', SplitChecksums>>;

export type PicturesRecord = z.infer<typeof pictures>;

/** Names by names. */
const names = z.record(z.string(), z.string());

const schemas = {
  config: runConfig,
  state: savedState,
  epoch: epochRecord,
  progress,
  schedule,
  names,
  pictures,
} as const;

/**
 * Reads JSON that must be what `kind` says.
 *
 * @param where for the message: the file, and the line where there are several
 * @throws {FileError} naming the first field that is wrong
 */
export function parseRecord<K extends keyof typeof schemas>(
  kind: K,
  text: string,
  where: string,
): z.infer<(typeof schemas)[K]> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new FileError(`[run] ${where}: expected JSON, got ${(error as Error).message}`, { cause: error });
  }
  const result = schemas[kind].safeParse(value);
  if (result.success) return result.data as z.infer<(typeof schemas)[K]>;
  const [issue] = result.error.issues;
  const field = issue.path.length === 0 ? kind : issue.path.join('.');
  throw new FileError(
    `[run] ${where}: ${field}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}; ` +
      'the file was altered or belongs to another version of Fovea',
  );
}
