import type { RandomGenerator } from '../../../random.js';
import type { Eye } from './eye.js';
import { newPath, type Path } from './strokes.js';

const step = 0.02;

/**
 * The vessels of the choroid: broad, with irregular widths, from the posterior pole outwards to the vortex
 * veins. Coordinates are those of {@link Eye}.
 *
 * @param width radius of the widest ones
 */
export function growChoroid(
  eye: Eye,
  random: RandomGenerator,
  count: number,
  width: number,
): { path: Path; strength: number }[] {
  const waves = Array.from({ length: 8 }, (_, i) => {
    const frequency = i < 4 ? 2.2 : 7;
    return {
      fx: frequency * random.normal(),
      fy: frequency * random.normal(),
      phase: 2 * Math.PI * random.uniform(),
      amplitude: i < 4 ? 0.3 : 0.17,
    };
  });
  const [px, py] = [0.25 * eye.disc.x + 0.1 * random.normal(), 0.08 * random.normal()];
  const direction = (x: number, y: number) => {
    const wander = waves.reduce((sum, w) => sum + w.amplitude * Math.sin(w.fx * x + w.fy * y + w.phase), 0);
    // Flatter than radial: most vessels run across the picture to the temporal side.
    return Math.atan2((y - py) * 0.8, x - px) + wander;
  };
  const vessels: { path: Path; strength: number }[] = [];
  for (let i = 0; i < count; i++) {
    const angle = 2 * Math.PI * random.uniform();
    const distance = 1.5 * Math.sqrt(random.uniform());
    let x = 0.3 + distance * Math.cos(angle);
    let y = distance * Math.sin(angle);
    const outer = Math.min(Math.hypot(x - px, y - py), 1);
    const radius = width * (0.35 + 0.65 * random.uniform() ** 2) * (0.7 + 0.6 * outer);
    const length = (0.3 + 0.7 * random.uniform()) * (0.5 + 0.6 * outer);
    // Some vessels cross to their neighbours and join them.
    const crossing = (random.uniform() < 0.25 ? 0.5 : 0.15) * random.normal();
    const swell = 2 * Math.PI * random.uniform();
    const path = newPath();
    let bend = 0;
    for (let travelled = 0; travelled < length; travelled += step) {
      path.x.push(x);
      path.y.push(y);
      // The ends disappear into the depth.
      const end = Math.min(1, 0.3 + (4 * Math.min(travelled, length - travelled)) / length);
      path.radius.push(radius * end * (1 + 0.1 * Math.sin(swell + 14 * travelled)));
      bend = 0.85 * bend + 0.075 * random.normal();
      const heading = direction(x, y) + crossing + bend;
      x += step * Math.cos(heading);
      y += step * Math.sin(heading);
    }
    vessels.push({ path, strength: 0.3 + 0.7 * random.uniform() });
  }
  return vessels;
}
