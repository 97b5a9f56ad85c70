import type { RandomGenerator } from '../../../random.js';
import { difficulty } from './difficulty.js';

/** N: normal, H: highly myopic, P: pathologic myopia. */
export type EyeKind = 'N' | 'H' | 'P';

/** An ellipse; lengths in radii of the field of view, angle in radians. */
export interface Ellipse {
  readonly x: number;
  readonly y: number;
  readonly rx: number;
  readonly ry: number;
  readonly angle: number;
}

/**
 * All that a picture shows. Coordinates are those of a right eye: the fovea is the origin, the disc is at
 * positive x (nasal), y points down; the unit is the radius of the field of view (22.5°).
 */
export interface Eye {
  readonly disc: Ellipse;
  /** Diameter of the cup relative to that of the disc. */
  readonly cup: number;
  /** Cup's depth and paleness, 0 to 1. */
  readonly cupDepth: number;
  /** Height of the vessel arcades above and below the fovea. */
  readonly arcade: number;
  /** How much vessels wind. */
  readonly tortuosity: number;
  /** Dark pigment of the fundus, 0 (blond) to 1. */
  readonly pigment: number;
  /** Visibility of the choroid's vessels, 0 to 1. */
  readonly tessellation: number;
  /** Shine of the nerve fibres in young eyes, 0 to 1. */
  readonly sheen: number;
  /** Darkness of the macula, and brightness of the reflex in its middle, 0 to 1. */
  readonly macula: number;
  readonly fovealReflex: number;
  /** Atrophy around the disc: its outline, and how white it is. Null: none. */
  readonly crescent: (Ellipse & { readonly paleness: number }) | null;
  /** Well-defined atrophy. */
  readonly patches: readonly Ellipse[];
  /** Ill-defined yellowish atrophy, 0 to 1, with its middle and width. */
  readonly diffuse: Ellipse & { readonly strength: number };
  readonly lacquerCracks: number;
  /** Radius of a dark scar in the macula; 0: none. */
  readonly fuchsSpot: number;
  /** Small yellow specks. */
  readonly drusen: number;
}

/** Samples the properties of an eye of a kind. */
export function drawEye(kind: EyeKind, random: RandomGenerator): Eye {
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const chance = (share: number) => random.uniform() < share;
  const mild = kind === 'P' && chance(difficulty.mildPathologic);
  const strong = kind === 'H' && chance(difficulty.strongHighMyopia);
  /** 0 healthy, around 0.5 highly myopic, up to 1 the worst. */
  const severity =
    kind === 'P'
      ? mild
        ? between(0.4, 0.5)
        : between(0.55, 1)
      : kind === 'H'
        ? between(0.25, strong ? 0.5 : 0.4)
        : between(0, 0.22);
  const rx = between(0.105, 0.13) * (1 - 0.25 * severity * random.uniform());
  const tilt = severity * between(0.2, 1);
  const disc = {
    x: between(0.62, 0.7),
    y: between(-0.09, 0.01),
    rx: rx * (1 - 0.35 * tilt),
    ry: rx * between(1.03, 1.16),
    angle: between(-0.2, 0.2) + tilt * between(-0.5, 0.5),
  };
  const isP = kind === 'P' && !mild;
  const extent =
    kind === 'N'
      ? chance(0.3)
        ? between(0.1, 0.3)
        : 0
      : isP
        ? between(2, 4)
        : between(0.3, mild || strong ? 0.9 : 0.6);
  // The larger it is, the further it extends around the disc.
  const around = isP ? between(0.35, 1) : between(0.05, 0.3);
  const crescent =
    extent === 0
      ? null
      : {
          x: disc.x - rx * extent * (1 - around * 0.8) * 0.55,
          y: disc.y + rx * extent * between(-0.15, 0.2),
          rx: disc.rx + rx * extent * (0.35 + 0.35 * around),
          ry: disc.ry + rx * extent * (around * 0.6 + 0.02),
          angle: disc.angle + between(-0.15, 0.15),
          paleness: kind === 'N' ? between(0.35, 0.7) : between(isP ? 0.9 : 0.5, 1),
        };
  const category = isP ? random.uniform() : 0;
  const patches: Ellipse[] = [];
  if (category > 0.05) {
    const count = 2 + random.int(category > 0.8 ? 4 : 2);
    for (let i = 0; i < count; i++) {
      // They are in the macula and below the arcades, not beyond.
      const angle = between(0, 2 * Math.PI);
      const distance = i === 0 && chance(0.4) ? between(0, 0.1) : between(0.15, 0.48);
      const size = between(0.16, 0.24) + severity * between(0, 0.2);
      patches.push({
        x: distance * Math.cos(angle) - 0.03,
        y: distance * Math.sin(angle) * 0.8,
        rx: size * between(0.8, 1.4),
        ry: size * between(0.7, 1.1),
        angle: between(0, Math.PI),
      });
    }
  }
  return {
    disc,
    cup: between(0.25, 0.6),
    cupDepth: between(0.3, 1),
    arcade: between(0.5, 0.62) - 0.1 * severity,
    tortuosity: between(0.4, 1.2) * (1 - 0.4 * severity),
    pigment: between(0.5, 1) - 0.75 * severity,
    tessellation:
      kind === 'N'
        ? Math.max(between(-0.5, 0.25), 0)
        : kind === 'H'
          ? between(0.25, 0.7)
          : between(mild ? 0.3 : 0.75, mild ? 0.7 : 1.1),
    sheen: kind === 'N' ? Math.max(between(-0.8, 1), 0) : Math.max(between(-0.8, 0.3), 0),
    macula: between(0.5, 1) * (1 - 0.4 * severity),
    fovealReflex: chance(0.4 * (1 - severity)) ? between(0.2, 1) : 0,
    crescent,
    patches,
    diffuse: {
      x: between(0.2, 0.55),
      y: between(-0.1, 0.1),
      rx: between(0.55, 0.95),
      ry: between(0.5, 0.8),
      angle: between(-0.4, 0.4),
      strength: isP && (category < 0.7 || chance(0.6)) ? between(0.75, 1) : kind === 'N' ? 0 : between(0, 0.25),
    },
    lacquerCracks: isP && chance(0.35) ? 1 + random.int(4) : 0,
    fuchsSpot: isP && chance(0.12) ? between(0.03, 0.07) : 0,
    drusen: kind !== 'P' && chance(difficulty.drusen) ? 10 + random.int(70) : 0,
  };
}
