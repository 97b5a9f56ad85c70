import { blank, inHWC, perChannel, type Raster } from './raster.js';

/** How values between pixels are found where an image is turned or slanted: no averaging. */
export type WarpInterpolation = 'nearest' | 'bilinear' | 'bicubic';

/** Of the output pixel at (x, y), the source is at (a·x + b·y + c, d·x + e·y + f). */
export type AffineMatrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export interface WarpOptions {
  /** 'nearest' (default), 'bilinear' or 'bicubic'. */
  readonly interpolation?: WarpInterpolation;
  /** What stands where the source has no pixel: one value, or one a channel (0). */
  readonly fill?: number | readonly number[];
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Resamples an image at the places that a matrix gives, to the byte as Pillow's `transform` does. */
export function warp(image: Raster, matrix: AffineMatrix, size: Size, options: WarpOptions = {}): Raster {
  const { interpolation = 'nearest', fill = 0 } = options;
  return inHWC(image, (source) => {
    const { channels } = source;
    const { height, width } = size;
    const result: Raster = { ...source, height, width, data: blank(source.data, height * width * channels) };
    const values = perChannel('fill', fill, channels);
    for (let i = 0; i < result.data.length; i++) result.data[i] = values[i % channels];
    if (interpolation === 'nearest') pickWarped(source, result, matrix);
    else interpolate(source, result, matrix, interpolation);
    return result;
  });
}

/**
 * The matrix that undoes: shear, turn by `angle` (degrees, clockwise) and scale about the centre, then move. Paddle's
 * `_get_affine_matrix`.
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
  // Pillow counts in 1/65536 of a pixel, unless there is no turning: then it adds up floats.
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

function interpolate(
  source: Raster,
  result: Raster,
  [a, b, c, d, e, f]: AffineMatrix,
  interpolation: 'bilinear' | 'bicubic',
): void {
  const { data, height, width, channels } = source;
  const isBytes = data instanceof Uint8Array;
  const [before, taps, curve] = interpolation === 'bilinear' ? [0, 2, line] : [1, 4, cubic];
  const columns = new Int32Array(taps);
  const rows = new Int32Array(taps);
  const [across, along] = [new Float64Array(4), new Float64Array(4)];
  for (let y = 0, to = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++, to += channels) {
      const atX = a * (x + 0.5) + b * (y + 0.5) + c;
      const atY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(atX >= 0 && atX < width && atY >= 0 && atY < height)) continue;
      const column = Math.floor(atX - 0.5);
      const row = Math.floor(atY - 0.5);
      const [shareX, shareY] = [atX - 0.5 - column, atY - 0.5 - row];
      for (let k = 0; k < taps; k++) {
        columns[k] = channels * Math.min(width - 1, Math.max(0, column - before + k));
        rows[k] = channels * width * Math.min(height - 1, Math.max(0, row - before + k));
      }
      for (let i = 0; i < channels; i++) {
        for (let j = 0; j < taps; j++) {
          for (let k = 0; k < taps; k++) along[k] = data[rows[j] + columns[k] + i];
          across[j] = curve(along, shareX);
        }
        const value = curve(across, shareY);
        result.data[to + i] = isBytes ? Math.min(255, Math.max(0, value)) : value;
      }
    }
  }
}

function line(values: Float64Array, share: number): number {
  return values[0] + (values[1] - values[0]) * share;
}

/** Pillow's cubic for warps, whose slope at a pixel is the difference of its neighbours. */
function cubic(values: Float64Array, share: number): number {
  const v1 = values[0];
  const v2 = values[1];
  const v3 = values[2];
  const v4 = values[3];
  const p2 = v3 - v1;
  const p3 = 2 * (v1 - v2) + v3 - v4;
  const p4 = v2 - v1 - v3 + v4;
  return v2 + share * (p2 + share * (p3 + share * p4));
}
