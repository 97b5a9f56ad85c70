import { z } from 'zod';
import { count, interval, path, share } from './parts.js';

const number = z.number();
const trial = count.describe('number of the trial; 0 for the plain recipe');
const values = z.record(z.string(), z.unknown()).describe('values of the searched keys');

const job = {
  kind: z.enum(['plain', 'trial', 'repeat']),
  trial,
  seed: count,
  epochs: count,
  values,
};

const overSeeds = z.object({ values: z.array(number), mean: number, deviation: number });

export const sweepSchemas = {
  'sweep.start': z
    .object({
      event: z.literal('sweep'),
      folder: path,
      epochs: count.describe('of all trainings together'),
      trials: count.optional(),
      secondsPerEpoch: number.optional(),
      seconds: number.optional().describe('estimate; left out if the plain recipe cannot be measured'),
    })
    .describe('a sweep that begins'),
  'sweep.begin': z.object({ event: z.literal('begin'), ...job }).describe('start of a training of a sweep'),
  'sweep.end': z
    .object({
      event: z.literal('end'),
      ...job,
      value: number.optional().describe('the metric; left out for a training that failed'),
      why: z.enum(['diverged', 'memory', 'refused']).optional(),
      reason: z.string().optional(),
      seconds: number.min(0),
    })
    .describe('end of a training of a sweep'),
  'sweep.summary': z
    .object({
      event: z.literal('summary'),
      format: z.literal(1),
      metric: z.enum(['accuracy', 'loss']),
      trials: z.object({ asked: count, whole: count, stopped: count, failed: count }),
      seconds: number.min(0),
      plain: overSeeds.nullable().describe('the plain recipe over the fresh seeds'),
      candidates: z
        .array(z.object({ trial, values, inSearch: number.nullable(), fresh: overSeeds }))
        .describe('best first, by their means over the fresh seeds'),
      group: z.array(trial).nullable().describe('candidates that cannot be distinguished from the first one'),
      noComparison: z.string().nullable().describe('why there is no comparison'),
      differences: z.array(
        z.object({
          trial,
          difference: number.nullable().describe('the metric of the first candidate minus that of this one'),
          interval: z.tuple([number, number]).nullable(),
          adjusted: share.nullable().describe('the p-value after Holm'),
        }),
      ),
      luck: z
        .object({ best: number, fresh: number, expected: number.nullable() })
        .nullable()
        .describe('how much of the best metric of the search was luck'),
      test: z
        .object({ images: count, accuracy: share, interval })
        .nullable()
        .describe('the first candidate on test images'),
      borders: z.array(z.object({ key: z.string(), value: z.unknown(), end: z.enum(['low', 'high']) })),
      importance: z.array(
        z.object({ key: z.string(), share: number.nullable(), interval: interval.nullable(), trials: count }),
      ),
      failures: z.array(z.object({ trial, why: z.string(), reason: z.string() })),
    })
    .describe('results of a sweep'),
};
