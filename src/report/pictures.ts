import { InputError } from '../errors.js';
import { formatPercent } from '../text/numbers.js';
import type { MistakePicture, Picture } from './data.js';
import { type Html, html } from './html.js';

/** The mistakes as pictures. */
export function mistakesSection(mistakes: readonly MistakePicture[]): Html {
  if (mistakes.length === 0) return html`<h2>Worst mistakes</h2><p>There are none.</p>`;
  return html`
<h2>Worst mistakes</h2>
<p class="hint">The wrong answers that the network was surest of. Look for wrong labels and bad pictures among them. A click enlarges
a picture.</p>
${mistakesGallery(mistakes)}`;
}

/** The pictures of mistakes alone, each with its classes. */
export function mistakesGallery(mistakes: readonly MistakePicture[]): Html {
  const cards = mistakes.map(({ image, truth, predicted, probability, caption }, i) => {
    return html`<figure id="mistake-${i + 1}">${enlargeable(image, `${truth} taken for ${predicted}`, `mistake-${i + 1}`)}
<figcaption><b>${truth}</b> taken for <b class="wrong">${predicted}</b><small>${formatPercent(probability, 1)} sure</small>
${caption === undefined ? null : html`<small>${caption}</small>`}</figcaption></figure>`;
  });
  return html`<div class="gallery">${cards}</div>`;
}

/** Some of the training pictures. */
export function picturesSection(pictures: readonly Picture[]): Html | null {
  if (pictures.length === 0) return null;
  return html`
<h2>Training pictures</h2>
<p class="hint">A few of those that the network learned from, chosen by chance. Look for wrong labels and for what gives a class away
without being its sign: a camera, a border, a writing.</p>
<div class="gallery">${pictures.map(
    (
      { image, label, caption },
      i,
    ) => html`<figure id="picture-${i + 1}">${enlargeable(image, label, `picture-${i + 1}`)}
<figcaption><b>${label}</b>${caption === undefined ? null : html`<small>${caption}</small>`}</figcaption></figure>`,
  )}</div>`;
}

/** A picture that one click enlarges and another click makes small again, without a script. */
export function enlargeable(image: Uint8Array, label: string, id: string): Html {
  return html`<a class="enlarge" href="#${id}">${pictureTag(image, label)}</a><a class="close" href="#${id}-small" id="${id}-small" aria-label="make the picture small again"></a>`;
}

function pictureTag(image: Uint8Array, label: string): Html {
  const { width, height } = pngSize(image);
  const small = Math.max(width, height) <= 64 ? html` class="small"` : null;
  const source = `data:image/png;base64,${Buffer.from(image.buffer, image.byteOffset, image.length).toString('base64')}`;
  return html`<img${small} src="${source}" width="${width}" height="${height}" alt="${label}">`;
}

/** Width and height from the header of a PNG file. */
function pngSize(image: Uint8Array): { width: number; height: number } {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < 24 || view.getUint32(0) !== 0x89504e47) {
    throw new InputError('[report] picture: expected a PNG file, got something else');
  }
  return { width: view.getUint32(16), height: view.getUint32(20) };
}
