import { basename } from 'node:path';
import { FileError, InputError } from '../errors.js';
import { addSection } from '../report/addSection.js';
import { type ExplainedPictures, explanationsSection } from '../report/explanationsSection.js';
import { option } from '../text/option.js';
import { encodePng } from '../vision/images/png.js';
import { explain } from '../vision/index.js';
import type { Explanation } from './explain.js';
import type { RunFolder } from './folder.js';

/** Most pictures whose maps are in a report: each has three. */
export const mostExplained = 32;

/**
 * Checks before the work that a run has a report to which maps can be added.
 *
 * @throws {InputError} if it has none
 */
export function requireReport(folder: RunFolder): void {
  if (folder.hasReport) return;
  throw new InputError(
    `[explain] ${folder.path}: expected a run with a report, got none; finish the training, or leave out ${option('report')}`,
  );
}

/**
 * Puts maps into the `report.html` of a run, in place of earlier ones.
 *
 * @throws {InputError} if a training writes to the folder
 * @throws {FileError} for a report that was changed
 */
export async function addExplanations(folder: RunFolder, explained: ExplainedPictures): Promise<void> {
  await folder.locked(async () => {
    const page = addSection(await folder.readReport(), 'explanations', 'Explanations', explanationsSection(explained));
    if (page === null) {
      throw new FileError(
        `[explain] ${folder.path}: expected the report that the training wrote, got another page; leave out ${option('report')}`,
      );
    }
    await folder.writeReport(page);
  });
}

/** A map with PNG files of the picture alone, the map alone, and both over one another. */
export interface DrawnExplanation {
  readonly explanation: Explanation;
  readonly images: Readonly<Record<'picture' | 'map' | 'overlay', Uint8Array>>;
}

/** Maps as pictures, on one scale of colours, so that they can be compared. */
export async function* drawExplanations(explanations: readonly Explanation[]): AsyncGenerator<DrawnExplanation> {
  const scale = explain.scaleFor(explanations.map(({ map }) => map));
  for (const explanation of explanations) {
    const { map, image, shape } = explanation;
    const [, height, width] = shape;
    const images = {
      picture: await encodePng(image, shape),
      map: await encodePng(explain.colorMap(map, scale), [3, height, width]),
      overlay: await encodePng(explain.overlay(image, map, scale), [3, height, width]),
    };
    yield { explanation, images };
  }
}

/** Maps as the report of a run shows them. */
export function explainedPictures(drawn: readonly DrawnExplanation[], weights: 'last' | 'best'): ExplainedPictures {
  return {
    description: `${explanationMethod(drawn)}, with the ${weights} weights`,
    signed: explain.scaleFor(drawn.map(({ explanation: { map } }) => map)).signed,
    total: drawn.length,
    pictures: drawn.slice(0, mostExplained).map(({ explanation: one, images }) => ({
      ...images,
      caption: basename(one.file),
      explained: explainedClass(one),
      probability: one.probability,
      predicted: one.predicted,
      verdict: one.check?.verdict ?? null,
    })),
  };
}

/** Method and layer in words. All maps have those of the first. */
export function explanationMethod([{ explanation }]: readonly DrawnExplanation[]): string {
  const { method, layer } = explanation;
  return layer === null ? method : `${method} of the layer ${layer}`;
}

/** The explained class, and the one against it, in words. */
export const explainedClass = ({ class: wanted, against }: Explanation): string =>
  against === null ? wanted : `${wanted} against ${against}`;
