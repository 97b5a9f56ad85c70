import { InternalError } from '../../errors.js';
import { answeredPictures } from '../../run/answeredPictures.js';
import { explainPictures } from '../../run/explain.js';
import type { ExplainMethod } from '../../run/explainMethods.js';
import type { PictureInput } from '../../run/predict.js';
import { encodePng } from '../../vision/images/png.js';
import { explain as maps } from '../../vision/index.js';
import type { ExplanationView } from '../api.js';
import type { NearPictures } from '../featuresApi.js';
import type { Neighbours } from '../neighbours.js';
import { type OpenRuns, pictureAddress } from '../openRuns.js';

/** Pictures seen by the networks of runs. One is computed at a time. */
export class Explanations {
  readonly #runs: OpenRuns;
  readonly #neighbours: Neighbours;
  #last: Promise<unknown> = Promise.resolve();

  constructor(runs: OpenRuns, neighbours: Neighbours) {
    this.#runs = runs;
    this.#neighbours = neighbours;
  }

  /**
   * @param run name below the folder of the studio
   * @throws {FileError} for a run or a picture that cannot be read
   */
  explain(
    run: string,
    picture: PictureInput,
    asked: { readonly method: ExplainMethod; readonly check: boolean; readonly class?: string | undefined },
  ): Promise<ExplanationView> {
    return this.#next(async () => {
      const found = await onlyOne(explainPictures(await this.#runs.open(run), [picture], asked));
      if ('error' in found) throw found.error;
      const { map, image, shape, method, layer, check } = found;
      const [, height, width] = shape;
      const overlay = maps.overlay(image, map, maps.scaleFor([map]));
      return {
        method,
        layer,
        class: found.class,
        overlay: pictureAddress(await encodePng(overlay, [3, height, width])),
        picture: pictureAddress(await encodePng(image, shape)),
        verdict: check?.verdict ?? null,
      };
    });
  }

  /**
   * The nearest training images of a picture.
   *
   * @throws {FileError} for a run, a picture or training images that cannot be read
   */
  near(name: string, picture: PictureInput): Promise<NearPictures> {
    return this.#next(async () => {
      const run = await this.#runs.open(name);
      const answered = await onlyOne(answeredPictures('features', run, [picture]));
      if ('error' in answered) throw answered.error;
      const last = await maps.lastFeatures(run.network, answered.image).data('float32');
      return this.#neighbours.of(run, last);
    });
  }

  #next<T>(compute: () => Promise<T>): Promise<T> {
    const result = this.#last.catch(() => {}).then(compute);
    this.#last = result;
    return result;
  }
}

/** The only result for a single picture. */
export async function onlyOne<T>(results: AsyncIterable<T>): Promise<T> {
  for await (const result of results) return result;
  throw new InternalError('no result for a picture');
}
