import { relative, sep } from 'node:path';
import type { Sample } from '../../../io/data/dataset.js';
import type { BadImage, ImageFileDataset, ImageFilesOptions } from '../../../vision/datasets/reading/imageFiles.js';
import { surveyPictures } from '../../../vision/datasets/reading/pictureSurvey.js';
import { PictureFile, type PictureSource } from '../../../vision/images/decode.js';
import { encodePng } from '../../../vision/images/png.js';
import { optionsOf, type Preprocessing, preprocessPicture } from '../../../vision/images/preprocess.js';
import { normalizeInto } from '../../../vision/transforms/image.js';
import { countClasses, type OpenedSplit, type OpenOptions, type PreparedImage } from './namedDataset.js';

/** Common parts of data sets of photographs. */

export function readerOptions({ images, imageLoading = {}, onProgress }: OpenOptions): ImageFilesOptions {
  const { table: _, ...how } = imageLoading;
  return {
    ...optionsOf(images),
    ...how,
    ...(onProgress && { onProgress: (progress) => onProgress({ stage: 'checking pictures', ...progress }) }),
  };
}

/**
 * A part of the data.
 *
 * @param root the place of the data, from which names of files begin
 * @param unreadable pictures of this part that were left out; each is counted with one part alone
 */
export function splitOf(
  dataset: ImageFileDataset,
  source: string,
  root: string,
  unreadable: readonly BadImage[] = dataset.quarantine,
): OpenedSplit {
  const { files, classNames } = dataset;
  const labels = files.map(({ label }) => label);
  return {
    dataset,
    source,
    files,
    sha256Of: (path) => dataset.sha256Of(path),
    survey: (images, onProgress) => {
      const paths = files.map(({ path }) => path);
      const total = paths.length;
      return surveyPictures(paths, images, (done) => onProgress?.({ stage: 'looking at values', done, total }));
    },
    nameOf: (index) => nameBelow(root, files[index].path),
    groupOf: (index) => files[index].group ?? null,
    classCounts: countClasses(labels, classNames.length),
    unreadable,
  };
}

/** Path of a file from a folder on, with `/`. */
export function nameBelow(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}

export async function readPhotograph(
  source: PictureSource,
  images: Preprocessing,
  name?: string,
): Promise<PreparedImage> {
  const { height, width, fit } = images;
  const picture = await PictureFile.open(source, name);
  const { pixels, sourceHeight, sourceWidth } = await preprocessPicture(picture, optionsOf(images));
  const image = new Float32Array(pixels.length);
  normalizeInto(image, 0, pixels);
  const how = { squash: '', crop: ' (cropped)', pad: ' (padded)' }[fit];
  const note = [`${sourceWidth}×${sourceHeight} to ${width}×${height}${how}`, ...(await picture.changes())].join(', ');
  return { pixels, image, shape: [3, height, width], note };
}

/** The picture as the network sees it, in true colours. */
export function photographOf({ image, shape }: Sample, { order }: Preprocessing): Promise<Uint8Array> {
  const plane = image.length / 3;
  const picture = image.map((x) => (x + 1) / 2);
  if (order === 'BGR') {
    const blue = picture.slice(0, plane);
    picture.copyWithin(0, 2 * plane);
    picture.set(blue, 2 * plane);
  }
  return encodePng(picture, shape);
}
