import { FileError } from '../../errors.js';

/** A digit in MNIST's form: 28×28, grey, white ink on black. */
export interface Digit {
  /** `[1, 28, 28]`, from 0 (paper) to 1 (ink). */
  readonly image: Float32Array;
  /** The changes that were made to the picture, for people. */
  readonly note: string;
}

/** Grey values 0 to 255, row by row. */
export interface Grey {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

const side = 28;
/** MNIST's digits fit in a box of this size. */
const box = 20;
interface Size {
  readonly width: number;
  readonly height: number;
}

/** Resizes bytes with linear interpolation, averaging where it makes them smaller. */
export type ScaleInk = (ink: Uint8Array, from: Size, to: Size) => Uint8Array | Promise<Uint8Array>;

/** The smallest contrast between paper and ink, on a scale of 255. Less is noise. */
const minContrast = 24;

/**
 * Makes a picture similar to MNIST's digits; see `readDigit`.
 *
 * @param name for messages
 * @throws {FileError} if nothing stands out from the background
 */
export async function digitOf(grey: Grey, scaleTo: ScaleInk, name: string): Promise<Digit> {
  const light = borderMean(grey) > 127;
  if (!light && grey.width === side && grey.height === side) {
    return { image: grey.data.map((value) => value / 255), note: 'taken as it is' };
  }
  const white = light ? { ...grey, data: grey.data.map((value) => 255 - value) } : grey;
  const ink = separateInk(white);
  if (ink === null) {
    throw new FileError(
      `[digit] ${name}: expected a digit that stands out from its background, got a picture of one brightness`,
    );
  }
  return {
    image: await center(ink, scaleTo),
    note: light ? 'light background: inverted, cut, centered' : 'cut, centered',
  };
}

/**
 * Converts red, green, blue and alpha to grey on a paper that contrasts with the ink: black under light ink,
 * else white.
 */
export function onPaper(pixels: Uint8Array | Uint8ClampedArray): Float32Array {
  const count = pixels.length / 4;
  const grey = new Float32Array(count);
  let weight = 0;
  let light = 0;
  for (let i = 0; i < count; i++) {
    const alpha = pixels[4 * i + 3];
    // The luma of ITU-R BT.601.
    grey[i] = 0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2];
    weight += alpha;
    light += grey[i] * alpha;
  }
  if (weight === 255 * count) return grey;
  const paper = light > 127 * weight ? 0 : 255;
  return grey.map((value, i) => paper + ((value - paper) * pixels[4 * i + 3]) / 255);
}

function borderMean({ data, width, height }: Grey): number {
  let sum = 0;
  let count = 0;
  for (let y = 0; y < height; y++) {
    const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1);
    for (let x = 0; x < width; x += step) {
      sum += data[y * width + x];
      count++;
    }
  }
  return sum / count;
}

/** The part of the picture with ink: paper 0, ink 255, strokes with soft edges. Null if there is none. */
function separateInk({ data, width, height }: Grey): Grey | null {
  const { threshold, dark, bright } = otsu(data);
  const contrast = bright - dark;
  if (contrast < minContrast) return null;
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] <= threshold) continue;
      top = Math.min(top, y);
      bottom = y;
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
  }
  const [w, h] = [right - left + 1, bottom - top + 1];
  // This makes the grain of the paper 0 and the inside of strokes 255.
  const low = dark + 0.25 * contrast;
  const scale = 255 / (0.6 * contrast);
  const ink = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const value = (data[(top + y) * width + left + x] - low) * scale;
      ink[y * w + x] = Math.min(255, Math.max(0, value));
    }
  }
  return { data: ink, width: w, height: h };
}

/**
 * The threshold that splits grey values into two groups with the largest variance between them (Otsu, 1979),
 * and the means of both.
 */
function otsu(data: Float32Array): { threshold: number; dark: number; bright: number } {
  const counts = new Float64Array(256);
  for (const value of data) counts[Math.round(value)]++;
  let total = 0;
  for (let v = 0; v < 256; v++) total += v * counts[v];
  let best = { threshold: 0, dark: 0, bright: 0 };
  let bestVariance = -1;
  let below = 0;
  let sum = 0;
  for (let v = 0; v < 255; v++) {
    below += counts[v];
    sum += v * counts[v];
    const above = data.length - below;
    if (below === 0 || above === 0) continue;
    const dark = sum / below;
    const bright = (total - sum) / above;
    const variance = below * above * (bright - dark) ** 2;
    if (variance > bestVariance) {
      bestVariance = variance;
      best = { threshold: v + 0.5, dark, bright };
    }
  }
  return best;
}

/** Scales ink into the box and moves its center of mass to the middle. */
async function center(ink: Grey, scaleTo: ScaleInk): Promise<Float32Array> {
  const scale = box / Math.max(ink.width, ink.height);
  const width = Math.max(1, Math.round(ink.width * scale));
  const height = Math.max(1, Math.round(ink.height * scale));
  const data = await scaleTo(Uint8Array.from(ink.data, Math.round), ink, { width, height });
  let mass = 0;
  let xMass = 0;
  let yMass = 0;
  let peak = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = data[y * width + x];
      mass += value;
      xMass += value * x;
      yMass += value * y;
      peak = Math.max(peak, value);
    }
  }
  const place = (center: number, size: number) =>
    Math.min(side - size, Math.max(0, Math.round(side / 2 - (center + 0.5))));
  const left = place(xMass / mass, width);
  const top = place(yMass / mass, height);
  const image = new Float32Array(side * side);
  for (let y = 0; y < height; y++) {
    // Thin strokes fade when they are scaled down; MNIST's are always white.
    for (let x = 0; x < width; x++) image[(top + y) * side + left + x] = data[y * width + x] / peak;
  }
  return image;
}
