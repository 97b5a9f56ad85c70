/**
 * Letters as strokes, for captions in pictures. A machine without fonts, such as many containers, shows no
 * SVG text at all, and other machines show it in different fonts. Units: capitals are 14 high, the baseline
 * is at 14, small letters begin at 4 and descend to 18.
 */
const glyphs: Readonly<Record<string, readonly [width: number, path: string]>> = {
  ' ': [2, ''],
  '!': [0, 'M0 0V9M0 13.9V14'],
  '"': [4, 'M0 0V4M4 0V4'],
  '#': [10, 'M3.5 1 2 13M8 1 6.5 13M.5 5H10M0 9.5H9.5'],
  $: [
    9,
    'M8.6 3C7.8 1.7 6.4 1 4.5 1 2 1 .4 2.3 .4 4 .4 8.5 9 5.8 9 10 9 12 7.2 13 4.6 13 2.3 13 .8 12.2 0 10.8M4.5-1V15',
  ],
  '%': [12, 'M10.5 0 1.5 14M2.7 0a2.7 3 0 1 0 .01 0M9.3 8a2.7 3 0 1 0 .01 0'],
  '&': [11, 'M11 14 2.6 4.6A2.9 2.9 0 1 1 6.6 4.6L2 7.8A3.7 3.7 0 0 0 4 14C7 14 9.5 12 10.5 8'],
  "'": [0, 'M0 0V4'],
  '(': [3, 'M3-1Q-3 7.5 3 16'],
  ')': [3, 'M0-1Q6 7.5 0 16'],
  '*': [6, 'M3 0V7M0 1.7 6 5.3M6 1.7 0 5.3'],
  '+': [8, 'M4 4V12M0 8H8'],
  ',': [1, 'M1 13.5Q1 15.5 0 17'],
  '-': [5, 'M0 9H5'],
  '.': [0, 'M0 13.9V14'],
  '/': [6, 'M6-1 0 16'],
  0: [9, 'M4.5 0C1.5 0 0 2.5 0 7S1.5 14 4.5 14 9 11.5 9 7 7.5 0 4.5 0Z'],
  1: [9, 'M1 3 4.8 0V14M1 14H8.6'],
  2: [9, 'M.4 4A4.1 4 0 1 1 7.6 6.3L0 14H9'],
  3: [9, 'M.6 2A4 3.4 0 1 1 4.2 6.6H3.2M4.2 6.6A4.2 3.7 0 1 1 .2 11.8'],
  4: [9, 'M6.8 14V0L0 10H9'],
  5: [9, 'M8.2 0H1.3L.8 6.4A4.4 4.4 0 1 1 .2 12'],
  6: [9, 'M7.5 0C2.5 1 0 4.5 0 9.5a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0'],
  7: [9, 'M0 0H9L3.2 14'],
  8: [9, 'M4.5 6.5a3.7 3.25 0 1 1 .01 0a4.4 3.75 0 1 1-.01 0'],
  9: [9, 'M1.5 14C6.5 13 9 9.5 9 4.5a4.5 4.5 0 1 0-9 0a4.5 4.5 0 1 0 9 0'],
  ':': [0, 'M0 5.9V6M0 13.9V14'],
  ';': [1, 'M1 5.9V6M1 13.5Q1 15.5 0 17'],
  '<': [8, 'M8 4 0 8.5 8 13'],
  '=': [8, 'M0 6.5H8M0 10.5H8'],
  '>': [8, 'M0 4 8 8.5 0 13'],
  '?': [8, 'M0 3.7A4 3.7 0 1 1 5.8 6.9C4.4 7.8 4 8.6 4 10M4 13.9V14'],
  '@': [14, 'M10 4.5V9.5Q10 11 11.5 11 14 11 14 7A7 7 0 1 0 10.5 13.5M10 7.5a3.2 3.5 0 1 0-6.4 0a3.2 3.5 0 1 0 6.4 0'],
  A: [10, 'M0 14 5 0 10 14M1.7 9.2H8.3'],
  B: [9, 'M0 6.6H5A3.3 3.3 0 0 0 5 0H0V14H5.2A3.7 3.7 0 0 0 5.2 6.6'],
  C: [10, 'M10 3A5.8 7 0 1 0 10 11'],
  D: [10, 'M0 0V14H3.5Q10 14 10 7T3.5 0Z'],
  E: [8, 'M8 0H0V14H8M0 6.8H7'],
  F: [8, 'M8 0H0V14M0 6.8H7'],
  G: [10.5, 'M9.8 2.7A5.8 7 0 1 0 10.5 8H6.5'],
  H: [10, 'M0 0V14M10 0V14M0 6.8H10'],
  I: [0, 'M0 0V14'],
  J: [6, 'M6 0V10.5A3 3.5 0 0 1 0 10.5'],
  K: [9, 'M0 0V14M8.6 0 0 8.6M3.2 5.6 9 14'],
  L: [8, 'M0 0V14H8'],
  M: [12, 'M0 14V0L6 10 12 0V14'],
  N: [10, 'M0 14V0L10 14V0'],
  O: [12, 'M0 7a6 7 0 1 0 12 0a6 7 0 1 0-12 0'],
  P: [9, 'M0 14V0H5A3.8 3.8 0 0 1 5 7.6H0'],
  Q: [12, 'M0 7a6 7 0 1 0 12 0a6 7 0 1 0-12 0M7.5 10.5 12 15'],
  R: [9, 'M0 14V0H5A3.7 3.7 0 0 1 5 7.4H0M5 7.4 9 14'],
  S: [9, 'M8.6 2.6C7.8.8 6.4 0 4.5 0 2 0 .4 1.5 .4 3.5 .4 8.5 9 5.5 9 10.3 9 12.6 7.2 14 4.6 14 2.3 14 .8 13 0 11.2'],
  T: [10, 'M0 0H10M5 0V14'],
  U: [10, 'M0 0V9A5 5 0 0 0 10 9V0'],
  V: [10, 'M0 0 5 14 10 0'],
  W: [14, 'M0 0 3.5 14 7 2 10.5 14 14 0'],
  X: [9, 'M0 0 9 14M9 0 0 14'],
  Y: [10, 'M0 0 5 7 10 0M5 7V14'],
  Z: [9, 'M0 0H9L0 14H9'],
  '[': [3, 'M3-1H0V16H3'],
  '\\': [6, 'M0-1 6 16'],
  ']': [3, 'M0-1H3V16H0'],
  '^': [8, 'M0 6 4 0 8 6'],
  _: [7, 'M0 16H7'],
  '`': [2, 'M0 0 2 2.5'],
  a: [8, 'M8 4V14M8 9a4 5 0 1 0-8 0a4 5 0 1 0 8 0'],
  b: [8, 'M0 0V14M0 9a4 5 0 1 0 8 0a4 5 0 1 0-8 0'],
  c: [7.5, 'M7.4 6A4.2 5 0 1 0 7.4 12'],
  d: [8, 'M8 0V14M8 9a4 5 0 1 0-8 0a4 5 0 1 0 8 0'],
  e: [8.4, 'M0 9H8.4A4.2 5 0 1 0 7.4 12.3'],
  f: [5, 'M5 .1Q2-.4 2 3.5V14M0 5H4.6'],
  g: [8, 'M8 4V14.5Q8 18 4.2 18 1.8 18 .6 16.8M8 9a4 5 0 1 0-8 0a4 5 0 1 0 8 0'],
  h: [7.6, 'M0 0V14M0 8.2A3.8 4.2 0 0 1 7.6 8.2V14'],
  i: [0, 'M0 4.4V14M0 .4V.5'],
  j: [2.5, 'M2.5 4.4V15.5Q2.5 18 0 18M2.5.4V.5'],
  k: [7, 'M0 0V14M6.6 4.4 0 10.6M2.6 8.2 7 14'],
  l: [1.6, 'M0 0V12.2Q0 14 1.6 14'],
  m: [12, 'M0 4V14M0 8A3 4 0 0 1 6 8V14M6 8A3 4 0 0 1 12 8V14'],
  n: [7.6, 'M0 4V14M0 8.2A3.8 4.2 0 0 1 7.6 8.2V14'],
  o: [8.6, 'M0 9a4.3 5 0 1 0 8.6 0a4.3 5 0 1 0-8.6 0'],
  p: [8, 'M0 4V18M0 9a4 5 0 1 0 8 0a4 5 0 1 0-8 0'],
  q: [8, 'M8 4V18M8 9a4 5 0 1 0-8 0a4 5 0 1 0 8 0'],
  r: [5, 'M0 4V14M0 8.5Q.5 4.2 5 4.2'],
  s: [7, 'M6.6 5.8C6 4.6 5 4 3.5 4 1.6 4 .4 5 .4 6.5 .4 10 7 7.8 7 11.3 7 13 5.6 14 3.6 14 1.8 14 .6 13.3 0 12'],
  t: [5, 'M2 1V11.5Q2 14 5 13.8M0 4.6H4.8'],
  u: [7.6, 'M0 4.4V9.8A3.8 4.2 0 0 0 7.6 9.8M7.6 4.4V14'],
  v: [8, 'M0 4.4 4 14 8 4.4'],
  w: [12, 'M0 4.4 3 14 6 5.5 9 14 12 4.4'],
  x: [7.6, 'M0 4.4 7.6 14M7.6 4.4 0 14'],
  y: [8, 'M0 4.4 4 14M8 4.4 3.2 16.3Q2.4 18 .6 18'],
  z: [7.4, 'M0 4.6H7.4L0 14H7.4'],
  '{': [4, 'M4-1Q1.8-1 1.8 1.2V5.5Q1.8 7.5 0 7.5 1.8 7.5 1.8 9.5V13.8Q1.8 16 4 16'],
  '|': [0, 'M0-1V16'],
  '}': [4, 'M0-1Q2.2-1 2.2 1.2V5.5Q2.2 7.5 4 7.5 2.2 7.5 2.2 9.5V13.8Q2.2 16 0 16'],
  '~': [8, 'M0 9Q2 6.5 4 8T8 7.3'],
  '…': [8, 'M0 13.9V14M4 13.9V14M8 13.9V14'],
  '–': [8, 'M0 9H8'],
  '×': [7, 'M0 5.5 7 12.5M7 5.5 0 12.5'],
  '·': [0, 'M0 7.9V8'],
};

