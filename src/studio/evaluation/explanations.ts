import { InternalError } from '../../errors.js';
import { answeredPictures } from '../../run/answeredPictures.js';
import type { TrainedRun } from '../../run/evaluate.js';
import { type Explanation, explainPictures } from '../../run/explain.js';
import type { ExplainMethod } from '../../run/explainMethods.js';
import {
  addExplanations,
  type DrawnExplanation,
  drawExplanations,
  explainedPictures,
  mostExplained,
  requireReport,
} from '../../run/explanationReport.js';
import type { PictureInput } from '../../run/predict.js';
import { encodePng } from '../../vision/images/png.js';
import { explain as maps } from '../../vision/index.js';
import type { ExplanationView } from '../api.js';
import type { NearPictures } from '../featuresApi.js';
import type { Neighbours } from '../neighbours.js';
import { type OpenRuns, pictureAddress } from '../openRuns.js';

/** How pictures are explained. */
interface Asked {
  readonly method: ExplainMethod;
  readonly check: boolean;
  readonly class?: string | undefined;
}

/** Explanations in the report of a run, by the name of the picture. All have one method. */
interface Reported {
  readonly run: TrainedRun;
  readonly method: ExplainMethod;
  readonly explanations: Map<string, Explanation>;
}

/** Pictures seen by the networks of runs. One is computed at a time. */
export class Explanations {
  readonly #runs: OpenRuns;
  readonly #neighbours: Neighbours;
  readonly #reported = new Map<string, Reported>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(runs: OpenRuns, neighbours: Neighbours) {
    this.#runs = runs;
    this.#neighbours = neighbours;
  }

  /**
   * @param run name below the folder of the studio
   * @throws {FileError} for a run or a picture that cannot be read
   */
  explain(run: string, picture: PictureInput, asked: Asked): Promise<ExplanationView> {
    return this.#next(async () => {
      const found = await explained(await this.#runs.open(run), picture, asked);
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
   * Puts the map of a picture into the report of a run, beside those that were put there before with the same
   * method.
   *
   * @returns the names of the pictures that the report has now
   * @throws {InputError} for a run without a report, and while a training writes to it
   * @throws {FileError} for a run, a picture or a report that cannot be read
   */
  report(name: string, picture: PictureInput, asked: Asked): Promise<string[]> {
    return this.#next(async () => {
      const run = await this.#runs.open(name);
      requireReport(run.folder);
      const found = await explained(run, picture, asked);
      const known = this.#reported.get(name);
      const isSame = known?.run.weightsSha256 === run.weightsSha256 && known.method === asked.method;
      const explanations = new Map(isSame ? known.explanations : []);
      // The newest are first: a report has some of many.
      explanations.delete(found.file);
      const all = [found, ...explanations.values()].slice(0, mostExplained);
      const drawn: DrawnExplanation[] = [];
      for await (const one of drawExplanations(all)) drawn.push(one);
      await addExplanations(run.folder, explainedPictures(drawn, run.weights));
      const reported = new Map(all.map((one) => [one.file, one]));
      this.#reported.set(name, { run, method: asked.method, explanations: reported });
      return [...reported.keys()];
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

async function explained(run: TrainedRun, picture: PictureInput, asked: Asked): Promise<Explanation> {
  const found = await onlyOne(explainPictures(run, [picture], asked));
  if ('error' in found) throw found.error;
  return found;
}

/** The only result for a single picture. */
export async function onlyOne<T>(results: AsyncIterable<T>): Promise<T> {
  for await (const result of results) return result;
  throw new InternalError('no result for a picture');
}
