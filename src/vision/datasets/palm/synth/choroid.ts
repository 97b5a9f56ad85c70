import type { Generator } from '../../../../random.js';
import type { Eye } from './eye.js';
import { newPath, type Path } from './strokes.js';

const step = 0.02;

/**
 * The vessels of the choroid: broad, without order in width, from the posterior pole outwards to the vortex veins.
 * In the coordinates of {@link Eye}.
 */
export function growChoroid(eye: Eye, random: Generator): { path: Path; strength: number }[] {
  const waves = Array.from({ length: 5 }, () => ({
    fx: 2.4 * random.normal(),
    fy: 2.4 * random.normal(),
    phase: 2 * Math.PI * random.uniform(),
  }));
  const [px, py] = [0.25 * eye.disc.x + 0.1 * random.normal(), 0.08 * random.normal()];
  const direction = (x: number, y: number) => {
    const wander = waves.reduce((sum, { fx, fy, phase }) => sum + Math.sin(fx * x + fy * y + phase), 0);
    // Flatter than radial: most vessels run across the picture to the temporal side.
    return Math.atan2((y - py) * 0.8, x - px) + 0.28 * wander;
  };
  const vessels: { path: Path; strength: number }[] = [];
  const count = 900;
  for (let i = 0; i < count; i++) {
    const angle = 2 * Math.PI * random.uniform();
    const distance = 1.5 * Math.sqrt(random.uniform());
    let x = 0.3 + distance * Math.cos(angle);
    let y = distance * Math.sin(angle);
    const outer = Math.min(Math.hypot(x - px, y - py), 1);
    const radius = (0.005 + 0.012 * random.uniform() ** 2) * (0.7 + 0.7 * outer);
    const length = (0.25 + 0.6 * random.uniform()) * (0.5 + 0.6 * outer);
    const own = 0.35 * random.normal();
    const path = newPath();
    let bend = 0;
    for (let travelled = 0; travelled < length; travelled += step) {
      path.x.push(x);
      path.y.push(y);
      // Ends dive out of sight.
      path.radius.push(radius * Math.min(1, 0.15 + (4 * Math.min(travelled, length - travelled)) / length));
      bend = 0.85 * bend + 0.06 * random.normal();
      const heading = direction(x, y) + own + bend;
      x += step * Math.cos(heading);
      y += step * Math.sin(heading);
    }
    vessels.push({ path, strength: 0.45 + 0.55 * random.uniform() });
  }
  return vessels;
}
