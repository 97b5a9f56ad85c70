import { z } from 'zod';
import { as, count, notes, path, shape } from './parts.js';

const settings = {
  model: z.string(),
  precision: z.string(),
  engine: z.string(),
  threads: count,
};

const item = z.object({
  items: z.string().describe('numbers of the items in CLAIM, STARD and TRIPOD+AI'),
  topic: z.string(),
  status: z.enum(['answered', 'open', 'missing']),
  text: z.string(),
});

export const otherSchemas = {
  'dossier.result': z
    .object({ run: path, markdown: path, page: path, items: z.array(item) })
    .describe('files and items of a dossier'),
  'lr-find.result': z
    .object({
      points: z.array(z.object({ rate: z.number(), loss: z.number(), smoothed: z.number() })),
      suggestion: z.number().nullable(),
      reason: z.string(),
      ended: z.string().nullable().describe('why the search ended before its last rate'),
    })
    .describe('losses over growing learning rates'),
  'models.model': z
    .object({
      name: z.string(),
      title: z.string(),
      input: shape,
      classes: count,
      parameters: count,
      macs: count,
      weights: z.enum(['downloaded', 'to download']).nullable(),
      speed: as('measured speed on this machine; null if it was not measured').nullable(),
    })
    .describe('a network'),
  'summary.network': z
    .object({
      model: z.string(),
      input: shape,
      layers: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          outputShape: shape,
          state: z.record(z.string(), shape),
          parameters: count,
        }),
      ),
      outputShape: shape,
      parameters: count,
      buffers: count,
    })
    .describe('layers of a network'),
  'bench.result': z
    .object({
      ...settings,
      input: shape,
      batch: count,
      inference: z.boolean(),
      compileMs: z.number(),
      firstMs: z.number(),
      medianMs: z.number(),
      minMs: z.number(),
      imagesPerSecond: z.number(),
      peakRssMiB: z.number(),
      products: z.object({ total: count, bfloat16: count }).optional(),
      profile: as('time by kernel, layer and change of layout').optional(),
    })
    .describe('time of a step'),
  'convert.result': z
    .object({ input: path, output: path, tensors: count, values: count, bytes: count, notes })
    .describe('a converted file'),
  'slim.result': z.object({ run: path, freed: count.describe('bytes') }).describe('a slimmed run'),
  'setup.result': z
    .object({
      library: z
        .looseObject({ path, origin: z.string(), version: z.array(count).nullable(), problem: z.string().nullable() })
        .nullable(),
      engine: z.string(),
    })
    .describe('the library in use'),
  'doctor.result': z
    .object({
      ok: z.boolean(),
      findings: z.array(
        z.object({
          name: z.string(),
          ok: z.boolean(),
          note: z.literal(true).optional(),
          found: z.string(),
          details: z.array(z.string()).optional(),
          remedy: z.string().optional(),
        }),
      ),
    })
    .describe('parts that this machine has or lacks'),
};
