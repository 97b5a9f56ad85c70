import { FileError } from '../../errors.js';
import type { TrainedRun } from '../../run/evaluate.js';
import { imagesOf, type RunImages } from '../../run/features/images.js';
import { RunFolder } from '../../run/folder.js';
import type { LiveFeatures } from '../featuresApi.js';
import { layerMaps } from '../layerMaps.js';
import { OpenRuns, pictureAddress } from '../openRuns.js';
import { Recent } from '../recent.js';
import { Refusal } from '../refusal.js';
import type { Workspace } from '../workspace.js';

/** Images among which a person chooses, as on the page of features. */
const images = { split: 'validation', images: 1000, seed: 0 } as const;
/** Least time between two looks, in times that the last one took: a training loses 1 % at most. */
const rest = 100;
const leastMs = 1000;
const kept = 8;

interface Seen {
  readonly run: TrainedRun;
  readonly features: Omit<LiveFeatures, 'nextMs'>;
}

const nothing: Omit<LiveFeatures, 'nextMs'> = { epoch: 0, image: null };

/** Features of chosen images in running trainings, from the newest saved state of each. */
export class LiveFeatureMaps {
  readonly #workspace: Workspace;
  readonly #runs: OpenRuns;
  readonly #images = new Recent<RunImages>(kept);
  readonly #seen = new Map<string, Seen>();
  #last: Promise<unknown> = Promise.resolve();
  #restUntil = 0;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.#runs = new OpenRuns(workspace);
  }

  /**
   * @param name of the run below the folder of the studio
   * @param isRunning whether the training must not be slowed down
   * @throws {FileError} for a run or data that cannot be read
   */
  of(name: string, index: number, isRunning: boolean): Promise<LiveFeatures> {
    const result = this.#last
      .catch(() => {})
      .then(async () => {
        const features = await this.#look(name, index, isRunning);
        return { ...features, nextMs: Math.ceil(Math.max(leastMs, this.#restUntil - performance.now())) };
      });
    this.#last = result;
    return result;
  }

  async #look(name: string, index: number, isRunning: boolean): Promise<Omit<LiveFeatures, 'nextMs'>> {
    if (!(await this.#hasState(name))) return nothing;
    const key = `${name}\0${index}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined && isRunning && performance.now() < this.#restUntil) return seen.features;
    const begun = performance.now();
    const run = await this.#runs.open(name).catch((error: unknown) => {
      // A training whose epochs are short may save its state again before the last one is read.
      if (isRunning && error instanceof FileError) return null;
      throw error;
    });
    if (run === null) return seen?.features ?? nothing;
    if (seen?.run === run) return seen.features;
    const own = await this.#images.get(`${name}\0${run.folder.config.started}`, () => imagesOf(run, images));
    const at = Math.min(index, own.length - 1);
    const features = {
      epoch: run.folder.history.length,
      image: {
        name: own.nameOf(at),
        class: run.folder.config.data.classNames[await own.labelOf(at)],
        picture: pictureAddress(await own.picture(at)),
        maps: await layerMaps(run.network, await own.input(at)),
      },
    };
    const now = performance.now();
    this.#restUntil = now + rest * (now - begun);
    this.#seen.delete(key);
    this.#seen.set(key, { run, features });
    for (const old of this.#seen.keys()) if (this.#seen.size > kept) this.#seen.delete(old);
    return features;
  }

  /** A training prepares before its folder exists, and has no state before its first save. */
  async #hasState(name: string): Promise<boolean> {
    try {
      return await (await RunFolder.begun(await this.#workspace.path(name))).hasState();
    } catch (error) {
      if (error instanceof Refusal && error.code === 'gone') return false;
      throw error;
    }
  }
}
