import type { RandomGenerator } from '../../../random.js';
import type { Eye } from './eye.js';
import { newPath, type Path } from './strokes.js';

/** The vessels of the retina, in the coordinates of {@link Eye}. */
export interface Vessels {
  readonly arteries: Path[];
  readonly veins: Path[];
}

/** Distance between two points of a path. */
const step = 0.008;
/** Radius around the fovea without vessels. */
const avascular = 0.085;
const thinnest = 0.0011;

interface Grower {
  readonly eye: Eye;
  readonly random: RandomGenerator;
  readonly paths: Path[];
}

/**
 * Grows arteries and veins: four arcades of each leave the disc; the temporal ones curve around the macula,
 * the nasal ones run outwards. All of them have branches, which taper and branch again.
 */
export function growVessels(eye: Eye, random: RandomGenerator): Vessels {
  const arteries: Path[] = [];
  const veins: Path[] = [];
  const { disc } = eye;
  for (const up of [-1, 1]) {
    const height = eye.arcade * (1 + 0.09 * random.normal());
    const nasal = 0.5 + 0.25 * random.uniform();
    for (const vein of [true, false]) {
      const grower = { eye, random, paths: vein ? veins : arteries };
      const trunk = (vein ? 0.0105 : 0.0077) * (1 + 0.1 * random.normal());
      // Arteries and veins run side by side, and cross from time to time.
      const apart = (vein ? 0.5 : -0.5) * (0.075 + 0.03 * random.normal());
      const jitter = (scale: number) => scale * random.normal();
      const start = [disc.x + 0.2 * disc.rx + jitter(0.008), disc.y + up * 0.02 * disc.ry + jitter(0.006)];
      const temporal = [
        start,
        [disc.x - 0.01 + jitter(0.015), disc.y + up * (0.17 + apart)],
        [disc.x * 0.72 + jitter(0.03) - apart, up * (height * 0.74 + apart) + disc.y * 0.4],
        [disc.x * 0.35 + jitter(0.04), up * (height * 0.96 + apart + jitter(0.02))],
        [-0.1 + jitter(0.04), up * (height * 1.0 + apart + jitter(0.03))],
        [-0.5 + jitter(0.05), up * (height * 0.84 + apart + jitter(0.05))],
        [-0.95, up * (height * 0.6 + jitter(0.1))],
        [-1.5, up * (height * 0.45 + jitter(0.12))],
      ];
      growMain(grower, temporal, trunk, true);
      const nasally = [
        [start[0] + 0.02, start[1]],
        [disc.x + 0.1 + jitter(0.02), disc.y + up * (0.13 + apart * 0.7)],
        [disc.x + 0.3 + jitter(0.03), disc.y + up * (nasal * 0.36 + apart + jitter(0.02))],
        [disc.x + 0.62, disc.y + up * (nasal * 0.62 + apart + jitter(0.05))],
        [disc.x + 1.2, disc.y + up * (nasal + jitter(0.1))],
      ];
      growMain(grower, nasally, trunk * (0.62 + 0.12 * random.uniform()), false);
      // Small vessels lead directly from the disc to the macula.
      if (random.uniform() < 0.7) {
        const heading = Math.PI + up * (0.5 + 0.3 * random.uniform());
        grow(
          grower,
          start[0] - disc.rx * 0.5,
          start[1],
          heading,
          trunk * 0.3,
          0.38 + 0.15 * random.uniform(),
          'macula',
          1,
        );
      }
    }
  }
  return { arteries, veins };
}

