import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { requireValue, text } from '../check.js';
import { FileError, InputError } from '../errors.js';
import { pdparamsNote } from '../io/weights/pdparams.js';
import { safetensorsMetadata } from '../io/weights/safetensors.js';
import { option } from '../text/option.js';
import { bestFile } from '../train/callbacks/bestWeights.js';
import { weightsFile } from '../train/checkpoint/folder.js';
import type { PreprocessOptions } from '../vision/images/preprocess.js';
import type { TransformSpec } from '../vision/transforms/transform.js';
import { nameOfPaddleFile, requireOffered } from '../vision/weights/node.js';
import type { NamedModel } from './catalog/models.js';
import { RunFolder } from './folder.js';
import { imageNetInputs, setsValues } from './inputPipeline.js';
import { imageNetRecord, parseRecordText, recordIn, type WeightsRecord, weightsRecordOf } from './weightsRecord.js';

/** The weights that a training begins with, found but not loaded yet. */
export interface PretrainedWeights {
  /** The file; true for Paddle's, which is downloaded. */
  readonly file: true | string;
  /** Record of their training; null if there is none. */
  readonly record: WeightsRecord | null;
}

/**
 * Finds the weights of a file, of a run folder or of Paddle, and the record of the inputs that they were
 * trained on.
 *
 * @param model a network's name, for messages
 * @param best whether to take the best weights of a run folder in place of the last ones
 * @throws {FileError} for a file or folder that is missing, or not what it should be
 * @throws {InputError} for `true` where there is nothing to download
 */
export async function findPretrained(
  pretrained: true | string,
  model: string,
  { weights }: NamedModel,
  best: boolean,
): Promise<PretrainedWeights> {
  const isFolder = pretrained !== true && ((await stat(pretrained).catch(() => null))?.isDirectory() ?? false);
  if (best && !isFolder) {
    throw new InputError('[run] best weights: expected a run folder whose best weights to begin with, got none');
  }
  if (pretrained === true) {
    if (weights !== undefined) {
      requireOffered(weights);
      return { file: true, record: imageNetRecord(weights) };
    }
    throw new InputError(
      `[run] pretrained: expected the path of a file with ${model}, got none; ready-made networks such as zoo-resnet50 ` +
        'have weights to download',
    );
  }
  if (isFolder) return inRun(pretrained, best);
  return { file: pretrained, record: await readWeightsRecord(pretrained) };
}

async function inRun(path: string, best: boolean): Promise<PretrainedWeights> {
  const folder = await RunFolder.open(path);
  const record = weightsRecordOf(folder.config);
  const file = best ? join(path, bestFile) : folder.weightsPath;
  if (!existsSync(file)) {
    throw new FileError(
      `[run] ${file}: expected the weights of the best epoch, got no such file; train with ${option('saveBest')}, or begin with the last weights`,
    );
  }
  return { file, record };
}

/**
 * The record of the training of the weights in a `.safetensors` or `.pdparams` file. Weights in a run folder
 * of an older version have no record of their own; theirs is that of the run.
 *
 * @returns null if there is none
 * @throws {FileError} for a file that cannot be read, and for a record that is damaged or of a later version
 */
export async function readWeightsRecord(path: string): Promise<WeightsRecord | null> {
  const ending = requireValue('weights', 'path', path, text).toLowerCase();
  if (ending.endsWith('.pdparams')) {
    const text = await pdparamsNote(path);
    if (text !== null) return parseRecordText(text, path);
    const name = await nameOfPaddleFile(path);
    return name === null ? null : imageNetRecord(name);
  }
  if (!ending.endsWith('.safetensors')) return null;
  const own = recordIn(await safetensorsMetadata(path), path);
  if (own !== null || ![weightsFile, bestFile].includes(basename(path))) return own;
  const run = await RunFolder.begun(dirname(path)).catch((error: unknown) => {
    if (error instanceof FileError) return null;
    throw error;
  });
  return run === null ? null : weightsRecordOf(run.config);
}

/** How photographs are prepared as the weights had them. */
export function imagesAsTrained({ images, inputShape }: WeightsRecord): PreprocessOptions {
  if (images === null) return { order: 'RGB', size: [inputShape[1], inputShape[2]] };
  const { height, width, ...others } = images;
  return { size: [height, width], ...others };
}

/**
 * Refuses weights without a record of their inputs, unless the caller describes the inputs: by the order of
 * the colors, or by transforms that set the values.
 *
 * @throws {InputError} that names what to give
 */
export function requireInputs(
  { file, record }: PretrainedWeights,
  images: PreprocessOptions | undefined,
  transforms: readonly TransformSpec[],
): void {
  if (record !== null || images?.order !== undefined || setsValues(transforms)) return;
  const [{ Normalize }] = imageNetInputs.transforms;
  throw new InputError(
    `[run] ${file}: expected a file that says how its inputs were made, got one that does not; give the order of the ` +
      `colours, and a normalization unless values went from −1 to 1: ${option('order', 'BGR')} for networks of PaddlePaddle’s tutorial, ` +
      `${option('order', 'RGB')} ${option('transforms', `Normalize([${Normalize.mean}],[${Normalize.std}])`)} for weights of ImageNet, ` +
      `${option('transforms', 'ToTensor')} for values from 0 to 1`,
  );
}

/** Notes about the classes that the weights were trained for. */
export function classNotes(
  { file, record }: PretrainedWeights,
  classNames: readonly string[],
  renewed: readonly string[],
): string[] {
  const before = record?.classNames ?? undefined;
  const theirs = before === undefined ? '' : ` (${before.length}: ${shortened(before)})`;
  if (renewed.length > 0) {
    return [`the weights know other classes${theirs}: the last layer is new (${renewed.join(', ')})`];
  }
  if (before === undefined || before.join('\n') === classNames.join('\n')) return [];
  return [
    `the last layer of ${file === true ? "Paddle's weights" : file} was trained for other classes${theirs}; ` +
      `it continues as that of ${shortened(classNames)}`,
  ];
}

const mostNamed = 6;

function shortened(names: readonly string[]): string {
  return names.length <= mostNamed
    ? names.join(', ')
    : `${names.slice(0, mostNamed).join(', ')} and ${names.length - mostNamed} more`;
}
