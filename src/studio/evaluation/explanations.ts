import { InputError } from '../../errors.js';
import { openRun, type TrainedRun } from '../../run/evaluate.js';
import { explainPictures } from '../../run/explain.js';
import type { ExplainMethod } from '../../run/explainMethods.js';
import type { PictureInput } from '../../run/predict.js';
import { encodePng } from '../../vision/images/png.js';
import { explain as maps } from '../../vision/index.js';
import type { ExplanationView } from '../api.js';
import { Recent } from '../recent.js';

const kept = 2;

/** Explanations by the networks of runs, of which the newest stay in memory. One is computed at a time. */
export class Explanations {
  readonly #runs = new Recent<TrainedRun>(kept);
  #last: Promise<unknown> = Promise.resolve();

  /** @throws {FileError} for a run or a picture that cannot be read */
  explain(
    run: string,
    picture: PictureInput,
    asked: { readonly method: ExplainMethod; readonly check: boolean; readonly class?: string | undefined },
  ): Promise<ExplanationView> {
    const result = this.#last.catch(() => {}).then(() => this.#compute(run, picture, asked));
    this.#last = result;
    return result;
  }

  async #compute(
    run: string,
    picture: PictureInput,
    asked: Parameters<Explanations['explain']>[2],
  ): Promise<ExplanationView> {
    const trained = await this.#runs.get(run, () => openRun(run));
    for await (const found of explainPictures(trained, [picture], asked)) {
      if ('error' in found) throw found.error;
      const { map, image, shape, method, layer, check } = found;
      const [, height, width] = shape;
      const overlay = maps.overlay(image, map, maps.scaleFor([map]));
      return {
        method,
        layer,
        class: found.class,
        overlay: inPage(await encodePng(overlay, [3, height, width])),
        picture: inPage(await encodePng(image, shape)),
        verdict: check?.verdict ?? null,
      };
    }
    throw new InputError('[studio] picture: expected one, got none');
  }
}

const inPage = (png: Uint8Array) => `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
