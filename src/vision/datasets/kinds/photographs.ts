import type { Sample } from '../../../io/dataset.js';
import { normalizeInto } from '../../transforms/image.js';
import { encodePng } from '../../transforms/png.js';
import { type Preprocessing, preprocess } from '../../transforms/preprocess.js';
import type { ImageFileDataset, ImageFilesOptions } from '../imageFiles.js';
import { countClasses, type OpenedSplit, type OpenOptions, type PreparedImage } from './kind.js';

/** What data sets of photographs have in common. */

export function readerOptions({ images, reading = {}, onProgress }: OpenOptions): ImageFilesOptions {
  const { height, width, order, antialias } = images;
  const { table: _, ...how } = reading;
  return {
    size: [height, width],
    order,
    antialias,
    ...how,
    ...(onProgress && { onProgress: (progress) => onProgress({ stage: 'checking pictures', ...progress }) }),
  };
}

export function splitOf(dataset: ImageFileDataset, source: string): OpenedSplit {
  const { files, quarantine, classNames } = dataset;
  const labels = files.map(({ label }) => label);
  return { dataset, source, files, classCounts: countClasses(labels, classNames.length), unreadable: quarantine };
}

export async function readPhotograph(path: string, images: Preprocessing): Promise<PreparedImage> {
  const { order, antialias, height, width } = images;
  const { pixels, sourceHeight, sourceWidth } = await preprocess(path, { size: [height, width], order, antialias });
  const image = new Float32Array(pixels.length);
  normalizeInto(image, 0, pixels);
  return { image, shape: [3, height, width], note: `${sourceWidth}×${sourceHeight} to ${width}×${height}` };
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
