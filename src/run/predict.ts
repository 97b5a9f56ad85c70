import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import * as check from '../check.js';
import { FileError, InputError } from '../errors.js';
import { formatShape, sameShape } from '../graph/shape.js';
import { fingerprint } from '../io/files/fingerprint.js';
import { planAll, realizeAll } from '../tensor/evaluate.js';
import { noGrad } from '../tensor/noGrad.js';
import { Tensor } from '../tensor/tensor.js';
import { formatCount } from '../text/numbers.js';
import { largestBatchFor } from '../train/batchMemory.js';
import { classProbabilities, meaningUnder } from '../train/outputs.js';
import { picturesIn } from '../vision/datasets/folder.js';
import type { PassedOver } from '../vision/datasets/listing.js';
import { eachOf } from '../vision/eachOf.js';
import { type PictureSource, pathOf } from '../vision/images/decode.js';
import { fileOf } from '../vision/images/png.js';
import { preprocessing } from '../vision/images/preprocess.js';
import { type Raster, requireRaster } from '../vision/transforms/raster.js';
import type { PreparedImage } from './catalog/datasets.js';
import { namedDataset } from './catalog/datasets.js';
import type { RunConfig } from './config.js';
import { type Decision, decide } from './decision.js';
import { calibratedProbabilities } from './decisions/calibrated.js';
import { requireTrainedRun, type TrainedRun } from './evaluate.js';
import { forPrediction } from './inputPipeline.js';
import { lossOf } from './losses.js';
import { logitsOf } from './predictions/predictions.js';
import { trainedPictures, type UseInTraining } from './seen.js';

/** A picture to be classified: its path or `file:` URL, the contents of its file, or its pixels. */
export type PictureInput = string | URL | Uint8Array | Raster | NamedPicture;

/** A picture without a path, with a name for results and messages. */
export interface NamedPicture {
  readonly name: string;
  readonly picture: Uint8Array | Raster;
}

/** The prediction for a class. */
export interface ClassPrediction {
  readonly name: string;
  readonly probability: number;
  /**
   * Softmax of the logits of all classes makes the probabilities, where the run has no calibration. With one
   * output, the first class has 0.
   */
  readonly logit: number;
}

/** The prediction of a network for a picture. */
export interface Prediction {
  /** Its path, its name, or `picture 2 of 3 (1,234 bytes)`. */
  readonly file: string;
  /** Changes to the picture before the network saw it; empty if none. */
  readonly note: string;
  /** Most probable first. */
  readonly classes: readonly ClassPrediction[];
  /** With two classes: the predicted class, by the operating point of the run. */
  readonly decision?: Decision;
  /** Whether the network was trained on this picture or a copy; left out where the run keeps no checksums. */
  readonly trainedOn?: boolean;
  /** True for another picture that looks like one of the training, as if saved with loss or resized. */
  readonly looksTrainedOn?: true;
}

/** Options of {@link predictFiles}. */
export interface PredictFilesOptions {
  /** How many of the most probable classes to give (5). */
  readonly top?: number | undefined;
}

/** A picture that could not be read. */
export interface Unreadable {
  readonly file: string;
  readonly error: FileError;
}

/**
 * Files as they are, folders as the pictures in them.
 *
 * @param onPassedOver called with the entries of a folder that are not data
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
    const { pictures, passedOver } = await picturesIn(path, 'skip');
    if (passedOver.length > 0) onPassedOver?.(path, passedOver);
    return pictures;
  });
  return (await Promise.all(parts)).flat();
}

/** Pictures that are decoded at once; fewer where they are large. */
const decodedAtOnce = 4;

/** Most pictures that go through the network together; fewer where memory is short. */
const mostAtOnce = 32;

/**
 * Classifies pictures, in the order of `pictures`: paths or URLs of files, contents of files, or pixels in
 * memory (bytes, or floats from 0 to 1, of 1 to 4 channels).
 *
 * @param top number of classes to give of each
 * @throws {MemoryError} if there is no memory for a single picture
 */
