import { z } from 'zod';
import { FileError, messageOf } from '../errors.js';
import { parseJson } from '../text/json.js';
import { version } from '../version.js';
import type { ByteRange } from '../vision/transforms/image.js';
import { parseTransforms } from '../vision/transforms/parse.js';
import { preprocessing, type RunConfig } from './config.js';
import { fixedSpecs, imageNetInputs, rangeOf } from './inputPipeline.js';
import { lossNames } from './losses.js';
import { positiveOf } from './positive.js';

/** The key of a record in the metadata of a safetensors file. */
const metadataKey = 'training';

const size = z.int().min(1);

/** A later version that this one cannot read counts up `format`. Keys that are unknown here are left out. */
const schema = z.object({
  format: z.literal(1),
  /** The version of Fovea that wrote it. */
  fovea: z.string(),
  /** Name of the network: `resnet50`. */
  model: z.string(),
  /** Name of the kind of data: `folder`. */
  data: z.string(),
  /** `[channels, height, width]` */
  inputShape: z.tuple([size, size, size]),
  /** How photographs were resized, and the order of their colors; null for images of one size. */
  images: preprocessing.nullable(),
  /** Range of the inputs, unless a transform makes floats. */
  range: z.enum(['unit', 'signed'] satisfies ByteRange[]),
  /** The transforms that are not random, which evaluation and prediction need as well. */
  transforms: z.array(z.record(z.string(), z.record(z.string(), z.unknown()))).readonly(),
  /** Names in the order of the outputs; null if they are unknown. */
  classNames: z.array(z.string()).min(1).nullable(),
  /** The class that sensitivity and precision are computed for; null unless there are two. */
  positive: z.string().nullable(),
  /** Decides how outputs become probabilities. */
  loss: z.enum(lossNames),
});

/**
 * Record of the training of some weights. The file of the weights contains it, because a network is useless
 * with other inputs.
 */
export type WeightsRecord = z.infer<typeof schema>;

/** The record of a run's weights. Runs of the same seed have the same one. */
export function weightsRecordOf(config: RunConfig): WeightsRecord {
  const { model, data, recipe } = config;
  const [channels, height, width] = model.inputShape;
  return {
    format: 1,
    fovea: version,
    model: model.name,
    data: data.name,
    inputShape: [channels, height, width],
    images: data.images,
    range: rangeOf(data.images),
    transforms: fixedSpecs(recipe.techniques?.transforms ?? []),
    classNames: data.classNames,
    positive: positiveOf(config)?.name ?? null,
    loss: recipe.loss,
  };
}

/** The record of Paddle's weights. @param name Paddle's name of the network */
export function imageNetRecord(name: string): WeightsRecord {
  return {
    format: 1,
    fovea: version,
    model: `zoo-${name}`,
    data: 'imagenet',
    ...imageNetInputs,
    classNames: null,
    positive: null,
    loss: 'crossEntropy',
  };
}

/** The metadata of a run's weights. */
export function weightsMetadata(config: RunConfig): Readonly<Record<string, string>> {
  const { model, data, version: fovea } = config;
  return { model: model.name, data: data.name, fovea, [metadataKey]: recordText(weightsRecordOf(config)) };
}

/** A record as the text that files keep. */
export function recordText(record: WeightsRecord): string {
  return JSON.stringify(record);
}

/**
 * The record in the metadata of a safetensors file.
 *
 * @param where names the file in messages
 * @returns null if there is none
 * @throws {FileError} for a record that is damaged or of a later version
 */
export function recordIn(metadata: Readonly<Record<string, string>>, where: string): WeightsRecord | null {
  const text = metadata[metadataKey];
  return text === undefined ? null : parseRecordText(text, where);
}

/** The metadata that keep a record. */
export function recordMetadata(record: WeightsRecord | null): Readonly<Record<string, string>> {
  return record === null ? {} : { [metadataKey]: recordText(record) };
}

/** @throws {FileError} for a record that is damaged or of a later version */
export function parseRecordText(text: string, where: string): WeightsRecord {
  const refuse = (expected: string, got: string, cause?: unknown) =>
    new FileError(
      `[weights] ${where}: ${metadataKey}: expected ${expected}, got ${got}; ` +
        'the file was altered or belongs to a later version of Fovea',
      { cause },
    );
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw refuse('JSON', messageOf(error), error);
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const [{ path, message }] = result.error.issues;
    throw refuse(`a record of format 1`, `${path.join('.') || 'the record'}: ${message}`, result.error);
  }
  try {
    parseTransforms(result.data.transforms as Parameters<typeof parseTransforms>[0]);
  } catch (error) {
    throw refuse('known transforms', messageOf(error), error);
  }
  return result.data;
}
