import sharp from 'sharp';
import { expect, it } from 'vitest';
import { RandomGenerator } from '../../src/random.js';
import { jpegLoss } from '../../src/run/dossier/jpeg.js';

/** Smooth waves with edges and some noise. */
function picture(height: number, width: number, channels: number): Uint8Array {
  const random = new RandomGenerator(3);
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const [row, column, channel] = [Math.floor(i / channels / width), Math.floor(i / channels) % width, i % channels];
    const disc = (row - 20) ** 2 + (column - 24) ** 2 < 150 ? 60 : 0;
    return 100 + 50 * Math.sin(row / 7 + channel) * Math.cos(column / 9) + disc + 10 * random.uniform();
  });
}

const meanOf = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;

it.each([
  [48, 56, 3, 50],
  [45, 51, 3, 30],
  [37, 43, 1, 50],
  [40, 40, 3, 85],
])('%d×%d pixels with %d channels, quality %d: as libjpeg', async (height, width, channels, quality) => {
  const data = picture(height, width, channels);
  const file = await sharp(data, { raw: { height, width, channels: channels as 1 | 3 } })
    .jpeg({ quality, chromaSubsampling: '4:2:0' })
    .toBuffer();
  const decoded = new Uint8Array(
    await sharp(file)
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer(),
  );
  const found = jpegLoss({ data, height, width, channels, layout: 'HWC' }, quality);
  expect(found).toMatchObject({ height, width, channels, layout: 'HWC' });
  const changed = meanOf(decoded, data);
  expect(changed).toBeGreaterThan(1);
  // Roundings of colours differ by a level here and there; the loss is the same.
  expect(meanOf(found.data as Uint8Array, decoded)).toBeLessThan(channels === 1 ? changed / 10 : changed / 3);
  expect(meanOf(found.data as Uint8Array, data) / changed).toBeCloseTo(1, 1);
});

it('refuses floats and other channels', () => {
  const size = { height: 2, width: 2, layout: 'HWC' } as const;
  expect(() => jpegLoss({ data: new Float32Array(4), channels: 1, ...size }, 50)).toThrow(/expected bytes/);
  expect(() => jpegLoss({ data: new Uint8Array(16), channels: 4, ...size }, 50)).toThrow(/got 4 in HWC/);
});
