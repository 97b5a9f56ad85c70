import { z } from 'zod';
import { convolutionNames, engineNames, precisionNames } from '../engine/select.js';
import { samplerNames } from '../io/data/sampler.js';
import type { Json } from '../text/json.js';
import { format, operatingRule } from '../train/checkpoint/schema.js';
import { fits } from '../vision/images/preprocess.js';
import type { SplitChecksums } from './checksums.js';
import { lossNames, optimizerNames } from './recipes.js';
import type { Techniques } from './techniques.js';

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
export const runConfig = z.strictObject({
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

export type RunConfig = z.infer<typeof runConfig>;
export type SplitRecord = z.infer<typeof split>;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const checksums = z.strictObject({ files: base64.nullable(), pixels: base64.nullable() });

/** pictures.json: checksums of the pictures of a run, packed. */
export const pictures = z.strictObject({
  format: z.literal(1),
  train: checksums,
  validation: checksums,
}) satisfies z.ZodType<Record<'train' | 'validation', SplitChecksums>>;

export type PicturesRecord = z.infer<typeof pictures>;

/** Whether the figures of a run are those of a screening test: if it was told so, and with iChallenge-PM. */
export function isScreening({ screening: asked, data }: Pick<RunConfig, 'screening' | 'data'>): boolean {
  return asked ?? data.name === 'palm';
}
