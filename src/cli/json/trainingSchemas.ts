import { z } from 'zod';
import { runConfig } from '../../run/config.js';
import { runResults } from '../../run/results/record.js';
import { epochRecord } from '../../train/checkpoint/schema.js';
import { as, confusion, count, notes, path, share } from './parts.js';

const choice = as('an entry of choices in decision.json');
const understood = z.object({
  parts: z.array(z.object({ role: z.string(), from: z.string(), images: count })),
  passedOver: z.array(as('files of a kind that were not read')),
  notes,
});
const screening = as('statistics.screeningMetrics: metrics of the positive class; null without two classes');
const finished = z.object(runResults.shape).shape.evaluations;

export const trainingSchemas = {
  'train.start': z
    .object({
      event: z.literal('start'),
      run: path,
      config: runConfig.describe('config.json of the run'),
      understood,
      tensorBoard: path.optional(),
      from: z.object({ epoch: count, batch: count }).optional().describe('place where a resumed training continues'),
      notes: notes.optional(),
    })
    .describe('start of a training'),
  'train.batch': z
    .object({
      event: z.literal('batch'),
      epoch: count,
      batch: count,
      batches: count,
      loss: z.number().describe('mean in which old batches lose weight'),
    })
    .describe('progress within an epoch'),
  'train.epoch': z.object({ event: z.literal('epoch'), ...epochRecord.shape }).describe('metrics of an epoch'),
  'train.end': z
    .object({
      event: z.literal('end'),
      run: path,
      completed: z.boolean().describe('false for a training that was stopped'),
      epoch: count,
      batch: count,
      steps: count,
      evalLoss: z.number().nullable(),
      evalAccuracy: share.nullable(),
      confusion: confusion.nullable(),
      positiveClass: z.string().nullable(),
      screening,
      choices: z.array(choice),
      results: finished.nullable().describe('evaluations of results.json'),
      optimism: z.string().nullable().describe('why the metrics are optimistic'),
      notice: z.string().nullable(),
      repeated: as('comparison with the run of --repeat').optional(),
    })
    .describe('end of a training'),
  'train.fold': z
    .object({ event: z.literal('fold'), fold: count, of: count, run: path })
    .describe('start of a fold of a cross-validation'),
  'train.folds': z
    .object({
      event: z.literal('folds'),
      run: path,
      folds: count,
      images: count,
      metrics: z.array(as('a metric of out-of-fold.json')),
      choice: choice.nullable(),
      test: z.array(share).nullable().describe('accuracy of each network on test images'),
    })
    .describe('out-of-fold results of a cross-validation'),
  'train.dry-run': z
    .object({
      event: z.literal('dry-run'),
      config: runConfig,
      folds: count.nullable(),
      understood,
      memory: z.object({
        batch: count.describe('images of a step'),
        bytes: count.describe('memory of a step, with its images'),
        working: count,
        parametersAndStates: count,
        available: z.number(),
      }),
      time: z.object({
        seconds: z.number().min(0).describe('estimate for the training, with folds for all of them'),
        batchMs: z.number().min(0),
        timedBatches: count,
        batches: count,
        imageMs: z.number().min(0),
        timedImages: count,
        images: count,
      }),
      notes,
    })
    .describe('a training as it would begin'),
  'train.configuration': z
    .object({ configuration: z.record(z.string(), z.unknown()).describe('as a file of --config has it') })
    .describe('all options of a training'),
};
