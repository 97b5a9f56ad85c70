import { z } from 'zod';
import { format, operatingRule } from '../train/checkpoint/schema.js';
import { namedDatasets } from './catalog/datasets.js';
import type { SplitChecksums } from './checksums.js';
import { lossNames } from './losses.js';
import { recordShape } from './option.js';
import {
  beginningOptions,
  engineOptions,
  imageOptions,
  loadingOptions,
  outputOptions,
  recipeOptions,
  type Techniques,
  tableOptions,
  techniqueOptions,
} from './trainingOptions.js';

const count = z.int().min(0);
const positive = z.int().min(1);
const size = z.array(positive);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const when = z.iso.datetime();

const split = z.strictObject({
  images: positive,
  source: z.string(),
  /** Digest of the images and their labels, in order. */
  sha256,
  classCounts: z.array(count),
  unreadable: z.array(z.strictObject({ path: z.string(), reason: z.string() })),
});
/** How photographs become inputs. */
export const preprocessing = z.strictObject({
  height: positive,
  width: positive,
  order: imageOptions.order.type,
  antialias: imageOptions.antialias.type,
  /** Older records do not have it. */
  fit: imageOptions.fit.type.default('squash'),
});
const holdOut = z.strictObject({ share: z.number().gt(0).lt(1), test: z.number().gt(0).lt(1).optional(), seed: count });
const table = z.strictObject(recordShape(tableOptions));
const techniques: z.ZodType<Techniques> = z.strictObject(recordShape(techniqueOptions));

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
    /** Policy for photographs that cannot be decoded. */
    onBadImage: loadingOptions.onBadImage.type.optional(),
    /** Columns of a table, and the folder that its paths start from, where they were named. */
    table: table.optional(),
    /** Column of a table, or regular expression for paths, of groups that stay together. */
    group: z.string().optional(),
    /** Pictures that were left out, and other labels. */
    fixes: z.strictObject({ excluded: z.array(z.string()), relabelled: z.record(z.string(), z.string()) }).optional(),
    /** The fold of a cross-validation that is the validation part. */
    fold: z.strictObject({ number: positive, of: positive }).optional(),
    /** Digest of split.csv, if there is one. */
    splitSha256: sha256.optional(),
    synthetic: z.boolean(),
    classNames: z.array(z.string()),
    train: split,
    eval: split,
    /** Test images beside the validation images, if there are some. */
    test: split.optional(),
    /** Where they are, if that is another place: `folder:DIR` or `csv:FILE`. */
    testData: z.string().optional(),
  }),
  recipe: z.strictObject({
    optimizer: z.strictObject({
      name: recipeOptions.optimizer.type,
      learningRate: recipeOptions.lr.type,
      weightDecay: recipeOptions.weightDecay.type,
      momentum: z.number().min(0).optional(),
    }),
    loss: z.enum(lossNames),
    batchSize: recipeOptions.batchSize.type,
    shuffle: z.boolean(),
    epochs: recipeOptions.epochs.type,
    logEvery: outputOptions.logEvery.type,
    techniques: techniques.optional(),
  }),
  /** Null where there are not two classes. */
  operatingRule: operatingRule.nullable(),
  /** How probabilities are calibrated on the validation images; not at all by default. */
  calibration: beginningOptions.calibration.type.exclude(['none']).optional(),
  /** With two classes the one that sensitivity speaks of; older runs do not say it. */
  positive: z.string().optional(),
  /** Whether reports speak of a screening test; default: with iChallenge-PM alone. */
  screening: z.boolean().optional(),
  seed: outputOptions.seed.type,
  engine: z.strictObject({
    name: engineOptions.engine.type,
    description: z.string(),
    threads: engineOptions.threads.type,
    precision: engineOptions.precision.type.default('float32'),
    convolution: engineOptions.conv.type.default('auto'),
    /** The native library; older records do not have it. */
    library: z.strictObject({ file: z.string(), version: z.string(), origin: z.string() }).optional(),
  }),
  machine: z.strictObject({ node: z.string(), platform: z.string(), processor: z.string() }),
});

export type RunConfig = z.infer<typeof runConfig>;
export type SplitRecord = z.infer<typeof split>;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const checksums = z.strictObject({
  files: base64.nullable(),
  pixels: base64.nullable(),
  looks: base64.nullable().optional(),
});

/** pictures.json: checksums of the pictures of a run, packed. */
export const pictures = z.strictObject({
  format: z.literal(1),
  train: checksums,
  validation: checksums,
}) satisfies z.ZodType<Record<'train' | 'validation', SplitChecksums>>;

export type PicturesRecord = z.infer<typeof pictures>;

/** Whether the metrics of a run describe a screening test: by its option, else with iChallenge-PM only. */
export function isScreening({ screening: asked, data }: Pick<RunConfig, 'screening' | 'data'>): boolean {
  return asked ?? namedDatasets[data.name]?.screening ?? false;
}
