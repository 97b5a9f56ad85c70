import type { RandomGenerator } from '../../../random.js';
import { loadSharp } from '../../images/sharp.js';
import { difficulty } from './difficulty.js';
import { type Field, smoothstep } from './noise.js';
import type { Path } from './strokes.js';

/** The camera and its position: everything that does not depend on the disease. */
export interface Shot {
  readonly camera: 'Zeiss' | 'Canon';
  readonly width: number;
  readonly height: number;
  /** Radius of the field of view, and its middle, in pixels. */
  readonly radius: number;
  readonly middle: readonly [number, number];
  /** Pixels for one unit of the eye. */
  readonly scale: number;
  /** The point of the eye in the middle of the picture. */
  readonly aim: readonly [number, number];
  readonly rotation: number;
  /** Left eyes are mirrored right ones. */
  readonly left: boolean;
  /** Logarithms of exposure and colour ratios. */
  readonly exposure: number;
  readonly tint: readonly [number, number];
  readonly contrast: number;
  readonly vignette: number;
  /** Direction in which the light decreases: angle and amount. */
  readonly slope: readonly [number, number];
  /** Milky light: amount. */
  readonly haze: number;
  /** A crescent of stray light at the edge: angle and amount. */
  readonly flare: readonly [number, number];
  readonly dust: readonly { readonly x: number; readonly y: number; readonly radius: number; readonly depth: number }[];
  readonly notch: number | null;
  /** Standard deviations: of the blur in pixels, of the grain in grey levels. */
  readonly blur: number;
  readonly grain: number;
  readonly quality: number;
}

const zeissAspect = 2056 / 2124;

export function takeShot(camera: Shot['camera'], width: number, random: RandomGenerator): Shot {
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const chance = (share: number) => random.uniform() < share;
  const zeiss = camera === 'Zeiss';
  const height = zeiss ? Math.round(width * zeissAspect) : width;
  const radius = width * (zeiss ? between(0.488, 0.496) : between(0.465, 0.485));
  const discCentred = chance(0.12);
  const pixels = width / 1024;
  return {
    camera,
    width,
    height,
    radius,
    middle: [(width - 1) / 2 + 0.004 * width * random.normal(), (height - 1) / 2 + 0.004 * width * random.normal()],
    scale: radius * between(0.93, 1.07),
    aim: [discCentred ? between(0.35, 0.5) : 0.12 + 0.11 * random.normal(), 0.06 * random.normal()],
    rotation: 0.07 * random.normal(),
    left: chance(0.5),
    exposure: difficulty.exposureSpread * random.normal(),
    tint: tintOf(random),
    contrast: between(0.9, 1.12),
    vignette: between(0.1, 0.3),
    slope: [between(0, 2 * Math.PI), between(0, 0.16)],
    haze: chance(0.2) ? between(0.02, 0.06) : between(0, 0.02),
    flare: [between(0, 2 * Math.PI), chance(0.25) ? between(0.05, 0.3) : 0],
    dust: Array.from({ length: chance(0.3) ? 1 + random.int(4) : 0 }, () => ({
      x: between(-0.8, 0.8),
      y: between(-0.8, 0.8),
      radius: between(0.008, 0.03),
      depth: between(0.04, 0.12),
    })),
    notch: zeiss ? (chance(0.15) ? between(-0.3, 0.3) : null) : between(-0.15, 0.15),
    blur: pixels * (chance(0.1) ? between(1.4, 2.6) : between(0.45, 1.2)),
    grain: between(0.6, 2.6),
    quality: 82 + random.int(14),
  };
}

/**
 * Green and blue relative to red. Most of the change is between warm and cool, where both change together.
 */
function tintOf(random: RandomGenerator): [number, number] {
  const warmth = difficulty.colourSpread * random.normal();
  return [warmth, 1.6 * warmth + 0.8 * difficulty.colourSpread * random.normal()];
}

/** The pixel of a point of the eye. */
export function toPixel(shot: Shot, u: number, v: number): [number, number] {
  const { aim, scale, middle, rotation, left } = shot;
  const x = (left ? -1 : 1) * (u - aim[0]) * scale;
  const y = (v - aim[1]) * scale;
  const [c, s] = [Math.cos(rotation), Math.sin(rotation)];
  return [middle[0] + c * x - s * y, middle[1] + s * x + c * y];
}

/** Coefficients: the point of the eye for a pixel is `[a·x + b·y + c, d·x + e·y + f]`. */
export function toEye({
  aim,
  scale,
  middle,
  rotation,
  left,
}: Shot): readonly [number, number, number, number, number, number] {
  const [c, s] = [Math.cos(rotation) / scale, Math.sin(rotation) / scale];
  const sign = left ? -1 : 1;
  const [a, b, d, e] = [sign * c, sign * s, -s, c];
  return [a, b, aim[0] - a * middle[0] - b * middle[1], d, e, aim[1] - d * middle[0] - e * middle[1]];
}

/** A path of the eye in pixels of a picture that is smaller by the factor `shrink`. */
export function pathToPixels(shot: Shot, path: Path, shrink = 1): Path {
  const pixels: Path = { x: [], y: [], radius: [] };
  const last = path.x.length - 1;
  let [beforeX, beforeY] = [Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i <= last; i++) {
    const [x, y] = toPixel(shot, path.x[i], path.y[i]);
    // Small pictures need fewer points.
    if (Math.abs(x - beforeX) + Math.abs(y - beforeY) < 1.2 * shrink && i < last) continue;
    [beforeX, beforeY] = [x, y];
    pixels.x.push(x / shrink);
    pixels.y.push(y / shrink);
    pixels.radius.push((path.radius[i] * shot.scale) / shrink);
  }
  return pixels;
}

