import { InputError } from '../../errors.js';
import { machineHasFonts, writing } from './captions.js';
import { loadSharp } from './sharp.js';

/** Points of some classes. */
export interface Scatter {
  /** x and y of each point, one after the other. */
  readonly points: ArrayLike<number>;
  /** Class of each point. */
  readonly labels: ArrayLike<number>;
  readonly classNames: readonly string[];
  readonly title: string;
}

/** Colours that most readers with a colour vision deficiency distinguish (Okabe and Ito 2008), and others. */
const colours = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#8a7a00',
  '#000000',
  '#7f7f7f',
  '#6a3d9a',
];
/** The classes that the legend has room for. */
const mostNamed = 20;
const side = 720;
const legendWidth = 220;
const margin = 24;
const head = 56;

/** The colour of a class in a plot. */
function classColour(index: number, classes: number): string {
  if (classes <= colours.length) return colours[index];
  return `hsl(${Math.round((360 * index) / classes)}, 70%, ${index % 2 === 0 ? 42 : 58}%)`;
}

/**
 * Points of a map in the colours of their classes, with a legend.
 *
 * @returns a PNG file
 * @throws {InputError} unless each point has a class
 */
export async function scatterPng({ points, labels, classNames, title }: Scatter): Promise<Uint8Array> {
  if (points.length !== 2 * labels.length) {
    throw new InputError(
      `[pictures] points: expected ${2 * labels.length} numbers for ${labels.length} classes, got ${points.length}`,
    );
  }
  const hasFonts = await machineHasFonts();
  const place = placing(points);
  const radius = Math.max(2, Math.min(5, 120 / Math.sqrt(labels.length || 1)));
  const drawn: string[] = [];
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = place(points[2 * i], points[2 * i + 1]);
    const colour = classColour(labels[i], classNames.length);
    drawn.push(
      `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}" fill="${colour}" fill-opacity=".7"/>`,
    );
  }
  const named = classNames.slice(0, mostNamed);
  const left = side + margin;
  for (const [c, name] of named.entries()) {
    const y = head + 14 + 28 * c;
    drawn.push(`<circle cx="${left}" cy="${y}" r="7" fill="${classColour(c, classNames.length)}"/>`);
    drawn.push(
      writing(name, { x: left + 16, y: y + 6, size: 12, colour: '#1b1f24', room: legendWidth - 50, hasFonts }),
    );
  }
  if (classNames.length > mostNamed) {
    const text = `and ${classNames.length - mostNamed} more`;
    const y = head + 20 + 28 * mostNamed;
    drawn.push(writing(text, { x: left + 16, y, size: 12, colour: '#5b6470', room: legendWidth - 50, hasFonts }));
  }
  const [width, height] = [side + legendWidth, head + side];
  drawn.push(
    writing(title, { x: margin, y: 36, size: 16, colour: '#1b1f24', bold: true, room: width - 2 * margin, hasFonts }),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${drawn.join('')}</svg>`;
  const sharp = await loadSharp();
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite([{ input: Buffer.from(svg), left: 0, top: 0 }])
    .removeAlpha()
    .png()
    .toBuffer();
}

/** Places points in the square below the title: one scale for both axes, y upwards. */
function placing(points: ArrayLike<number>): (x: number, y: number) => [number, number] {
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < points.length; i++) {
    low[i % 2] = Math.min(low[i % 2], points[i]);
    high[i % 2] = Math.max(high[i % 2], points[i]);
  }
  const range = Math.max(high[0] - low[0], high[1] - low[1]) || 1;
  const scale = (side - 2 * margin) / range;
  const middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
  return (x, y) => [side / 2 + scale * (x - middle[0]), head + side / 2 - scale * (y - middle[1])];
}
