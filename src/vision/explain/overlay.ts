import { ShapeError } from '../../errors.js';

/** Colours from low to high of a map without negative values: dark blue, green, yellow. */
const sequential = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const;
/** Colours of a map around 0: blue speaks against the class, red for it. */
const diverging = [
  [33, 102, 172],
  [146, 197, 222],
  [247, 247, 247],
  [244, 165, 130],
  [178, 24, 43],
] as const;

/** How the values of a map become colours. */
export interface ColorScale {
  /** Value of the last colour. */
  readonly most: number;
  /** Whether colours go from −most to most, else from 0 to most. */
  readonly signed: boolean;
}

/** One scale for maps that are to be compared: up to their largest value, around 0 if some are negative. */
export function scaleFor(maps: readonly Float32Array[]): ColorScale {
  let [low, high] = [0, 0];
  for (const map of maps) for (const value of map) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return { most: Math.max(high, -low), signed: low < 0 };
}

/** A map as an image of red, green and blue from 0 to 1: `[3, H, W]`. */
export function colorMap(map: Float32Array, { most, signed }: ColorScale): Float32Array {
  const colors = signed ? diverging : sequential;
  const image = new Float32Array(3 * map.length);
  for (let i = 0; i < map.length; i++) {
    const part = most === 0 ? Number(signed) / 2 : signed ? (map[i] / most + 1) / 2 : map[i] / most;
    const at = Math.min(Math.max(part, 0), 1) * (colors.length - 1);
    const low = Math.min(Math.floor(at), colors.length - 2);
    for (let c = 0; c < 3; c++) {
      const value = colors[low][c] + (at - low) * (colors[low + 1][c] - colors[low][c]);
      image[c * map.length + i] = value / 255;
    }
  }
  return image;
}

/**
 * A map over its image, which is grey below it. The more a place counts, the less of the image shows through.
 *
 * @param image `[1 or 3, H, W]`, from 0 to 1
 * @returns `[3, H, W]`, from 0 to 1
 * @throws {ShapeError} if image and map differ in size
 */
export function overlay(image: Float32Array, map: Float32Array, scale: ColorScale): Float32Array {
  const channels = image.length / map.length;
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(
      `[explain] image: expected ${map.length} or ${3 * map.length} values for the map, got ${image.length}`,
    );
  }
  const colors = colorMap(map, scale);
  const result = new Float32Array(colors.length);
  for (let i = 0; i < map.length; i++) {
    let grey = 0;
    for (let c = 0; c < channels; c++) grey += image[c * map.length + i] / channels;
    const weight = scale.most === 0 ? 0 : 0.75 * Math.min(1, Math.abs(map[i]) / scale.most);
    for (let c = 0; c < 3; c++) {
      const at = c * map.length + i;
      result[at] = weight * colors[at] + (1 - weight) * grey;
    }
  }
  return result;
}
