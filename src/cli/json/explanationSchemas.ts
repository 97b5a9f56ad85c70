import { z } from 'zod';
import { count, path, shape, share, unreadable } from './parts.js';

/** Mean scores over the steps of covering or uncovering places, for three orders of the places. */
const curve = z.object({ map: z.number(), random: z.number(), centre: z.number() });

const check = z.object({
  randomized: z
    .array(z.object({ layer: z.string(), correlation: z.number() }))
    .describe('rank correlation with the map of the network whose layers, from the output on, are randomized'),
  perturbations: z.object({ deletion: curve, insertion: curve }),
  agreement: z.number().nullable().describe('rank correlation with the map of --other'),
  passes: z.object({ randomized: z.boolean(), deletion: z.boolean(), insertion: z.boolean() }),
  verdict: z.string(),
});

const place = z.number().min(0).nullable();

export const explanationSchemas = {
  'explain.picture': z
    .object({
      file: path,
      class: z.string().describe('the class that is explained'),
      against: z.string().nullable(),
      predicted: z.string(),
      probability: share.describe('of the explained class'),
      score: z.number().describe('the logit that is explained, or the difference of two'),
      method: z.string(),
      layer: z.string().nullable(),
      check: check.nullable(),
      height: count,
      width: count,
      summary: z.object({
        total: z.number().min(0).describe('sum of the positive values of the map'),
        centreX: place.describe('their centre, from 0 (left) to 1; null without positive values'),
        centreY: place,
        inLargestTenth: place.describe('share of the total in a tenth of the places'),
      }),
      files: z.object({ picture: path, map: path, overlay: path }),
    })
    .describe('a map of the places that speak for a class'),
  'explain.unreadable': unreadable,
  'features.filters': z
    .object({ kind: z.literal('filters'), layer: z.string(), shape, file: path })
    .describe('filters of the first layer'),
  'features.layer': z
    .object({
      kind: z.literal('layer'),
      layer: z.string(),
      channels: count,
      dead: z.array(count).describe('channels that are the same for every image'),
    })
    .describe('channels of a layer'),
  'features.map': z
    .object({
      kind: z.literal('map'),
      method: z.string(),
      images: count,
      features: count,
      explained: z.array(z.number()).optional().describe('shares of the variance; with PCA only'),
      file: path,
      table: path,
    })
    .describe('a map of images'),
  'features.picture': z
    .object({
      kind: z.literal('picture'),
      file: path,
      predicted: z.string(),
      probability: share,
      maps: z.record(z.string(), path).describe('a picture of the channels of each layer'),
      neighbours: z
        .array(z.object({ name: z.string(), class: z.string(), distance: z.number().min(0) }))
        .optional()
        .describe('nearest training images'),
      sheet: path.optional(),
    })
    .describe('feature maps and neighbours of a picture'),
  'features.unreadable': unreadable,
};
