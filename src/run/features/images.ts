import type { DataLoader } from '../../io/data/dataloader.js';
import { Subset } from '../../io/data/subsets.js';
import type { DownloadProgress } from '../../io/files/download.js';
import { RandomGenerator } from '../../random.js';
import { Tensor } from '../../tensor/tensor.js';
import { preprocessing } from '../../vision/images/preprocess.js';
import type { OpenedSplit, OpenOptions, Split } from '../catalog/datasets.js';
import { namedDataset } from '../catalog/datasets.js';
import { requireClasses, requireSplit, type TrainedRun } from '../evaluate.js';
import { forEvaluation } from '../inputPipeline.js';
import { evalLoaderOf } from '../loaders.js';
import { openAsTrained } from '../splits.js';

export interface RunImagesOptions {
  /** Part of the data of the run. */
  readonly split: Split;
  /** Most images, chosen by `seed`. Default: all. */
  readonly images?: number | undefined;
  readonly seed?: number | undefined;
  /** Folder or file of the data, if they have moved. */
  readonly dataDir?: string | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  readonly onProgress?: OpenOptions['onProgress'];
}

/** Images of the data of a run, as its network sees them in an evaluation. */
export interface RunImages {
  /** Number of images. */
  readonly length: number;
  /** Batches in the order of the images. */
  loader(): DataLoader;
  nameOf(index: number): string;
  /** An image as the network takes it: `[1, C, H, W]`. */
  input(index: number): Promise<Tensor>;
  labelOf(index: number): Promise<number>;
  /** The stored image as a PNG file, to be looked at. */
  picture(index: number): Promise<Uint8Array>;
}

/** Opens images of the data that a network was trained with. */
export async function imagesOf(run: TrainedRun, options: RunImagesOptions): Promise<RunImages> {
  const { config } = run.folder;
  const { data, model, recipe } = config;
  const kind = namedDataset(data.name);
  const opened = await openAsTrained(
    config,
    {
      name: data.name,
      location: options.dataDir ?? data.location,
      isOther: false,
      split: await run.folder.readSplit(),
    },
    { imageLoading: undefined, onDownload: options.onDownload, onProgress: options.onProgress },
  );
  requireClasses(opened, data.classNames);
  const split: OpenedSplit = await opened.open(requireSplit(options.split, kind));
  const indices = someOf(split.dataset.length, options);
  const subset = new Subset(forEvaluation(split, recipe).dataset, indices);
  return {
    length: indices.length,
    loader: () => evalLoaderOf({ dataset: subset }, { network: run.network, inputShape: model.inputShape }, recipe),
    nameOf: (index) => split.nameOf(indices[index]),
    input: async (index) => {
      const { image, shape } = await subset.get(index);
      return Tensor.fromData(image, [1, ...shape]);
    },
    labelOf: async (index) => (await subset.get(index)).label,
    picture: async (index) => kind.picture(await split.dataset.get(indices[index]), data.images ?? preprocessing()),
  };
}

/** The images that are used, in their order. */
function someOf(length: number, { images, seed = 0 }: RunImagesOptions): Uint32Array {
  if (images === undefined || images >= length) return Uint32Array.from({ length }, (_, i) => i);
  return new RandomGenerator(seed).permutation(length).subarray(0, images).sort();
}
