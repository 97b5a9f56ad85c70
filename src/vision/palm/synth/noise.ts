import type { RandomGenerator } from '../../../random.js';

/** One number for each pixel, row by row. */
export interface Field {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export function field(width: number, height: number): Field {
  return { width, height, data: new Float32Array(width * height) };
}

/** The standard deviation of a cubic B-spline over numbers that are uniform from −1 to 1. */
const splineDeviation = 0.277;

/**
 * Smooth noise without a visible lattice: cubic B-splines over random numbers, in octaves of doubling
 * frequency.
 *
 * @param cells of the lattice across the picture's width, in the first octave
 * @param gain amplitude of each octave relative to the one before
 * @returns mean 0, variance about 1
 */
export function noise(
  { width, height }: { readonly width: number; readonly height: number },
  random: RandomGenerator,
  { cells, octaves = 1, gain = 0.5 }: { cells: number; octaves?: number; gain?: number },
): Field {
  const sum = field(width, height);
  let energy = 0;
  for (let octave = 0; octave < octaves; octave++) energy += gain ** (2 * octave);
  for (let octave = 0, count = cells; octave < octaves; octave++, count *= 2) {
    // Octaves beyond the resolution of the picture would be invisible.
    if (count > width) break;
    const own = random.fork(`octave ${octave}`);
    addSpline(sum, own, width / count, gain ** octave / (splineDeviation * Math.sqrt(energy)));
  }
  return sum;
}

/** The four weights of a uniform cubic B-spline at t from 0 to 1. */
function weights(t: number, to: Float32Array): void {
  const u = 1 - t;
  to[0] = (u * u * u) / 6;
  to[1] = (3 * t * t * t - 6 * t * t + 4) / 6;
  to[2] = (3 * u * u * u - 6 * u * u + 4) / 6;
  to[3] = (t * t * t) / 6;
}

function addSpline({ width, height, data }: Field, random: RandomGenerator, cell: number, amplitude: number): void {
  const columns = Math.ceil(width / cell) + 3;
  const rows = Math.ceil(height / cell) + 3;
  const lattice = random.fillUniform(new Float32Array(columns * rows), -amplitude, amplitude);
  const wide = new Float32Array(rows * width);
  const w = new Float32Array(4);
  for (let x = 0; x < width; x++) {
    const at = Math.floor(x / cell);
    weights(x / cell - at, w);
    for (let row = 0, i = at; row < rows; row++, i += columns) {
      wide[row * width + x] = w[0] * lattice[i] + w[1] * lattice[i + 1] + w[2] * lattice[i + 2] + w[3] * lattice[i + 3];
    }
  }
  for (let y = 0; y < height; y++) {
    const at = Math.floor(y / cell);
    weights(y / cell - at, w);
    const [w0, w1, w2, w3] = w;
    for (let x = 0, i = at * width, to = y * width; x < width; x++, i++, to++) {
      data[to] += w0 * wide[i] + w1 * wide[i + width] + w2 * wide[i + 2 * width] + w3 * wide[i + 3 * width];
    }
  }
}

/** Enlarges a field bilinearly, with matching pixel centres. */
export function enlarge(small: Field, width: number, height: number): Field {
  const large = field(width, height);
  const left = new Int32Array(width);
  const part = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const from = Math.min(Math.max(((x + 0.5) * small.width) / width - 0.5, 0), small.width - 1.001);
    left[x] = Math.floor(from);
    part[x] = from - left[x];
  }
  for (let y = 0; y < height; y++) {
    const from = Math.min(Math.max(((y + 0.5) * small.height) / height - 0.5, 0), small.height - 1.001);
    const top = Math.floor(from);
    const t = from - top;
    for (let x = 0; x < width; x++) {
      const i = top * small.width + left[x];
      const p = part[x];
      const upper = small.data[i] * (1 - p) + small.data[i + 1] * p;
      const lower = small.data[i + small.width] * (1 - p) + small.data[i + small.width + 1] * p;
      large.data[y * width + x] = upper * (1 - t) + lower * t;
    }
  }
  return large;
}

/** 0 below `low`, 1 above `high`, smooth in between. */
export function smoothstep(low: number, high: number, x: number): number {
  const t = Math.min(Math.max((x - low) / (high - low), 0), 1);
  return t * t * (3 - 2 * t);
}
