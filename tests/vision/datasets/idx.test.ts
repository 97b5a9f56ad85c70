import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FileError } from '../../../src/errors.js';
import { readIdx } from '../../../src/vision/datasets/idx.js';
import { temporaryFolder } from '../../temporary.js';
import { idx } from './idx.js';

const folder = temporaryFolder();
const path = join(folder, 'some-ubyte');
const images = idx(0x803, [2, 3, 1], [0, 1, 2, 253, 254, 255]);

it('reads images and labels, gzipped or not, under any name', async () => {
  for (const name of ['images', 'images.gz']) {
    for (const content of [images, gzipSync(images)]) {
      writeFileSync(join(folder, name), content);
      const { shape, data } = await readIdx(join(folder, name), 3);
      expect(shape).toEqual([2, 3, 1]);
      expect([...data]).toEqual([0, 1, 2, 253, 254, 255]);
    }
  }
  writeFileSync(path, idx(0x801, [3], [7, 8, 9]));
  expect(await readIdx(path, 1)).toEqual({ shape: [3], data: Uint8Array.of(7, 8, 9) });
});

it.each<[string, Buffer, 1 | 3, RegExp]>([
  ['nothing', Buffer.alloc(0), 3, /header: expected 16 bytes, got 0/],
  ['half a header', images.subarray(0, 10), 3, /header: expected 16 bytes, got 10/],
  [
    'labels for images',
    idx(0x801, [20], new Uint8Array(20)),
    3,
    /magic number: expected 0x00000803 \(images\), got 0x00000801/,
  ],
  ['images for labels', images, 1, /magic number: expected 0x00000801 \(labels\), got 0x00000803/],
  ['a picture', Buffer.from('\x89PNG\r\n\x1a\n--------', 'latin1'), 3, /magic number: .*got 0x89504e47/],
  ['floats', idx(0xd03, [1, 1, 1], [0]), 3, /magic number: .*got 0x00000d03/],
  ['no images', idx(0x803, [0, 28, 28], []), 3, /sizes: expected positive numbers, got \[0,28,28\]/],
  ['no columns', idx(0x803, [1, 28, 0], []), 3, /sizes: expected positive numbers, got \[1,28,0\]/],
  ['a missing byte', images.subarray(0, -1), 3, /size: expected 22 bytes \(16 and \[2,3,1\]\), got 21/],
  ['a byte too many', Buffer.concat([images, Buffer.alloc(1)]), 3, /size: expected 22 bytes .*got 23/],
  [
    'sizes beyond all memory',
    idx(0x803, [0xffffffff, 0xffffffff, 0xffffffff], []),
    3,
    /sizes: expected at most 1073741824 bytes, got/,
  ],
  ['a missing byte in gzip', gzipSync(images.subarray(0, -1)), 3, /size: expected 22 bytes .*got 21/],
  [
    'a byte too many in gzip',
    gzipSync(Buffer.concat([images, Buffer.alloc(1)])),
    3,
    /size: expected 22 bytes .*got more/,
  ],
  [
    'huge sizes in gzip',
    gzipSync(idx(0x803, [60000, 28, 28], [])),
    3,
    /expected 47040016 bytes .* which cannot hold them/,
  ],
  ['gzip of nothing', gzipSync(''), 3, /header: expected 16 bytes, got 0/],
  ['a cut gzip header', gzipSync(images).subarray(0, 5), 3, /(gzip|header): expected/],
  ['cut gzip', gzipSync(images).subarray(0, -9), 3, /gzip: expected intact data, got unexpected end of file/],
  [
    'damaged gzip',
    Buffer.concat([gzipSync(images).subarray(0, -8), Buffer.alloc(8, 0xff)]),
    3,
    /gzip: expected intact data, got incorrect data check/,
  ],
])('refuses %s', async (_, content, rank, message) => {
  writeFileSync(path, content);
  const error = await readIdx(path, rank).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(FileError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).toContain(`[idx] ${path}: `);
});

it('refuses every part of a file', async () => {
  const random = idx(
    0x803,
    [3, 28, 28],
    new Uint8Array(3 * 784).map((_, i) => (i * i * 31) >> 3),
  );
  for (const whole of [random, gzipSync(random)]) {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), async (length) => {
        writeFileSync(path, whole.subarray(0, length));
        await expect(readIdx(path, 3)).rejects.toThrow(FileError);
      }),
      { numRuns: 50 },
    );
  }
});

it('does not unpack more than the header says', async () => {
  // 50 MB of zeros, gzipped, behind a header for one pixel.
  writeFileSync(path, gzipSync(Buffer.concat([idx(0x803, [1, 1, 1], [0]), Buffer.alloc(50_000_000)]), { level: 1 }));
  const before = process.memoryUsage().arrayBuffers;
  await expect(readIdx(path, 3)).rejects.toThrow(/size: expected 17 bytes .*got more/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});

it('says that there is no file', async () => {
  const missing = join(folder, 'missing');
  await expect(readIdx(missing, 3)).rejects.toThrow(`[idx] ${missing}: expected a readable file, got ENOENT`);
  await expect(readIdx(folder, 3)).rejects.toThrow(/expected a readable file, got a folder/);
});
