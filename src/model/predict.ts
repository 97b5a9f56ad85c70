import { stat } from 'node:fs/promises';
import { FileError, InputError } from '../errors.js';
import { formatShape, sameShape } from '../graph/shape.js';
import { planAll } from '../tensor/evaluate.js';
import { noGrad, Tensor } from '../tensor/tensor.js';
import { picturesIn } from '../vision/datasets/folder.js';
import type { PassedOver } from '../vision/datasets/listing.js';
import type { PreparedImage } from '../vision/datasets/registry.js';
import { preprocessing } from '../vision/transforms/preprocess.js';
import { type Decision, decide } from './decision.js';
import type { TrainedRun } from './evaluateRun.js';
import { preparedAs } from './inputs.js';
import { largestBatchFor } from './memory.js';
import { classProbabilities, meaningUnder } from './outputs.js';
import { datasetKind, lossOf } from './recipes.js';
import type { RunConfig } from './records.js';
import { trainedPictures } from './seen.js';
import { fingerprint } from './stateFolder.js';

/** What a network takes a picture for. */
export interface Prediction {
  readonly file: string;
  /** What was done to the picture before the network saw it; empty if nothing. */
  readonly note: string;
  /** Most probable first. */
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
  /** With two classes: the class that the picture is taken for, by the operating point of the run. */
  readonly decision?: Decision;
  /** Whether the network was trained on this picture or a copy; left out where the run keeps no checksums. */
  readonly trainedOn?: boolean;
}

/** A picture that could not be read. */
export interface Unreadable {
  readonly file: string;
  readonly error: FileError;
}

/**
 * Files as they are, folders as the pictures in them.
 *
 * @param onPassedOver told what of a folder is no data
 * @throws {FileError} for a folder without pictures
 */
export async function expandFolders(
  paths: readonly string[],
  onPassedOver?: (folder: string, passedOver: readonly PassedOver[]) => void,
): Promise<string[]> {
  const parts = paths.map(async (path): Promise<readonly string[]> => {
    const isFolder = await stat(path).then(
      (info) => info.isDirectory(),
      () => false,
    );
    if (!isFolder) return [path];
    const { pictures, passedOver } = await picturesIn(path);
    if (passedOver.length > 0) onPassedOver?.(path, passedOver);
    return pictures;
  });
  return (await Promise.all(parts)).flat();
}

/** Most pictures that are decoded at once and go through the network together; fewer where memory is short. */
const mostAtOnce = 32;

/**
 * Classifies pictures, in the order of `files`.
 *
 * @param top how many classes to give of each
 * @throws {MemoryError} if there is no memory for a single picture
 */
export async function* predictFiles(
  run: TrainedRun,
  files: readonly string[],
  top: number,
): AsyncGenerator<Prediction | Unreadable> {
  if (!Number.isSafeInteger(top) || top < 1) {
    throw new InputError(`[predict] top: expected a positive integer, got ${top}`);
  }
  const { config } = run.folder;
  const { data } = config;
  if (files.length === 0) return;
  const trained = await trainedPictures(run.folder);
  const chunkSize = chunkFor(run, Math.min(mostAtOnce, files.length));
  for (let begin = 0; begin < files.length; begin += chunkSize) {
    const chunk = files.slice(begin, begin + chunkSize);
    const read = await Promise.all(chunk.map((file) => readImage(config, file, trained)));
    const images = read.filter((result): result is ReadImage => !(result instanceof FileError));
    const scores = await probabilitiesOf(run, images);
    let next = 0;
    for (const [i, file] of chunk.entries()) {
      const result = read[i];
      if (result instanceof FileError) {
        yield { file, error: result };
        continue;
      }
      const probabilities = scores[next++];
      const classes = Array.from(probabilities, (probability, c) => ({ name: data.classNames[c], probability }));
      classes.sort((a, b) => b.probability - a.probability);
      const { note, trainedOn } = result;
      yield {
        file,
        note,
        classes: classes.slice(0, top),
        ...(run.decision !== null && { decision: decide(run.decision, probabilities) }),
        ...(trainedOn !== null && { trainedOn }),
      };
    }
  }
}

function chunkFor(run: TrainedRun, most: number): number {
  const { inputShape } = run.folder.config.model;
  return largestBatchFor('predict', most, inputShape, (batch, keep) => {
    const images = Tensor.placeholder([batch, ...inputShape], 'float32');
    return planAll([forward(run, images)], [], [], keep);
  });
}

/** The probabilities of the classes. */
function forward({ network, folder }: TrainedRun, images: Tensor): Tensor {
  return noGrad(() => {
    const outputs = network.forward(images);
    return classProbabilities(outputs, meaningUnder(lossOf(folder.config.recipe).compute, outputs.shape));
  });
}

interface ReadImage extends PreparedImage {
  /** Whether the network was trained on it; null where that is not known. */
  readonly trainedOn: boolean | null;
}

async function readImage(
  config: RunConfig,
  file: string,
  trained: Awaited<ReturnType<typeof trainedPictures>>,
): Promise<ReadImage | FileError> {
  const { name, images } = config.data;
  try {
    const picture = await datasetKind(name).readImage(file, images ?? preprocessing());
    const trainedOn = trained?.has((await fingerprint(file)).sha256, picture.image) ?? null;
    return { ...preparedAs(picture, config), trainedOn };
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
}

async function probabilitiesOf(run: TrainedRun, images: readonly PreparedImage[]) {
  if (images.length === 0) return [];
  const { inputShape } = run.folder.config.model;
  const size = images[0].image.length;
  const batch = new Float32Array(images.length * size);
  images.forEach(({ image, shape }, i) => {
    if (!sameShape(shape, inputShape)) {
      throw new InputError(
        `[predict] image: expected ${formatShape(inputShape)} for this network, got ${formatShape(shape)}`,
      );
    }
    batch.set(image, i * size);
  });
  const input = Tensor.fromData(batch, [images.length, ...inputShape]);
  const output = forward(run, input);
  const data = (await output.data()) as Float32Array;
  const classes = output.shape[1];
  return images.map((_, i) => data.subarray(i * classes, (i + 1) * classes));
}
