import { FileError } from '../../errors.js';
import { readBatch } from '../../io/data/dataset.js';
import { type NamedDataset, namedDataset, type OpenedSplit, type Split } from '../../run/catalog/datasets.js';
import type { RunConfig } from '../../run/config.js';
import { RunFolder } from '../../run/folder.js';
import { openAsTrained } from '../../run/splits.js';
import { preprocessing } from '../../vision/images/preprocess.js';
import { thumbnailPng } from '../../vision/images/thumbnail.js';
import { Recent } from '../recent.js';

/** A part of a run's data, with the place of each name. */
interface OpenedPart {
  readonly config: RunConfig;
  readonly kind: NamedDataset;
  readonly split: OpenedSplit;
  readonly places: ReadonlyMap<string, number>;
}

const kept = 4;
const splits: readonly string[] = ['train', 'validation', 'test', 'all'] satisfies Split[];

/** The pictures of runs, where their records say that the data are. */
export class RunPictures {
  readonly #recent = new Recent<OpenedPart>(kept);

  #open(run: string, part: string): Promise<OpenedPart> {
    return this.#recent.get(`${run}\0${part}`, async () => {
      if (!splits.includes(part)) throw new FileError(`[studio] ${part}: expected a part with pictures, got another`);
      const folder = await RunFolder.begun(run);
      const { config } = folder;
      const { name, location } = config.data;
      const place = { name, location, isOther: false, split: await folder.readSplit() };
      const opened = await openAsTrained(config, place, { imageLoading: undefined });
      const split = await opened.open(part as Split);
      const places = new Map(Array.from({ length: split.dataset.length }, (_, i) => [split.nameOf(i), i]));
      return { config, kind: namedDataset(name), split, places };
    });
  }

  /**
   * A picture as a PNG file.
   *
   * @param size longest edge of photographs
   * @throws {FileError} if it is no longer there, or cannot be decoded
   */
  async png(run: string, part: string, name: string, size: number): Promise<Uint8Array> {
    const path = await this.pathOf(run, part, name);
    if (path !== null) return thumbnailPng(path, size);
    const { config, kind, split, places } = await this.#open(run, part);
    const { images, shape, labels } = await readBatch(split.dataset, Uint32Array.of(placeOf(places, name)));
    const sample = { image: images, shape: shape.slice(1), label: labels[0] };
    return kind.picture(sample, config.data.images ?? preprocessing());
  }

  /** The file of a picture; null for data that are no single files. */
  async pathOf(run: string, part: string, name: string): Promise<string | null> {
    const { split, places } = await this.#open(run, part);
    const file = split.files[placeOf(places, name)];
    return file?.label === undefined ? null : file.path;
  }
}

function placeOf(places: ReadonlyMap<string, number>, name: string): number {
  const place = places.get(name);
  if (place !== undefined) return place;
  throw new FileError(
    `[studio] ${name}: expected it among the run's data, got no such picture; it was moved or renamed`,
  );
}