/** A slightly winding trunk along a spline through points. */
function growMain(grower: Grower, points: readonly (readonly number[])[], trunk: number, temporal: boolean): void {
  const { random, eye } = grower;
  const path = newPath();
  const wave = winding(random, eye.tortuosity);
  let travelled = 0;
  let nextBranch = 0.16 + 0.08 * random.uniform();
  let radius = trunk;
  let side = random.uniform() < 0.5 ? 1 : -1;
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b, c, d] = [
      points[Math.max(i - 1, 0)],
      points[i],
      points[i + 1],
      points[Math.min(i + 2, points.length - 1)],
    ];
    const count = Math.max(Math.round(Math.hypot(c[0] - b[0], c[1] - b[1]) / step), 1);
    for (let k = 0; k < count; k++) {
      const t = k / count;
      const x = spline(a[0], b[0], c[0], d[0], t);
      const y = spline(a[1], b[1], c[1], d[1], t);
      const n = path.x.length;
      const [tx, ty] = [spline(a[0], b[0], c[0], d[0], t + 0.01) - x, spline(a[1], b[1], c[1], d[1], t + 0.01) - y];
      const heading = Math.atan2(ty, tx);
      // There is no winding at the disc, where it would separate the trunk from its start.
      const off = wave(travelled) * Math.min(travelled / 0.15, 1);
      path.x.push(x - Math.sin(heading) * off);
      path.y.push(y + Math.cos(heading) * off);
      path.radius.push(radius);
      travelled += step;
      radius *= 0.9982;
      if (travelled > nextBranch && radius > thinnest * 1.6) {
        const inward = Math.cos(heading) * -y + Math.sin(heading) * x;
        const where = temporal && side * inward > 0 ? 'macula' : 'outward';
        // The smaller the branch, the sharper its turn.
        const share = 0.38 + 0.38 * random.uniform();
        const angle = heading + side * (0.55 + 0.5 * random.uniform() + (0.7 - share) * 0.5);
        const length = where === 'macula' ? 0.42 : 0.3 + 0.6 * random.uniform();
        grow(grower, path.x[n], path.y[n], angle, radius * share, length, where, 2);
        radius *= (1 - share ** 3) ** (1 / 3);
        nextBranch = travelled + 0.06 + 0.13 * random.uniform();
        side = random.uniform() < 0.75 ? -side : side;
      }
    }
  }
  grower.paths.push(path);
}

/** A branch that finds its way, and its branches. */
function grow(
  grower: Grower,
  x: number,
  y: number,
  heading: number,
  radius: number,
  length: number,
  where: 'macula' | 'outward',
  generations: number,
): void {
  const { random, eye, paths } = grower;
  const path = newPath();
  let bend = 0;
  let nextBranch = 0.07 + 0.1 * random.uniform();
  let r = radius;
  for (let travelled = 0; travelled < length; travelled += step) {
    path.x.push(x);
    path.y.push(y);
    path.radius.push(r * Math.min(1, 0.15 + (2.5 * (length - travelled)) / length));
    r = Math.max(r * (1 - (0.7 * step) / length), thinnest * 0.5);
    const fromFovea = Math.hypot(x, y);
    if (fromFovea < avascular || fromFovea > 2.2) break;
    // The branch turns towards the fovea, or away from fovea and disc.
    const away = Math.atan2(y, x - 0.3 * eye.disc.x);
    const wanted = where === 'macula' ? Math.atan2(-y, -x) : away;
    const error = Math.atan2(Math.sin(wanted - heading), Math.cos(wanted - heading));
    const pull = where === 'macula' ? 0.035 * Math.min(1, travelled / 0.1) : 0.016;
    bend = 0.9 * bend + 0.017 * (0.4 + eye.tortuosity) * random.normal();
    heading += pull * error + bend;
    x += step * Math.cos(heading);
    y += step * Math.sin(heading);
    if (generations > 0 && travelled > nextBranch && r > thinnest) {
      const share = 0.5 + 0.35 * random.uniform();
      const side = random.uniform() < 0.5 ? -1 : 1;
      const turn = 0.35 + 0.45 * random.uniform();
      grow(
        grower,
        x,
        y,
        heading + side * turn,
        r * share,
        (length - travelled) * (0.5 + 0.4 * random.uniform()),
        where,
        generations - 1,
      );
      heading -= side * turn * 0.35;
      r *= 0.92;
      nextBranch = travelled + 0.06 + 0.12 * random.uniform();
    }
  }
  if (path.x.length > 2) paths.push(path);
}

/** A sideways wave along a trunk: waves of three lengths. */
function winding(random: RandomGenerator, tortuosity: number): (travelled: number) => number {
  const waves = [0.55, 0.27, 0.13].map((length) => ({
    frequency: (2 * Math.PI) / (length * (0.8 + 0.4 * random.uniform())),
    phase: 2 * Math.PI * random.uniform(),
    amplitude: 0.022 * length * tortuosity * (1 + random.uniform()),
  }));
  return (travelled) =>
    waves.reduce(
      (sum, { frequency, phase, amplitude }) => sum + amplitude * Math.sin(frequency * travelled + phase),
      0,
    );
}

/** A Catmull-Rom spline. */
function spline(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}
