import { z } from 'zod';
import { count, interval, path, sha256, share } from './parts.js';

const next = z.string().describe('the command that continues');
const eyes = z.object({ N: count, H: count, P: count }).describe('normal, highly myopic and pathologic ones');
const palmSet = z.object({
  images: count,
  pathologic: count,
  byPrefix: z.record(z.string(), count).describe('by the first letter of the name'),
});

/** A property of the pictures that alone predicts the class, or the reason why that is not known. */
const shortcut = z.union([
  z.object({
    property: z.string(),
    measure: z.enum(['auc', 'accuracy']),
    value: share,
    interval: interval.describe('95 %'),
    chance: share.describe('the value without any information'),
    suspicious: z.boolean(),
  }),
  z.object({ property: z.string(), value: z.null(), reason: z.string() }),
]);

export const dataSchemas = {
  'data.check': z
    .object({
      title: z.string(),
      classNames: z.array(z.string()),
      pictures: count,
      counts: z.record(z.string(), z.array(count)).describe('pictures of each class, by part of the data'),
      properties: z
        .array(
          z.object({
            property: z.enum(['size', 'format', 'camera']),
            values: z.array(
              z.object({ value: z.string(), pictures: count, counts: z.array(count).describe('of each class') }),
            ),
          }),
        )
        .describe('sizes, formats and cameras of the pictures, most frequent first'),
      findings: z.array(
        z.object({
          kind: z.string(),
          severity: z.enum(['problem', 'warning']),
          message: z.string(),
          files: z.array(path),
          exclude: z.array(path).describe('pictures that would better be left out'),
          relabel: z.string().nullable().describe('another label for the first file'),
        }),
      ),
      shortcuts: z.array(shortcut),
      leftOut: z.array(z.string()).describe('checks that were left out, with the reason'),
      out: path.optional().describe('folder of the page and the tables'),
    })
    .describe('findings about a data set'),
  'data.show': z
    .object({
      data: z.string(),
      split: z.enum(['train', 'validation', 'test', 'all']),
      images: count,
      shown: count,
      versions: count.describe('changed versions of each image'),
      transforms: z.array(z.record(z.string(), z.unknown())).nullable(),
      sheet: path,
      fixes: path.optional().describe('the folder or table of --fixes, whose pictures are shown'),
      excluded: z
        .array(z.object({ file: path, label: z.string() }))
        .optional()
        .describe('pictures that it leaves out'),
      relabelled: z
        .array(z.object({ file: path, label: z.string(), instead: z.string().describe('the label before') }))
        .optional(),
    })
    .describe('a picture of a data set'),
  'data.palm.show': z
    .object({
      folder: path,
      set: z.enum(['train', 'validation']),
      images: count,
      pathologic: count,
      quarantine: count.describe('pictures that cannot be read'),
      synthetic: z.boolean(),
      sha256,
      eyes: path,
      sheet: path,
    })
    .describe('pictures of iChallenge-PM'),
  'data.palm.import': z
    .object({
      folder: path,
      recordFile: path,
      synthetic: z.boolean(),
      train: palmSet,
      validation: palmSet,
      sizes: z
        .array(
          z.object({
            width: count,
            height: count,
            camera: z.string().nullable(),
            images: count,
            pathologic: count,
          }),
        )
        .describe('most frequent first'),
      quarantine: z.array(z.object({ path, reason: z.string() })).describe('pictures that cannot be read'),
      warnings: z.array(z.string()),
      copied: count,
      present: count.describe('pictures that were there already'),
      sha256: z.object({ train: sha256, validation: sha256 }),
      next,
    })
    .describe('an import of iChallenge-PM'),
  'data.palm.synth': z
    .object({
      synthetic: z.literal(true),
      folder: path,
      files: z.array(path),
      train: eyes,
      validation: eyes,
      cameras: z.object({ Zeiss: count, Canon: count }),
      size: count.describe('width in pixels'),
      seed: count,
      next,
    })
    .describe('synthetic pictures in place of iChallenge-PM'),
};
