import { dirname } from 'node:path';
import { Cifar10, Cifar100 } from '../../../vision/datasets/cifar.js';
import { cifar10Classes, cifar100Classes } from '../../../vision/datasets/cifarClasses.js';
import { PictureFile, type PictureSource } from '../../../vision/images/decode.js';
import { type Preprocessing, preprocessPicture } from '../../../vision/images/preprocess.js';
import { inputsOf } from '../../../vision/transforms/image.js';
import type { NamedDataset, PreparedImage } from './namedDataset.js';
import { pixelDataset } from './pixels.js';

const side = 32;

function cifar(name: string, title: string, data: typeof Cifar10 | typeof Cifar100): NamedDataset {
  return pixelDataset({
    name,
    title,
    location: 'DIR',
    imageShape: [3, side, side],
    classNames: data === Cifar10 ? cifar10Classes : cifar100Classes,
    async open(mode, { location: dataFile, offline = false, onDownload, numWorkers }) {
      const progress = onDownload && { onProgress: onDownload };
      const dataset = await data.open({ mode, dataFile, download: !offline, numWorkers, ...progress });
      const { origin, files } = dataset.source;
      const place = files.length === 1 ? files[0] : `folder ${dirname(files[0])}`;
      return { dataset, source: `${origin === 'download' ? 'downloaded to ' : ''}${place}`, paths: files };
    },
    readImage: readSmall,
  });
}

export const cifar10 = cifar('cifar10', 'CIFAR-10', Cifar10);
export const cifar100 = cifar('cifar100', 'CIFAR-100', Cifar100);

async function readSmall(source: PictureSource, _: Preprocessing, name?: string): Promise<PreparedImage> {
  const options = { size: side, order: 'RGB', antialias: true } as const;
  const picture = await PictureFile.open(source, name);
  const { pixels, sourceHeight, sourceWidth } = await preprocessPicture(picture, options);
  return {
    pixels,
    image: Float32Array.from(pixels, (value) => inputsOf.unit[value]),
    shape: [3, side, side],
    note: `${sourceWidth}×${sourceHeight} to ${side}×${side}`,
  };
}
