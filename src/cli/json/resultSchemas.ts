import { z } from 'zod';
import { runConfig } from '../../run/config.js';
import { runResults } from '../../run/results/record.js';
import { epochRecord } from '../../train/checkpoint/schema.js';
import { as, confusion, count, interval, notes, path, sha256, share, unreadable } from './parts.js';

const screening = as('statistics.screeningMetrics: metrics of the positive class; null without two classes');
const split = z.enum(['train', 'validation', 'test', 'all']);
const loss = z.number().nullable();
const ofPart = z.object({ loss, accuracy: share.nullable() });
/** The stored metrics of a part; loss and accuracy alone for a run that has not finished. */
const stored = ofPart.extend(runResults.shape.evaluations.element.omit({ loss: true, accuracy: true }).partial().shape);

/** Fields of an evaluation, of a run or of a file of weights. */
const evaluation = {
  model: z.string(),
  data: z.string(),
  title: z.string(),
  synthetic: z.boolean(),
  split,
  images: count,
  source: z.string(),
  passedOver: z.array(as('files of a kind that were not read')),
  sha256: sha256.nullable(),
  unreadable: z.array(as('a picture that could not be read')),
  weightsSha256: sha256,
  loss,
  accuracy: share,
  accuracyInterval: interval.describe("Wilson's interval of 95 %"),
  confusion,
};

export const resultSchemas = {
  'eval.run': z
    .object({
      run: path,
      epochs: count,
      ...evaluation,
      sameData: z.boolean().describe('whether the data are those of the training'),
      trainedOn: count.nullable().describe('images that the network was trained on; null if that is not known'),
      looksTrainedOn: count,
      validatedOn: as('images that chose weights or threshold').nullable(),
      others: as('the same metrics on images that the network was not trained on').nullable(),
      notes,
      optimism: z.string().nullable(),
      classes: z
        .object({ perClass: z.array(z.looseObject({ name: z.string() })), macro: as('means'), weighted: as('means') })
        .describe('metrics of each class against the rest, with means over the classes that have a value'),
      positiveClass: z.string().nullable(),
      decision: z
        .object({
          positiveClass: z.string(),
          threshold: z.number(),
          rule: as('rule of the operating point').nullable(),
          chosenOn: z.string().nullable(),
          accuracy: share.nullable(),
          target: as('whether the rule holds on these images').nullable(),
        })
        .nullable(),
      lacking: z.string().nullable().describe('why there is no operating point or calibration'),
      screening,
      withoutAugmentation: ofPart.optional(),
      gains: as('paired comparisons with the evaluation without --tta').optional(),
      calibration: as('agreement of probabilities with shares, before and after calibration').nullable(),
      intervals: as(
        'metrics with intervals by image and by group; null for many images without --intervals',
      ).nullable(),
      mistakes: z.array(
        z.object({
          index: count,
          file: path.optional(),
          label: z.string(),
          predicted: z.string(),
          probability: share,
        }),
      ),
      report: path.optional(),
      predictions: path.optional(),
    })
    .describe('evaluation of a run'),
  'eval.weights': z.object({ weights: path, ...evaluation }).describe('evaluation of a file of weights'),
  'predict.picture': z
    .object({
      file: path,
      note: z.string().describe('changes to the picture before the network saw it'),
      classes: z.array(z.looseObject({ name: z.string(), probability: share })).describe('most probable first'),
      decision: z
        .object({
          class: z.string(),
          positiveClass: z.string(),
          probability: share,
          threshold: z.number(),
          rule: as('rule of the operating point').nullable(),
        })
        .optional(),
      trainedOn: z.boolean().optional(),
      looksTrainedOn: z.literal(true).optional(),
    })
    .describe('prediction for a picture'),
  'predict.unreadable': unreadable,
  'runs.run': z
    .object({
      run: path,
      model: z.string(),
      data: z.string(),
      started: z.iso.datetime(),
      state: z.string().describe('finished, or the number of whole epochs'),
      epochs: count,
      seed: count,
      loss,
      accuracy: share.nullable(),
      testLoss: loss,
      testAccuracy: share.nullable(),
    })
    .describe('a run of a list'),
  'runs.broken': z.object({ run: path, error: z.string() }).describe('a folder that looks like a run'),
  'runs.show': z
    .object({
      run: path,
      state: z.string(),
      config: runConfig,
      history: z.array(epochRecord),
      results: z.object(runResults.shape).shape.evaluations.nullable(),
    })
    .describe('a run with its settings'),
  'runs.compare': z
    .object({
      runs: z.array(path),
      settings: z.array(z.object({ setting: z.string(), values: z.array(z.string().nullable()) })),
      metrics: z.array(z.object({ validation: stored, test: stored })),
    })
    .describe('settings and metrics of runs'),
};
