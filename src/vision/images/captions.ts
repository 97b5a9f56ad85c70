import { canLetter, lettering, letteringWidth } from './lettering.js';
import { loadSharp } from './sharp.js';

export interface Writing {
  readonly x: number;
  readonly y: number;
  /** The x around which the text is centred, instead of beginning at `x`. */
  readonly centre?: number;
  readonly size: number;
  readonly colour: string;
  readonly bold?: boolean;
  /** Pixels that the text may take. */
  readonly room: number;
  readonly hasFonts: boolean;
}

/** A text as SVG: in letters of our own, or in the machine's fonts for characters that we do not have. */
export function writing(text: string, { room, centre, hasFonts, ...style }: Writing): string {
  const { x, y, size, colour, bold = false } = style;
  const plain = text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd');
  if (canLetter(plain) || !hasFonts) {
    const short = shortened(plain, (part) => letteringWidth(part, size) <= room);
    const start = centre === undefined ? x : centre - letteringWidth(short, size) / 2;
    return lettering(short, { ...style, x: start });
  }
  const fontSize = 1.4 * size;
  const estimate = (part: string) =>
    Array.from(part).reduce((sum, character) => sum + (character > '\u1100' ? 1 : 0.65) * fontSize, 0);
  const short = shortened(plain, (part) => estimate(part) <= room);
  const escaped = short.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return (
    `<text x="${centre ?? x}" y="${y}" ${centre === undefined ? '' : 'text-anchor="middle" '}fill="${colour}" ` +
    `font-family="sans-serif" font-size="${fontSize}"${bold ? ' font-weight="bold"' : ''}>${escaped}</text>`
  );
}

/** The longest text that fits, cut in the middle, since both ends of a file name are informative. */
function shortened(text: string, fits: (text: string) => boolean): string {
  if (fits(text)) return text;
  const characters = Array.from(text);
  for (let kept = characters.length - 1; kept > 0; kept--) {
    const head = Math.ceil(kept / 2);
    const tail = characters.slice(characters.length - (kept - head));
    const short = `${characters.slice(0, head).join('')}…${tail.join('')}`;
    if (fits(short)) return short;
  }
  return '…';
}

let fonts: Promise<boolean> | undefined;

/** Without fonts, renderers leave out SVG text or show equal boxes. */
export function machineHasFonts(): Promise<boolean> {
  const brightness = async (text: string) => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="#fff"/>' +
      `<text x="5" y="32" font-family="sans-serif" font-size="30">${text}</text></svg>`;
    const sharp = await loadSharp();
    return (await sharp(Buffer.from(svg)).stats()).channels[0].mean;
  };
  fonts ??= Promise.all(['M', 'i'].map(brightness)).then(([wide, narrow]) => wide !== narrow);
  return fonts;
}
