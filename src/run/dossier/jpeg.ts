import { InputError } from '../../errors.js';
import type { Raster } from '../../vision/transforms/raster.js';

/** Quantization tables of ITU-T T.81, annex K, row by row. */
const luminance = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const chrominance = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
];

/** The orthonormal cosine transform of eight values, as a matrix: `[8 * frequency + place]`. */
const cosines = Float64Array.from({ length: 64 }, (_, i) => {
  const [frequency, place] = [i >> 3, i & 7];
  return Math.cos(((2 * place + 1) * frequency * Math.PI) / 16) * Math.sqrt((frequency === 0 ? 1 : 2) / 8);
});

interface Plane {
  readonly values: Float64Array;
  readonly height: number;
  readonly width: number;
}

/**
 * The image as a JPEG file of this quality gives it back: the part of the method that loses something, in one
 * go and without a file. Tables and scale of quality are libjpeg's; colours have half the resolution.
 *
 * @param image bytes, with one channel or with red, green and blue
 * @param quality 1 to 100
 */
export function jpegLoss(image: Raster, quality: number): Raster {
  const { data, height, width, channels, layout } = image;
  if (!(data instanceof Uint8Array) || layout !== 'HWC' || (channels !== 1 && channels !== 3)) {
    throw new InputError(`[jpegLoss] image: expected bytes with 1 or 3 channels last, got ${channels} in ${layout}`);
  }
  const tables = [luminance, chrominance].map((table) => scaled(table, quality));
  const made = new Uint8Array(data.length);
  const channel = (weights: readonly number[], offset: number): Plane => {
    const values = Float64Array.from({ length: height * width }, (_, i) =>
      weights.reduce((sum, weight, c) => sum + weight * data[channels * i + c], offset),
    );
    return { values: values.map(Math.round), height, width };
  };
  if (channels === 1) {
    made.set(quantized(channel([1], 0), tables[0]).values);
    return { ...image, data: made };
  }
  const y = quantized(channel([0.299, 0.587, 0.114], 0), tables[0]).values;
  const [blue, red] = [
    [-0.168736, -0.331264, 0.5],
    [0.5, -0.418688, -0.081312],
  ].map((weights) => doubled(quantized(halved(channel(weights, 128)), tables[1]), height, width));
  const clamped = new Uint8ClampedArray(data.length);
  for (let i = 0; i < y.length; i++) {
    const [cb, cr] = [blue[i] - 128, red[i] - 128];
    clamped[3 * i] = y[i] + 1.402 * cr;
    clamped[3 * i + 1] = y[i] - 0.344136 * cb - 0.714136 * cr;
    clamped[3 * i + 2] = y[i] + 1.772 * cb;
  }
  made.set(clamped);
  return { ...image, data: made };
}

function scaled(table: readonly number[], quality: number): number[] {
  const percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return table.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))));
}

/** Each block of eight by eight values: transformed, rounded to multiples of the steps, transformed back. */
function quantized({ values, height, width }: Plane, steps: readonly number[]): Plane {
  const made = new Float64Array(values.length);
  const block = new Float64Array(64);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) {
        // Blocks at the edge repeat the last row and column.
        const [row, column] = [Math.min(height - 1, top + (i >> 3)), Math.min(width - 1, left + (i & 7))];
        block[i] = values[row * width + column] - 128;
      }
      const spectrum = transformed(block, false);
      for (let i = 0; i < 64; i++) spectrum[i] = Math.round(spectrum[i] / steps[i]) * steps[i];
      const back = transformed(spectrum, true);
      for (let i = 0; i < 64; i++) {
        const [row, column] = [top + (i >> 3), left + (i & 7)];
        if (row >= height || column >= width) continue;
        made[row * width + column] = Math.min(255, Math.max(0, Math.round(back[i] + 128)));
      }
    }
  }
  return { values: made, height, width };
}

/** The cosine transform of a block by rows and columns, or its inverse. */
function transformed(block: Float64Array, inverse: boolean): Float64Array {
  const [far, near] = inverse ? [1, 8] : [8, 1];
  const rows = new Float64Array(64);
  const made = new Float64Array(64);
  for (let r = 0; r < 8; r++) {
    for (let k = 0; k < 8; k++) {
      let sum = 0;
      for (let c = 0; c < 8; c++) sum += block[8 * r + c] * cosines[far * k + near * c];
      rows[8 * r + k] = sum;
    }
  }
  for (let c = 0; c < 8; c++) {
    for (let k = 0; k < 8; k++) {
      let sum = 0;
      for (let r = 0; r < 8; r++) sum += rows[8 * r + c] * cosines[far * k + near * r];
      made[8 * k + c] = sum;
    }
  }
  return made;
}

/** Means of two by two values; the last row and column stand for missing ones. */
function halved({ values, height, width }: Plane): Plane {
  const [rows, columns] = [(height + 1) >> 1, (width + 1) >> 1];
  const at = (row: number, column: number) => values[Math.min(height - 1, row) * width + Math.min(width - 1, column)];
  const made = Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [2 * Math.floor(i / columns), 2 * (i % columns)];
    return Math.round((at(row, column) + at(row, column + 1) + at(row + 1, column) + at(row + 1, column + 1)) / 4);
  });
  return { values: made, height: rows, width: columns };
}

/** Linear interpolation to twice the size, as libjpeg decodes colours. */
function doubled(plane: Plane, height: number, width: number): Float64Array {
  const { values } = plane;
  const made = new Float64Array(height * width);
  const places = (length: number, of: number) =>
    Array.from({ length }, (_, i) => {
      const near = i >> 1;
      return { near, far: Math.min(of - 1, Math.max(0, near + (i % 2 === 0 ? -1 : 1))) };
    });
  const columns = places(width, plane.width);
  places(height, plane.height).forEach((row, r) => {
    columns.forEach((column, c) => {
      const line = (at: number) =>
        0.75 * values[at * plane.width + column.near] + 0.25 * values[at * plane.width + column.far];
      made[r * width + c] = 0.75 * line(row.near) + 0.25 * line(row.far);
    });
  });
  return made;
}
