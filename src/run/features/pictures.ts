import { explain } from '../../vision/index.js';
import { answeredPictures, type UnreadPicture } from '../answeredPictures.js';
import { requireTrainedRun, type TrainedRun } from '../evaluate.js';
import { shownImage } from '../explain.js';
import type { PictureInput } from '../predict.js';

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
  for await (const answered of answeredPictures('features', run, pictures)) {
    if ('error' in answered) {
      yield answered;
      continue;
    }
    const { file, read, image, probabilities, predicted } = answered;
    const maps = await explain.featureMaps(run.network, image, options);
    const last = await explain.lastFeatures(run.network, image).data('float32');
    yield {
      file,
      predicted: config.data.classNames[predicted],
      probability: probabilities[predicted],
      image: { values: shownImage(read, config), shape: [inputShape[0], inputShape[1], inputShape[2]] },
      maps,
      last,
    };
  }
}
