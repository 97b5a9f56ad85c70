import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { compileInto } from '../../compiled.js';
import { temporaryFolder } from '../../temporary.js';

it('a picture that was decoded leaves no memory behind', async () => {
  const folder = join(temporaryFolder(), 'compiled');
  compileInto(folder);
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const large = sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#000', noise } });
  writeFileSync(join(folder, 'large.jpg'), await large.jpeg({ progressive: true }).toBuffer());
  writeFileSync(
    join(folder, 'main.js'),
    `
    import { readFileSync } from 'node:fs';
    import { preprocess } from './vision/images/preprocess.js';
    // Its decoder holds 36 MB.
    const read = async () => {
      await preprocess(new Uint8Array(readFileSync('large.jpg')), { size: 8 });
      globalThis.gc();
    };
    for (let i = 0; i < 3; i++) await read();
    const before = process.resourceUsage().maxRSS;
    for (let i = 0; i < 14; i++) await read();
    console.log((process.resourceUsage().maxRSS - before) / 1024);
    `,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', 'main.js'], { cwd: folder });
  expect(Number(stdout)).toBeLessThan(250);
});
