import { z } from 'zod';

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The record beside a table of predictions, `NAME.csv.json`. It says where the table comes from. */
export const predictionsRecord = z.strictObject({
  format: z.literal(1),
  /** Version of Fovea that wrote it. */
  version: z.string(),
  /** Size and digest of the table. */
  bytes: count,
  sha256,
  /** Rows of the table. */
  samples: count,
  classNames: z.array(z.string()).min(2),
  /** Name of the network: `resnet50`. */
  model: z.string(),
  /** When the training began. Together with the weights it identifies the run. */
  started: z.iso.datetime(),
  /** The weights that made the predictions; one entry a fold. */
  weights: z.array(z.strictObject({ which: z.enum(['last', 'best']), sha256 })).min(1),
  /** The parts of the data, and the digests of their images and labels. */
  parts: z.array(z.strictObject({ split: z.string(), images: count, sha256 })).min(1),
  /** The class that sensitivity is computed for; null unless there are two. */
  positive: z.string().nullable(),
  /** Probability of the positive class from which on the run decides for it; null with more classes. */
  threshold: z.number().nullable(),
  /** How the probabilities were calibrated; softmax makes them of the logits without it. */
  calibration: z.enum(['temperature', 'platt', 'isotonic']).optional(),
  /** Test-time augmentation, if there was one. */
  augmentation: z.enum(['horizontal', 'flips']).optional(),
  /** Whether a program drew the images. */
  synthetic: z.boolean(),
});

export type PredictionsRecord = z.infer<typeof predictionsRecord>;

/** The facts that the writer of a table knows; the others follow from the table. */
export type PredictionsOrigin = Omit<
  PredictionsRecord,
  'format' | 'version' | 'bytes' | 'sha256' | 'samples' | 'classNames'
>;
