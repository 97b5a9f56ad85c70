import { FileError, InputError } from '../../errors.js';
import { formatShape, sameShape } from '../../graph/shape.js';
import { noGrad } from '../../tensor/noGrad.js';
import { Tensor } from '../../tensor/tensor.js';
import { explain } from '../../vision/index.js';
import { requireTrainedRun, type TrainedRun } from '../evaluate.js';
import { shownImage } from '../explain.js';
import { type PictureInput, probabilitiesUnder, readPicture, withName } from '../predict.js';

/** Features of a picture in a network, layer by layer. */
export interface PictureFeatures {
  readonly file: string;
  /** The most probable class. */
  readonly predicted: string;
  /** Its probability. */
  readonly probability: number;
  /** The picture as the network sees it, from 0 to 1: grey, or red, green and blue. */
  readonly image: explain.TilePicture;
  /** Features of the layers. */
  readonly maps: readonly explain.FeatureMaps[];
  /** The last features, from which the logits are computed. */
  readonly last: Float32Array;
}

/** A picture that could not be read. */
export interface UnreadPicture {
  readonly file: string;
  readonly error: FileError;
}

/**
 * The features of pictures in a trained network, layer by layer, in the order of `pictures`.
 *
 * @param options.layers names as `vision.explain.featureLayers` gives them. Default: all
 * @throws {InputError} for a layer that there is not
 */
export async function* pictureFeatures(
  run: TrainedRun,
  pictures: readonly PictureInput[],
  options: { readonly layers?: readonly string[] | undefined } = {},
): AsyncGenerator<PictureFeatures | UnreadPicture> {
  requireTrainedRun('features', run);
  const { config } = run.folder;
  const { inputShape } = config.model;
  for (const [i, picture] of pictures.entries()) {
    const named = withName(picture, i, pictures.length);
    const read = await readPicture(config, named, null);
    if (read instanceof FileError) {
      yield { file: named.name, error: read };
      continue;
    }
    if (!sameShape(read.shape, inputShape)) {
      throw new InputError(
        `[features] image: expected ${formatShape(inputShape)} for this network, got ${formatShape(read.shape)}`,
      );
    }
    const image = Tensor.fromData(read.image, [1, ...inputShape]);
    const maps = await explain.featureMaps(run.network, image, options);
    const last = await explain.lastFeatures(run.network, image).data('float32');
    const logits = noGrad(() => run.network.forward(image));
    const probabilities = await probabilitiesUnder(config, logits).data('float32');
    const predicted = probabilities.indexOf(Math.max(...probabilities));
    yield {
      file: named.name,
      predicted: config.data.classNames[predicted],
      probability: probabilities[predicted],
      image: { values: shownImage(read, config), shape: [inputShape[0], inputShape[1], inputShape[2]] },
      maps,
      last,
    };
  }
}
