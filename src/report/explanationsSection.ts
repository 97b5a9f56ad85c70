import { formatCount, formatPercent } from '../text/numbers.js';
import { type Html, html } from './html.js';
import { enlargeable } from './pictures.js';

/** Maps of the places that speak for a class, on one scale of colours. */
export interface ExplainedPictures {
  /** `gradcam of the layer conv2, with the weights of the last epoch`. */
  readonly description: string;
  /** Whether colours go from against the class to for it, else from nothing to for it. */
  readonly signed: boolean;
  /** Pictures that were explained; the report has the first of them. */
  readonly total: number;
  readonly pictures: readonly ExplainedPicture[];
}

export interface ExplainedPicture {
  /** PNG files: the picture, its map, and both over one another. */
  readonly picture: Uint8Array;
  readonly map: Uint8Array;
  readonly overlay: Uint8Array;
  /** Name of the picture. */
  readonly caption: string;
  /** `cat`, or `cat against dog`. */
  readonly explained: string;
  /** Probability of the explained class. */
  readonly probability: number;
  readonly predicted: string;
  /** Result of the test of the map; null without one. */
  readonly verdict: string | null;
}

/** The explanations as pictures: each alone, its map, and both over one another. */
export function explanationsSection({ description, signed, total, pictures }: ExplainedPictures): Html {
  const colours = signed
    ? 'Red speaks for the class, blue against it, white for nothing.'
    : 'Yellow speaks most for the class, dark blue for nothing.';
  const figure = (image: Uint8Array, label: string, id: string, caption: Html) =>
    html`<figure id="${id}">${enlargeable(image, label, id)}<figcaption>${caption}</figcaption></figure>`;
  const rows = pictures.map(({ picture, map, overlay, caption, explained, probability, predicted, verdict }, i) => [
    figure(picture, caption, `explained-${i + 1}`, html`<b>${predicted}</b><small>${caption}</small>`),
    figure(map, `map of ${caption}`, `map-${i + 1}`, html`<b>map</b><small>for ${explained}</small>`),
    figure(
      overlay,
      `places in ${caption} that speak for ${explained}`,
      `overlay-${i + 1}`,
      html`<b>${explained}</b> ${formatPercent(probability, 1)}${verdict === null ? null : html`<small>${verdict}</small>`}`,
    ),
  ]);
  const some = pictures.length < total ? ` The first ${formatCount(pictures.length)} of ${formatCount(total)}.` : '';
  const tested = pictures.some(({ verdict }) => verdict !== null);
  const caution = tested ? '' : ' A map shows a place, not a reason, and may mislead: a check of the map tests it.';
  return html`<h2>Explanations</h2>
<p class="hint">Where the network looked: ${description}. ${colours} All maps have one scale of colours.${some}${caution}</p>
<div class="gallery" style="grid-template-columns:repeat(3,minmax(0,15rem))">${rows.flat()}</div>`;
}
