import type { RandomGenerator } from '../../../random.js';
import { pathToPixels, type Shot, toEye } from './camera.js';
import { growChoroid } from './choroid.js';
import type { Ellipse, Eye } from './eye.js';
import { enlarge, type Field, field, noise, smoothstep } from './noise.js';
import { newPath, type Path, soft, stroke, tube } from './strokes.js';
import { growVessels } from './vessels.js';

type Colour = readonly [number, number, number];

const blond: Colour = [0.9, 0.54, 0.3];
const brown: Colour = [0.62, 0.28, 0.12];
const choroidal: Colour = [0.88, 0.44, 0.19];
const yellowish: Colour = [0.98, 0.74, 0.45];
const sclera: Colour = [1.02, 0.89, 0.62];
const greyish: Colour = [0.8, 0.66, 0.46];
const black: Colour = [0.2, 0.1, 0.07];
const nasalRim: Colour = [0.92, 0.52, 0.32];
const temporalRim: Colour = [0.96, 0.66, 0.43];
const cupColour: Colour = [1.02, 0.92, 0.72];
const fibres: Colour = [0.9, 0.78, 0.6];
const crack: Colour = [0.97, 0.76, 0.45];
/** Light that passes through a vessel. */
const vein: Colour = [0.52, 0.27, 0.36];
const artery: Colour = [0.76, 0.42, 0.44];

/** Paints the fundus in even light, which no camera would see: three planes of colour. */
export function paint(eye: Eye, shot: Shot, random: RandomGenerator): Field[] {
  const { width, height } = shot;
  const at = (label: string) => random.fork(label);
  const vessels = growVessels(eye, at('vessels'));
  const veins = lines(shot, vessels.veins);
  const arteries = lines(shot, vessels.arteries);
  const reflexes = reflexLines(shot, vessels.arteries);
  const choroid = choroidField(eye, shot, at('choroid'));
  const cracks = crackLines(eye, shot, at('cracks'));
  const sheen = sheenLines(eye, shot, at('sheen'));
  const specks = speckLines(eye, shot, at('specks'));
  const border = noise(shot, at('border'), { cells: 9, octaves: 5, gain: 0.55 });
  const broad = noise(shot, at('broad'), { cells: 2.5, octaves: 3 });
  const mottle = noise(shot, at('mottle'), { cells: 45, octaves: 4, gain: 0.75 });
  const clumps = noise(shot, at('clumps'), { cells: 26, octaves: 3, gain: 0.6 });
  const planes = [field(width, height), field(width, height), field(width, height)];
  const ground = mix(blond, brown, Math.min(Math.max(eye.pigment, 0), 1));
  const [a, b, c0, d, e, f] = toEye(shot);
  const colour = [0, 0, 0];
  const blend = (target: Colour, share: number) => {
    for (let c = 0; c < 3; c++) colour[c] += share * (target[c] - colour[c]);
  };
  const dim = (factor: Colour, share: number) => {
    for (let c = 0; c < 3; c++) colour[c] *= 1 - share * (1 - factor[c]);
  };
  const disc = outline(eye.disc);
  const diffuse = outline(eye.diffuse);
  const crescent = eye.crescent && outline(eye.crescent);
  const patches = eye.patches.map(outline);
  const reach = shot.radius + 3;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [rx, ry] = [x - shot.middle[0], y - shot.middle[1]];
      if (rx * rx + ry * ry > reach * reach) continue;
      const i = y * width + x;
      const u = a * x + b * y + c0;
      const v = d * x + e * y + f;
      const toFovea = u * u + v * v;
      const rough = border.data[i];
      const grain = mottle.data[i];
      const ch = choroid.data[i];
      const macular = Math.exp(-toFovea / 0.055);
      const shade = (1 + 0.07 * broad.data[i]) * (1 + 0.03 * grain * (1 + 0.6 * macular));
      colour[0] = ground[0] * (1 + 0.6 * (shade - 1));
      colour[1] = ground[1] * shade;
      colour[2] = ground[2] * shade;

      const thin = Math.max(eye.tessellation * (1 + 0.25 * broad.data[i]) * (1 - 0.7 * macular), 0.05);
      dim([0.55, 0.42, 0.4], thin * (1 - ch) * 0.6);
      blend(choroidal, thin * ch * 0.42);
      const ill = eye.diffuse.strength * Math.exp(-squareDistance(diffuse, u, v)) * (0.85 + 0.25 * rough);
      blend(yellowish, Math.min(Math.max(ill, 0), 1) * (0.85 - 0.5 * ch));
      const foveal = toFovea < 0.02 ? Math.exp(-toFovea / 0.0016) : 0;
      dim([0.72, 0.58, 0.55], eye.macula * (0.85 * macular + 0.35 * foveal));

      let atrophy = 0;
      let pale = 1;
      if (crescent !== null) {
        atrophy = edge(crescent, u, v, 0.022 * rough, 0.012);
        pale = eye.crescent?.paleness ?? 0;
      }
      for (const patch of patches) {
        const own = edge(patch, u, v, 0.045 * rough, 0.008);
        if (own > atrophy) [atrophy, pale] = [own, 1];
      }
      if (atrophy > 0) {
        const rim = 4 * atrophy * (1 - atrophy);
        blend(sclera, atrophy * pale * 0.9);
        blend(greyish, atrophy * smoothstep(-0.2, 1.8, clumps.data[i] + 0.8 * broad.data[i]) * 0.5);
        // The choroid's large vessels remain visible here.
        blend(choroidal, atrophy * smoothstep(0.25, 0.65, ch) * (0.85 - 0.3 * pale));
        const pigment = smoothstep(0.7, 1.7, clumps.data[i] + 0.9 * rim - 0.35) * Math.max(rim, 0.25 * atrophy);
        blend(black, 0.75 * Math.min(pigment, 1));
      }
      if (eye.fuchsSpot > 0) {
        const spot = Math.sqrt(toFovea) + 0.012 * rough;
        blend(yellowish, 0.5 * smoothstep(2.2 * eye.fuchsSpot, 1.2 * eye.fuchsSpot, spot));
        blend(black, 0.85 * smoothstep(1.1 * eye.fuchsSpot, 0.7 * eye.fuchsSpot, spot) * (0.8 + 0.2 * grain));
      }
      if (cracks.data[i] > 0) blend(crack, 0.75 * cracks.data[i]);
      if (specks.data[i] > 0) blend(yellowish, 0.6 * specks.data[i]);
      if (sheen.data[i] > 0) blend(fibres, sheen.data[i]);
      paintDisc(eye, disc, u, v, rough, grain, blend);
      if (veins.data[i] > 0) dim(vein, veins.data[i]);
      if (arteries.data[i] > 0) dim(artery, arteries.data[i] * (1 - 0.6 * veins.data[i]));
      if (reflexes.data[i] > 0) blend(fibres, 0.2 * reflexes.data[i]);
      if (eye.fovealReflex > 0 && toFovea < 0.002)
        blend(fibres, 0.35 * eye.fovealReflex * Math.exp(-toFovea / 0.00012));
      for (let c = 0; c < 3; c++) planes[c].data[i] = colour[c];
    }
  }
  return planes;
}

