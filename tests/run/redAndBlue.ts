import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomGenerator } from '../../src/random.js';
import { encodePng } from '../../src/vision/images/png.js';

const side = 20;
const colours: Readonly<Record<string, readonly number[]>> = { blue: [0.25, 0.35, 0.8], red: [0.8, 0.35, 0.25] };

/** Writes pictures of noise around red or blue into the folders `red` and `blue`; returns their names. */
export async function writeRedAndBlue(into: string, count: number, seed = count): Promise<string[]> {
  const generator = new RandomGenerator(seed);
  const names: string[] = [];
  for (const [name, colour] of Object.entries(colours)) {
    mkdirSync(join(into, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const noise = () => (generator.int(50) - 25) / 255;
      const pixels = Float32Array.from(
        { length: 3 * side * side },
        (_, at) => colour[Math.floor(at / side / side)] + noise(),
      );
      names.push(`${name}/${name}${i}.png`);
      writeFileSync(join(into, name, `${name}${i}.png`), await encodePng(pixels, [3, side, side]));
    }
  }
  return names;
}