export async function* predictFiles(
  run: TrainedRun,
  pictures: readonly PictureInput[],
  options: PredictFilesOptions = {},
): AsyncGenerator<Prediction | Unreadable> {
  requireTrainedRun('predict', run);
  check.requireValue('predict', 'pictures', pictures, check.listOf(check.rule('a picture', () => true)));
  const { top = 5 } = check.requireOptions('predict', options, { top: check.integer(1) });
  const { config } = run.folder;
  const { data } = config;
  if (pictures.length === 0) return;
  const trained = await trainedPictures(run.folder);
  const named = pictures.map((picture, i) => withName(picture, i, pictures.length));
  const chunkSize = chunkFor(run, Math.min(mostAtOnce, named.length));
  for (let begin = 0; begin < named.length; begin += chunkSize) {
    const chunk = named.slice(begin, begin + chunkSize);
    const read = new Array<ReadImage | FileError>(chunk.length);
    await eachOf(chunk, decodedAtOnce, async (one, i) => {
      read[i] = await readPicture(config, one, trained);
    });
    const images = read.filter((result): result is ReadImage => !(result instanceof FileError));
    const scores = await scoresOf(run, images);
    let next = 0;
    for (const [i, { name: file }] of chunk.entries()) {
      const result = read[i];
      if (result instanceof FileError) {
        yield { file, error: result };
        continue;
      }
      const { probabilities, logits } = scores[next++];
      const classes = Array.from(probabilities, (probability, c) => ({
        name: data.classNames[c],
        probability,
        logit: logits[c],
      }));
      classes.sort((a, b) => b.probability - a.probability);
      const { note, use } = result;
      yield {
        file,
        note,
        classes: classes.slice(0, top),
        ...(run.decision !== null && { decision: decide(run.decision, probabilities) }),
        ...(use !== null && { trainedOn: use === 'trained' }),
        ...(use === 'alike' && { looksTrainedOn: true }),
      };
    }
  }
}

function chunkFor(run: TrainedRun, most: number): number {
  const { inputShape } = run.folder.config.model;
  return largestBatchFor('predict', most, inputShape, (batch) => {
    const images = Tensor.placeholder([batch, ...inputShape], 'float32');
    return planAll(forward(run, images));
  });
}

/** The probabilities of the classes, and the outputs. */
function forward({ network, folder }: TrainedRun, images: Tensor): [probabilities: Tensor, outputs: Tensor] {
  return noGrad(() => {
    const outputs = network.forward(images);
    return [probabilitiesUnder(folder.config, outputs), outputs];
  });
}

/** The probabilities of the classes, from the outputs of a run's network. */
export function probabilitiesUnder({ recipe }: RunConfig, outputs: Tensor): Tensor {
  return noGrad(() => classProbabilities(outputs, meaningUnder(lossOf(recipe).compute, outputs.shape)));
}

interface ReadImage extends PreparedImage {
  /** Whether the network was trained on it; null if that is unknown. */
  readonly use: UseInTraining | null;
}

/** A picture with the name that results and messages have for it. */
interface Named {
  readonly name: string;
  readonly source: PictureSource | Raster;
}

/** @throws {InputError} for anything that is not a picture */
export function withName(input: PictureInput, index: number, count: number): Named {
  if (typeof input === 'string') return { name: input, source: input };
  if (input instanceof URL) return { name: pathOf(input), source: input };
  const place = `picture ${index + 1} of ${count}`;
  if (input instanceof Uint8Array) return { name: `${place} (${formatCount(input.length)} bytes)`, source: input };
  if (typeof input === 'object' && input !== null && 'picture' in input) {
    return { name: input.name, source: input.picture };
  }
  requireRaster(place, input);
  return { name: `${place} (${input.width}×${input.height} pixels)`, source: input };
}

/** Reads a picture as the network takes it. */
export async function readPicture(
  config: RunConfig,
  { name, source }: Named,
  trained: Awaited<ReturnType<typeof trainedPictures>>,
): Promise<ReadImage | FileError> {
  const { name: data, images } = config.data;
  try {
    const isFile = typeof source === 'string' || source instanceof URL || source instanceof Uint8Array;
    const file = isFile ? source : await fileOf(source, name);
    const picture = await namedDataset(data).readImage(file, images ?? preprocessing(), name);
    const use = trained?.use(await sha256Of(file), picture.image, picture.shape) ?? null;
    return { ...forPrediction(picture, config), use };
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
}

async function sha256Of(file: PictureSource): Promise<string> {
  if (file instanceof Uint8Array) return createHash('sha256').update(file).digest('hex');
  return (await fingerprint(pathOf(file))).sha256;
}

async function scoresOf(run: TrainedRun, images: readonly PreparedImage[]) {
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
  const computed = forward(run, input);
  await realizeAll(computed);
  const [probabilities, outputs] = await Promise.all(computed.map((tensor) => tensor.data('float32')));
  const logits = logitsOf(outputs, images.length);
  const classes = computed[0].shape[1];
  const own = (values: Float32Array, i: number) => values.subarray(i * classes, (i + 1) * classes);
  const { calibrator } = run;
  const shown = calibrator === null ? probabilities : calibratedProbabilities(calibrator, { logits, classes });
  return images.map((_, i) => ({ probabilities: own(shown, i), logits: own(logits, i) }));
}