/** The edge of the field of view (1 inside), soft over one or two pixels. */
function aperture({ radius, middle, notch, width }: Shot, x: number, y: number): number {
  const [dx, dy] = [x - middle[0], y - middle[1]];
  let inside = radius - Math.sqrt(dx * dx + dy * dy);
  if (notch !== null) {
    const nx = dx - radius * Math.cos(notch);
    const ny = dy - radius * Math.sin(notch);
    inside = Math.min(inside, Math.sqrt(nx * nx + ny * ny) - 0.022 * width);
  }
  const edge = 0.0022 * width;
  return smoothstep(-edge, edge, inside);
}

/** Light that reaches a place in the field of view, as a function of coordinates from −1 to 1. */
function illumination({ vignette, slope, dust }: Shot): (x: number, y: number) => number {
  const [slopeX, slopeY] = [slope[1] * Math.cos(slope[0]), slope[1] * Math.sin(slope[0])];
  return (x, y) => {
    const square = x * x + y * y;
    let light = 1 - vignette * square * (0.4 + 0.6 * square) - slopeX * x - slopeY * y;
    for (const { x: dx, y: dy, radius, depth } of dust) {
      const [awayX, awayY] = [x - dx, y - dy];
      light *= 1 - depth * smoothstep(1.6 * radius, 0.5 * radius, Math.sqrt(awayX * awayX + awayY * awayY));
    }
    return light;
  };
}

/** Stray light near one side of the edge. */
function stray({ flare: [angle, amount] }: Shot): (x: number, y: number) => number {
  if (amount === 0) return () => 0;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => {
    const ring = Math.sqrt(x * x + y * y) + 1e-6;
    return amount * smoothstep(0.72, 1, ring) * smoothstep(0.6, 1, (x * c + y * s) / ring);
  };
}

const luminance = [0.3, 0.59, 0.11];
/** Mean brightness and colour ratios (green and blue by red) that exposure and white balance aim at. */
const meanBrightness = 0.4;
const meanRatios = [0.5, 0.26];

/**
 * Photographs a painting (three planes of linear colours): illuminates, exposes, blurs. @returns RGB bytes
 */
export async function photograph(planes: readonly Field[], shot: Shot, random: RandomGenerator): Promise<Buffer> {
  const { width, height, middle, radius } = shot;
  const count = width * height;
  const open = new Float32Array(count);
  const sums = [0, 0, 0];
  let area = 0;
  const lightAt = illumination(shot);
  const strayAt = stray(shot);
  for (let py = 0, i = 0; py < height; py++) {
    const y = (py - middle[1]) / radius;
    for (let px = 0; px < width; px++, i++) {
      open[i] = aperture(shot, px, py);
      if (open[i] === 0) continue;
      const x = (px - middle[0]) / radius;
      const light = lightAt(x, y) * (1 - shot.haze);
      const flare = strayAt(x, y);
      for (let c = 0; c < 3; c++) {
        const value = planes[c].data[i] * light + shot.haze * (0.55 - 0.05 * c) + flare * (0.5 - 0.08 * c);
        planes[c].data[i] = value;
        sums[c] += value;
      }
      area++;
    }
  }
  const means = sums.map((sum) => sum / area);
  const brightness = means.reduce((sum, mean, c) => sum + luminance[c] * mean, 0);
  const exposure = Math.exp(shot.exposure) * (meanBrightness / brightness) ** difficulty.exposureCompensation;
  const balance = [0, 1].map(
    (c) => Math.exp(shot.tint[c]) * (meanRatios[c] / (means[c + 1] / means[0])) ** difficulty.colourCompensation,
  );
  const gains = [exposure, exposure * balance[0], exposure * balance[1]];
  const curve = toneCurve(shot.contrast);
  const bytes = Buffer.alloc(3 * count);
  for (let i = 0, to = 0; i < count; i++) {
    for (let c = 0; c < 3; c++, to++) {
      const at = Math.min(Math.max(planes[c].data[i] * gains[c], 0) * toneSteps, curve.length - 1);
      bytes[to] = 3 + 252 * open[i] * curve[at | 0];
    }
  }
  const raw = { raw: { width, height, channels: 3 } } as const;
  if (shot.blur < 0.3) return addGrain(bytes, shot.grain, random);
  const sharp = await loadSharp();
  return addGrain(await sharp(bytes, raw).blur(shot.blur).raw().toBuffer(), shot.grain, random);
}

/** Steps of the tone curve for a range of 1, and its end. */
const toneSteps = 2048;
const toneEnd = 3;

/** Contrast, with a soft upper end, as film and good cameras have it. */
function toneCurve(contrast: number): Float32Array {
  return Float32Array.from({ length: toneSteps * toneEnd }, (_, i) => {
    const x = 0.45 * (i / toneSteps / 0.45) ** contrast;
    return x < 0.7 ? x : 0.7 + 0.3 * (1 - Math.exp((0.7 - x) / 0.3));
  });
}

/** Noise of the sensor: a part that all colours share and one for each colour, approximately normal. */
function addGrain(bytes: Buffer, deviation: number, random: RandomGenerator): Buffer {
  // A byte's standard deviation is 74.
  const scale = deviation / 74 / Math.SQRT2;
  for (let i = 0; i < bytes.length; i += 3) {
    const word = random.nextUint32();
    const common = (word & 255) - 127.5;
    for (let c = 0; c < 3; c++) {
      const own = ((word >>> (8 + 8 * c)) & 255) - 127.5;
      bytes[i + c] = Math.min(Math.max(bytes[i + c] + scale * (common + own) + 0.5, 0), 255);
    }
  }
  return bytes;
}
