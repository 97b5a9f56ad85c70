import type { TrainedRun } from '../run/evaluate.js';
import { type RunFeatures, runFeatures } from '../run/features/features.js';
import { explain } from '../vision/index.js';
import type { NearPictures } from './featuresApi.js';
import { pictureAddress } from './openRuns.js';

/** Training images among which neighbours are looked for: the first numbers of the command line. */
const searched = { split: 'train', images: 2000, seed: 0 } as const;
const count = 6;

/** Training images near to others. Their features are computed once for each run that is open. */
export class Neighbours {
  readonly #features = new WeakMap<TrainedRun, Promise<RunFeatures>>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * @param last last features of an image
   * @throws {FileError} if the training images are no longer there
   */
  async of(run: TrainedRun, last: Float32Array): Promise<NearPictures> {
    const { values, size, labels, names, picture } = await this.#featuresOf(run);
    const search = new explain.NearestFeatures(last, { size, count });
    search.add(values);
    const [near] = search.results();
    const { classNames } = run.folder.config.data;
    return {
      searched: names.length,
      neighbours: await Promise.all(
        near.map(async ({ index, distance }) => ({
          name: names[index],
          class: classNames[labels[index]],
          distance,
          picture: pictureAddress(await picture(index)),
        })),
      ),
    };
  }

  #featuresOf(run: TrainedRun): Promise<RunFeatures> {
    const known = this.#features.get(run);
    if (known !== undefined) return known;
    const found = runFeatures(run, { ...searched, signal: this.#signal });
    this.#features.set(run, found);
    found.catch(() => this.#features.delete(run));
    return found;
  }
}
