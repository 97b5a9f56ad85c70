import { blank, inHWC, perChannel, premultiplied, type Raster } from './raster.js';

/** The way to compute values between pixels when an image is turned or slanted; none of them averages. */
export type WarpInterpolation = 'nearest' | 'bilinear' | 'bicubic';

/** Maps output to source: the output pixel (x, y) comes from (a·x + b·y + c, d·x + e·y + f). */
export type AffineMatrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export interface WarpOptions {
  /** 'nearest' (default), 'bilinear' or 'bicubic'. */
  readonly interpolation?: WarpInterpolation;
  /** Value where the source has no pixel: one, or one for each channel (0). */
  readonly fill?: number | readonly number[];
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * Resamples an image at the places that a matrix gives. Bytes are the same as those of Pillow's `transform`.
 */
export function warp(image: Raster, matrix: AffineMatrix, size: Size, options: WarpOptions = {}): Raster {
  const { interpolation = 'nearest', fill = 0 } = options;
  const prepared = interpolation === 'nearest' ? inHWC : premultiplied;
  return prepared(image, (source) => {
    const { channels } = source;
    const { height, width } = size;
    const result: Raster = { ...source, height, width, data: blank(source.data, height * width * channels) };
    const values = perChannel('fill', fill, channels);
    if (values.some((value) => value !== 0)) {
      for (let i = 0; i < result.data.length; i++) result.data[i] = values[i % channels];
    }
    const work = { nearest: pickWarped, bilinear: interpolateLinear, bicubic: interpolateCubic };
    work[interpolation](source, result, matrix);
    return result;
  });
}

/**
 * The inverse matrix of these steps: shear, turn by `angle` (degrees, clockwise), scale about the centre,
 * then move. Paddle's `_get_affine_matrix`.
 */
export function affineMatrix(
  [cx, cy]: readonly [number, number],
  angle: number,
  [tx, ty]: readonly [number, number],
  scale: number,
  shear: readonly [number, number],
): AffineMatrix {
  const turn = radians(angle);
  const [sx, sy] = shear.map(radians);
  const a = Math.cos(turn - sy) / Math.cos(sy);
  const b = (-Math.cos(turn - sy) * Math.tan(sx)) / Math.cos(sy) - Math.sin(turn);
  const c = Math.sin(turn - sy) / Math.cos(sy);
  const d = (-Math.sin(turn - sy) * Math.tan(sx)) / Math.cos(sy) + Math.cos(turn);
  const [m0, m1, m3, m4] = [d / scale, -b / scale, -c / scale, a / scale];
  const m2 = m0 * (-cx - tx) + m1 * (-cy - ty) + cx;
  const m5 = m3 * (-cx - tx) + m4 * (-cy - ty) + cy;
  return [m0, m1, m2, m3, m4, m5];
}

export function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function pickWarped(source: Raster, result: Raster, [a, b, c, d, e, f]: AffineMatrix): void {
  const { data, channels } = source;
  // Pillow uses units of 1/65536 pixel; without turning it adds up floats.
  const unit = b === 0 && d === 0 ? 1 : 65536;
  const step = (value: number) => (unit === 1 ? value : Math.floor(value * unit + 0.5));
  const [right, down, acrossRight, acrossDown] = [a, e, d, b].map(step);
  let [rowX, rowY] = [c + a * 0.5 + b * 0.5, f + d * 0.5 + e * 0.5].map(step);
  for (let y = 0, to = 0; y < result.height; y++, rowX += acrossDown, rowY += down) {
    let [atX, atY] = [rowX, rowY];
    for (let x = 0; x < result.width; x++, to += channels, atX += right, atY += acrossRight) {
      const column = Math.floor(atX / unit);
      const row = Math.floor(atY / unit);
      if (column < 0 || column >= source.width || row < 0 || row >= source.height) continue;
      const from = (row * source.width + column) * channels;
      for (let i = 0; i < channels; i++) result.data[to + i] = data[from + i];
    }
  }
}

function interpolateLinear(source: Raster, result: Raster, [a, b, c, d, e, f]: AffineMatrix): void {
  const { data, height, width, channels } = source;
  const target = result.data;
  const line = width * channels;
  for (let y = 0, to = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++, to += channels) {
      const atX = a * (x + 0.5) + b * (y + 0.5) + c;
      const atY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(atX >= 0 && atX < width && atY >= 0 && atY < height)) continue;
      const column = Math.floor(atX - 0.5);
      const row = Math.floor(atY - 0.5);
      const shareX = atX - 0.5 - column;
      const shareY = atY - 0.5 - row;
      const near = channels * Math.max(0, column);
      const far = channels * Math.min(width - 1, column + 1);
      const upper = line * Math.max(0, row);
      const lower = line * Math.min(height - 1, row + 1);
      for (let i = 0; i < channels; i++) {
        const above = data[upper + near + i] + (data[upper + far + i] - data[upper + near + i]) * shareX;
        const below = data[lower + near + i] + (data[lower + far + i] - data[lower + near + i]) * shareX;
        target[to + i] = above + (below - above) * shareY;
      }
    }
  }
}

function interpolateCubic(source: Raster, result: Raster, [a, b, c, d, e, f]: AffineMatrix): void {
  const { data, height, width, channels } = source;
  const isBytes = data instanceof Uint8Array;
  const columns = new Int32Array(4);
  const rows = new Int32Array(4);
  const across = new Float64Array(4);
  for (let y = 0, to = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++, to += channels) {
      const atX = a * (x + 0.5) + b * (y + 0.5) + c;
      const atY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(atX >= 0 && atX < width && atY >= 0 && atY < height)) continue;
      const column = Math.floor(atX - 0.5);
      const row = Math.floor(atY - 0.5);
      for (let k = 0; k < 4; k++) {
        columns[k] = channels * Math.min(width - 1, Math.max(0, column - 1 + k));
        rows[k] = channels * width * Math.min(height - 1, Math.max(0, row - 1 + k));
      }
      for (let i = 0; i < channels; i++) {
        for (let j = 0; j < 4; j++) {
          const from = rows[j] + i;
          across[j] = cubic(
            data[from + columns[0]],
            data[from + columns[1]],
            data[from + columns[2]],
            data[from + columns[3]],
            atX - 0.5 - column,
          );
        }
        const value = cubic(across[0], across[1], across[2], across[3], atY - 0.5 - row);
        result.data[to + i] = isBytes ? Math.min(255, Math.max(0, value)) : value;
      }
    }
  }
}

/** Pillow's cubic for warps: the slope at a pixel is the difference of its neighbours. */
function cubic(v1: number, v2: number, v3: number, v4: number, share: number): number {
  const p2 = v3 - v1;
  const p3 = 2 * (v1 - v2) + v3 - v4;
  const p4 = v2 - v1 - v3 + v4;
  return v2 + share * (p2 + share * (p3 + share * p4));
}