function paintDisc(
  { disc, cup, cupDepth }: Eye,
  shape: Outline,
  u: number,
  v: number,
  rough: number,
  grain: number,
  blend: (target: Colour, share: number) => void,
): void {
  const square = squareDistance(shape, u, v);
  if (square > 2) return;
  const distance = Math.sqrt(square) + 0.012 * rough;
  const inside = smoothstep(1.07, 0.93, distance);
  if (inside === 0) return;
  const across = Math.min(Math.max((u - disc.x) / disc.rx, -1), 1);
  blend(mix(temporalRim, nasalRim, 0.5 + 0.5 * across), inside * 0.95);
  const cu = u - disc.x + 0.12 * disc.rx;
  const inCup = Math.sqrt((cu / disc.rx) ** 2 + ((v - disc.y) / disc.ry) ** 2) + 0.03 * rough;
  blend(cupColour, cupDepth * inside * smoothstep(cup * 1.3, cup * 0.6, inCup) * (0.95 + 0.02 * grain));
}

/** An ellipse prepared for computing distances: the axes divided by the radii. */
interface Outline {
  readonly x: number;
  readonly y: number;
  readonly along: readonly [number, number];
  readonly across: readonly [number, number];
  readonly smaller: number;
}

function outline({ x, y, rx, ry, angle }: Ellipse): Outline {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return { x, y, along: [c / rx, s / rx], across: [-s / ry, c / ry], smaller: Math.min(rx, ry) };
}

/** Square of the distance from the middle; the ellipse itself is at 1. */
function squareDistance({ x, y, along, across }: Outline, u: number, v: number): number {
  const p = (u - x) * along[0] + (v - y) * along[1];
  const q = (u - x) * across[0] + (v - y) * across[1];
  return p * p + q * q;
}

/** Position relative to a rough outline: 0 outside, 1 inside. */
function edge(shape: Outline, u: number, v: number, rough: number, width: number): number {
  const square = squareDistance(shape, u, v);
  if (square > 6) return 0;
  const depth = (1 - Math.sqrt(square)) * shape.smaller + rough;
  return smoothstep(-width, width, depth);
}

function mix(from: Colour, to: Colour, share: number): Colour {
  return [0, 1, 2].map((c) => from[c] + share * (to[c] - from[c])) as unknown as Colour;
}

/** Thin vessels contain less blood, so they look paler. */
function lines(shot: Shot, paths: readonly Path[]): Field {
  const drawn = field(shot.width, shot.height);
  for (const path of paths)
    stroke(drawn, pathToPixels(shot, path), 0.5 + 0.5 * Math.min(path.radius[0] / 0.006, 1), tube);
  return drawn;
}