/** An empty box for any other character, as is usual. */
const unknown = [8, 'M0 0H8V14H0Z'] as const;
const gap = 3.4;
const capHeight = 14;

export interface Lettering {
  /** Left end of the text, and its baseline. */
  readonly x: number;
  readonly y: number;
  /** Height of capitals. */
  readonly size: number;
  readonly colour: string;
  readonly bold?: boolean;
}

/** Whether all characters of a text are among the built-in ones. */
export function canLetter(text: string): boolean {
  return Array.from(text).every((character) => Object.hasOwn(glyphs, character));
}

/** The length of a text, in the units of `size`. */
export function letteringWidth(text: string, size: number): number {
  const widths = Array.from(text, (character) => glyphOf(character)[0] + gap);
  return (size / capHeight) * Math.max(0, widths.reduce((sum, width) => sum + width, 0) - gap);
}

/** A text as an element of SVG that needs no font. */
export function lettering(text: string, { x, y, size, colour, bold = false }: Lettering): string {
  const scale = size / capHeight;
  let at = 0;
  const letters = Array.from(text, (character) => {
    const [width, path] = glyphOf(character);
    const letter = path === '' ? '' : `<path transform="translate(${at.toFixed(1)})" d="${path}"/>`;
    at += width + gap;
    return letter;
  });
  return (
    `<g transform="translate(${x.toFixed(2)} ${(y - size).toFixed(2)}) scale(${scale.toFixed(4)})" fill="none" ` +
    `stroke="${colour}" stroke-width="${bold ? 2.5 : 1.6}" stroke-linecap="round" stroke-linejoin="round">` +
    `${letters.join('')}</g>`
  );
}

function glyphOf(character: string): readonly [width: number, path: string] {
  return Object.hasOwn(glyphs, character) ? glyphs[character] : unknown;
}
