import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundle } from '../bundle.js';

/** Bytes of a user's program for browsers, minified and gzipped. */
async function sizeOf(contents: string): Promise<number> {
  const options = { platform: 'browser', minify: true, alias: { fovea: './src/browser.ts' } } as const;
  return gzipSync(await bundle({ stdin: { contents, resolveDir: '.', loader: 'ts' }, ...options }), { level: 9 })
    .length;
}

it('a page with engine, layers, optimizers, training loop and the networks from LeNet to ResNet loads 150 kB at most', async () => {
  const size = await sizeOf(`
    import { F, io, nn, optimizer, train, vision } from 'fovea';
    const { models } = vision;
    console.log(F, nn, optimizer, io.DataLoader, train, models.course, models.lenet, models.vgg16, models.resnet50);
  `);
  // docs/browser.md states the limit.
  expect(size).toBeLessThan(150_000);
  // A bundle without the library would be small, too.
  expect(size).toBeGreaterThan(50_000);
});