/** The bright line in the middle of the larger arteries. */
function reflexLines(shot: Shot, arteries: readonly Path[]): Field {
  const drawn = field(shot.width, shot.height);
  for (const path of arteries) {
    if (path.radius[0] < 0.004) continue;
    const count = path.radius.findIndex((radius) => radius < 0.003);
    const [x, y, radius] = [path.x, path.y, path.radius.map((r) => 0.45 * r)].map((all) =>
      all.slice(0, count < 0 ? undefined : count),
    );
    stroke(drawn, pathToPixels(shot, { x, y, radius }), 1, soft);
  }
  return drawn;
}

/** Two layers: broad vessels in the depth, out of focus, and finer ones in front. */
function choroidField(eye: Eye, shot: Shot, random: RandomGenerator): Field {
  const layer = (label: string, count: number, width: number, shrink: number) => {
    const small = field(Math.ceil(shot.width / shrink), Math.ceil(shot.height / shrink));
    for (const { path, strength } of growChoroid(eye, random.fork(label), count, width)) {
      stroke(small, pathToPixels(shot, path, shrink), strength, soft);
    }
    return enlarge(small, shot.width, shot.height);
  };
  // Blur in pixels at a width of 1024.
  const blur = Math.max(shot.width / 1024, 0.2);
  const deep = layer('deep', 420, 0.028, 7 * blur);
  const fine = layer('fine', 620, 0.015, 3 * blur);
  for (let i = 0; i < deep.data.length; i++) {
    deep.data[i] = 1 - (1 - 0.62 * deep.data[i]) * (1 - 0.62 * fine.data[i]);
  }
  return deep;
}

/** Breaks in Bruch's membrane: fine lines across the macula, which branch. */
function crackLines(eye: Eye, shot: Shot, random: RandomGenerator): Field {
  const drawn = field(shot.width, shot.height);
  for (let i = 0; i < eye.lacquerCracks; i++) {
    crackFrom(
      random,
      drawn,
      shot,
      0.25 * random.normal(),
      0.2 * random.normal(),
      2 * Math.PI * random.uniform(),
      0.45,
      2,
    );
  }
  return drawn;
}

function crackFrom(
  random: RandomGenerator,
  drawn: Field,
  shot: Shot,
  startX: number,
  startY: number,
  startHeading: number,
  length: number,
  branches: number,
): void {
  const path = newPath();
  let [x, y, heading] = [startX, startY, startHeading];
  const radius = 0.003 + 0.003 * random.uniform();
  const step = 0.015;
  for (let travelled = 0; travelled < length; travelled += step) {
    path.x.push(x);
    path.y.push(y);
    path.radius.push(radius * (1 - 0.7 * (travelled / length)) * (0.7 + 0.6 * random.uniform()));
    heading += 0.28 * random.normal();
    x += step * Math.cos(heading);
    y += step * Math.sin(heading);
    if (branches > 0 && random.uniform() < 0.06) {
      const turn = (random.uniform() < 0.5 ? -1 : 1) * (0.5 + 0.5 * random.uniform());
      crackFrom(random, drawn, shot, x, y, heading + turn, 0.6 * (length - travelled), branches - 1);
    }
  }
  stroke(drawn, pathToPixels(shot, path), 0.8, soft);
}

/** Bundles of nerve fibres that shine along the arcades. */
function sheenLines(eye: Eye, shot: Shot, random: RandomGenerator): Field {
  const drawn = field(shot.width, shot.height);
  if (eye.sheen === 0) return drawn;
  const { disc } = eye;
  for (let i = 0; i < 130; i++) {
    const up = random.uniform() < 0.5 ? -1 : 1;
    const spread = random.uniform();
    const path = newPath();
    const height = (0.25 + 0.35 * spread) * eye.arcade * 1.6;
    const end = 0.25 + 0.45 * random.uniform();
    for (let t = 0.12; t < end; t += 0.02) {
      path.x.push(disc.x - 1.3 * disc.x * t + 0.1 * (1 - spread) * t);
      path.y.push(disc.y + up * height * Math.sin(Math.PI * Math.min(t * 1.05, 1)) ** 0.8);
      path.radius.push(0.006 + 0.004 * spread);
    }
    stroke(drawn, pathToPixels(shot, path), 0.2 * eye.sheen * random.uniform(), soft);
  }
  return drawn;
}

/** Drusen. */
function speckLines(eye: Eye, shot: Shot, random: RandomGenerator): Field {
  const drawn = field(shot.width, shot.height);
  for (let i = 0; i < eye.drusen; i++) {
    const [x, y] = [0.16 * random.normal(), 0.14 * random.normal()];
    const radius = 0.003 + 0.008 * random.uniform() ** 2;
    const path = { x: [x, x + 0.3 * radius], y: [y, y], radius: [radius, radius] };
    stroke(drawn, pathToPixels(shot, path), 0.4 + 0.6 * random.uniform(), soft);
  }
  return drawn;
}
