import type { Field } from './noise.js';

/**
 * A line that may taper. Coordinates and radii have the same unit: the radius of the field of view, or
 * pixels.
 */
export interface Path {
  readonly x: number[];
  readonly y: number[];
  readonly radius: number[];
}

export function newPath(): Path {
  return { x: [], y: [], radius: [] };
}

/** Density of a line at a distance from its middle; its edge is at 1. */
export type StrokeProfile = (distance: number) => number;

/** Length of the light's way through a tube full of blood. */
export const tube: StrokeProfile = (d) => (d >= 1 ? 0 : Math.sqrt(1 - d * d));
export const soft: StrokeProfile = (d) => (d >= 1 ? 0 : (1 - d * d) * (1 - d * d));

/** Lines thinner than this (pixels) become fainter instead. */
const thinnest = 0.9;

/** Draws a path in pixels. Where lines overlap the denser one counts, so joints are invisible. */
export function stroke({ width, height, data }: Field, path: Path, strength: number, profile: StrokeProfile): void {
  const { x, y, radius } = path;
  for (let i = 0; i + 1 < x.length; i++) {
    const dx = x[i + 1] - x[i];
    const dy = y[i + 1] - y[i];
    const square = dx * dx + dy * dy;
    const reach = Math.max(radius[i], radius[i + 1], thinnest) + 0.5;
    const x0 = Math.max(Math.floor(Math.min(x[i], x[i + 1]) - reach), 0);
    const x1 = Math.min(Math.ceil(Math.max(x[i], x[i + 1]) + reach), width - 1);
    const y0 = Math.max(Math.floor(Math.min(y[i], y[i + 1]) - reach), 0);
    const y1 = Math.min(Math.ceil(Math.max(y[i], y[i + 1]) + reach), height - 1);
    for (let py = y0; py <= y1; py++) {
      for (let px = x0; px <= x1; px++) {
        const ax = px - x[i];
        const ay = py - y[i];
        const t = square === 0 ? 0 : Math.min(Math.max((ax * dx + ay * dy) / square, 0), 1);
        const r = radius[i] + t * (radius[i + 1] - radius[i]);
        const drawn = Math.max(r, thinnest) + 0.5;
        const ex = ax - t * dx;
        const ey = ay - t * dy;
        const distance = Math.sqrt(ex * ex + ey * ey) / drawn;
        if (distance >= 1) continue;
        const value = strength * Math.min(r / thinnest, 1) * profile(distance);
        const at = py * width + px;
        if (value > data[at]) data[at] = value;
      }
    }
  }
}
