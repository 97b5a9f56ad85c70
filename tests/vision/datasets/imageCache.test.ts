import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import { ImageCache } from '../../../src/vision/datasets/reading/imageCache.js';
import { ImageReader } from '../../../src/vision/datasets/reading/imageReader.js';
import { PictureFile } from '../../../src/vision/images/decode.js';
import type { Preprocessed } from '../../../src/vision/images/preprocess.js';
import { normalizeInto } from '../../../src/vision/transforms/image.js';
import { compileInto } from '../../compiled.js';
import { folderPerTest } from '../../temporary.js';
import { halfJpeg, jpeg } from '../pictures.js';

let folder: string;
folderPerTest((path) => {
  folder = path;
});

const image = (value: number): Preprocessed => ({
  pixels: new Uint8Array(3 * 20 * 10).fill(value),
  height: 20,
  width: 10,
  sourceHeight: 200,
  sourceWidth: 101,
});
const entryBytes = 656;

describe('the cache on disk', () => {
  it('gives back what was put in, to other objects too, and nothing else', async () => {
    const cache = new ImageCache({ folder: join(folder, 'made/on/demand') });
    expect(await cache.get('a')).toBeNull();
    await cache.put('a', image(1));
    await cache.put('b', image(2));
    const other = new ImageCache({ folder: cache.folder });
    expect(await other.get('a')).toEqual(image(1));
    expect(await other.get('b')).toEqual(image(2));
    expect(await other.get('c')).toBeNull();
    expect(other.statistics).toEqual({ hits: 2, misses: 1, damaged: 0, failure: null });
    expect(readdirSync(cache.folder).map((name) => statSync(join(cache.folder, name)).size)).toEqual([
      entryBytes,
      entryBytes,
    ]);
  });

  it('notices a flipped bit wherever it is, a cut, and an entry of another name', async () => {
    const cache = new ImageCache({ folder });
    await cache.put('a', image(1));
    const [name] = readdirSync(folder);
    const path = join(folder, name);
    const entry = readFileSync(path);
    const damaged = Array.from({ length: 60 }, (_, i) => {
      const bytes = Buffer.from(entry);
      bytes[i < 56 ? i : (i * 7919) % bytes.length] ^= 1 << (i % 8);
      return bytes;
    });
    for (const bytes of [...damaged, entry.subarray(0, 600), entry.subarray(0, 5), Buffer.alloc(0)]) {
      writeFileSync(path, bytes);
      expect(await cache.get('a')).toBeNull();
      expect(readdirSync(folder)).toEqual([]);
    }
    expect(cache.statistics.damaged).toBe(63);
    await cache.put('b', image(2));
    const [other] = readdirSync(folder);
    writeFileSync(path, readFileSync(join(folder, other)));
    expect(await cache.get('a')).toBeNull();
    expect(await cache.get('b')).toEqual(image(2));
  });

  it('keeps to its limit: what was not used for the longest time goes, and what is not its own stays', async () => {
    writeFileSync(join(folder, 'mine.img'), 'x');
    writeFileSync(join(folder, `${'0'.repeat(64)}.png`), 'x');
    const abandoned = `${'0'.repeat(64)}.${'1'.repeat(12)}.tmp`;
    writeFileSync(join(folder, abandoned), 'x');
    utimesSync(join(folder, abandoned), 1000, 1000);
    const foreign = readdirSync(folder).filter((name) => name !== abandoned);
    const cache = new ImageCache({ folder, maxBytes: 5 * entryBytes });
    const known = new Set(readdirSync(folder));
    for (const [i, key] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      await cache.put(key, image(i));
      const name = readdirSync(folder).find((file) => !known.has(file)) as string;
      known.add(name);
      utimesSync(join(folder, name), 2000 + i, 2000 + i);
    }
    expect(await cache.get('a')).toEqual(image(0));
    await cache.put('f', image(5));
    const found = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => cache.get(key)));
    expect(found.map((entry) => entry !== null)).toEqual([true, false, false, true, true, true]);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(foreign));
    expect(readdirSync(folder)).toHaveLength(foreign.length + 4);
    await new ImageCache({ folder, maxBytes: entryBytes - 1 }).put('g', image(6));
    expect(await cache.get('g')).toBeNull();
  });

  it('does without a folder that it cannot use', async () => {
    writeFileSync(join(folder, 'file'), '');
    const cache = new ImageCache({ folder: join(folder, 'file/images') });
    await cache.put('a', image(1));
    expect(await cache.get('a')).toBeNull();
    expect(cache.statistics).toEqual({
      hits: 0,
      misses: 1,
      damaged: 0,
      failure: expect.stringMatching(/^(ENOTDIR|EEXIST|ENOENT): /),
    });
    expect(() => new ImageCache({ maxBytes: Number.NaN })).toThrow(InputError);
  });
});

describe('the reader', () => {
  const options = () => ({ size: 4, cache: { folder: join(folder, 'cache') }, numWorkers: 0 });
  const opened = () => vi.spyOn(PictureFile, 'open');

  it('decodes a picture once, for later readers too, and again when it has changed', async () => {
    const path = join(folder, 'a.jpg');
    writeFileSync(path, await jpeg('one'));
    const open = opened();
    const reader = new ImageReader(options());
    expect(reader.peek(path)).toBeUndefined();
    const first = await reader.read(path);
    expect(first).toMatchObject({ height: 4, width: 4, sourceHeight: 6, sourceWidth: 8 });
    expect(await reader.read(path)).toBe(first);
    expect(reader.peek(path)).toBe(first);
    expect(await new ImageReader(options()).read(path)).toEqual(first);
    expect(open).toHaveBeenCalledTimes(1);
    expect(await new ImageReader({ ...options(), order: 'BGR' }).read(path)).not.toEqual(first);
    expect(await new ImageReader({ ...options(), antialias: true }).read(path)).toEqual(first);
    expect(open).toHaveBeenCalledTimes(3);
    const { atime, mtime } = statSync(path);
    writeFileSync(path, await jpeg('two'));
    utimesSync(path, atime, mtime);
    expect((await new ImageReader(options()).read(path)).pixels).not.toEqual(first.pixels);
    expect(open).toHaveBeenCalledTimes(4);
    open.mockRestore();
  });

  it('decodes again what is damaged in the cache', async () => {
    const path = join(folder, 'a.jpg');
    writeFileSync(path, await jpeg('one'));
    const first = await new ImageReader(options()).read(path);
    const [name] = readdirSync(join(folder, 'cache'));
    const entry = readFileSync(join(folder, 'cache', name));
    const broken = Buffer.from(entry);
    broken[broken.length - 1] ^= 1;
    writeFileSync(join(folder, 'cache', name), broken);
    expect(await new ImageReader(options()).read(path)).toEqual(first);
    expect(readFileSync(join(folder, 'cache', name)).equals(entry)).toBe(true);
  });

  it('keeps in memory what there is room for', async () => {
    const paths = ['a', 'b', 'c'].map((name) => join(folder, name));
    for (const path of paths) writeFileSync(path, await jpeg(path));
    const reader = new ImageReader({ size: 4, cache: false, memoryBytes: 2 * 48 + 47 });
    for (const path of [...paths, ...paths]) await reader.read(path);
    expect(paths.map((path) => reader.peek(path) !== undefined)).toEqual([true, true, false]);
    expect(readdirSync(folder)).toEqual(['a', 'b', 'c']);
  });

  it('fills a batch with the same values each time, however much it may keep', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, await jpeg('one'));
    const { pixels } = await new ImageReader({ size: 4, cache: false }).read(path);
    const wanted = new Float32Array(50);
    normalizeInto(wanted, 1, pixels);
    for (const [memoryBytes, repeated, isKept] of [
      [0, 1, false],
      [48, 1, false],
      [5 * 48, 0, false],
      [5 * 48, 1, true],
      [5 * 48, 2, false],
      [6 * 48, 2, true],
    ] as const) {
      const reader = new ImageReader({ size: 4, cache: false, memoryBytes });
      reader.keepInputsOf(repeated);
      for (let time = 0; time < 3; time++) {
        const batch = new Float32Array(50);
        const filling = reader.fill(batch, 1, path);
        expect(filling !== undefined).toBe(time === 0 || memoryBytes === 0);
        await filling;
        expect(batch).toEqual(wanted);
      }
      // Images that are kept as inputs no longer depend on the pixels.
      reader.peek(path)?.pixels.fill(0);
      const batch = new Float32Array(50);
      await reader.fill(batch, 1, path);
      expect(isDeepStrictEqual(batch, wanted)).toBe(isKept || memoryBytes === 0);
    }
  });

  it('refuses other contents than those that the checksum is of', async () => {
    const path = join(folder, 'a.jpg');
    const first = await jpeg('one');
    for (const cache of [false, { folder: join(folder, 'cache') }]) {
      for (const readsFirst of [false, true]) {
        writeFileSync(path, first);
        // Nothing is kept in memory, as in epochs over more pictures than there is room for.
        const reader = new ImageReader({ size: 4, cache, memoryBytes: 0 });
        if (readsFirst) await reader.read(path);
        const sha256 = await reader.sha256Of(path);
        const { pixels } = await reader.read(path);
        utimesSync(path, 1000, 1000);
        expect((await reader.read(path)).pixels).toEqual(pixels);
        expect(await reader.sha256Of(path)).toBe(sha256);
        writeFileSync(path, await jpeg('two'));
        const error = await reader.read(path).catch((failure: unknown) => failure);
        expect(error).toBeInstanceOf(FileError);
        expect((error as Error).message).toMatch(
          /a\.jpg: expected the contents that were there at the start, got others; put/,
        );
        writeFileSync(path, first);
        expect((await reader.read(path)).pixels).toEqual(pixels);
        rmSync(path);
        await expect(reader.read(path)).rejects.toThrow(/expected a readable picture, got ENOENT/);
      }
    }
    writeFileSync(path, first);
    const reader = new ImageReader({ size: 4, cache: false });
    await reader.read(path);
    writeFileSync(path, await jpeg('three'));
    await expect(reader.sha256Of(path)).rejects.toThrow(/expected the contents that were there at the start/);
  });

  it('continues after a picture that cannot be read', async () => {
    writeFileSync(join(folder, 'bad.jpg'), await halfJpeg());
    writeFileSync(join(folder, 'good.jpg'), await jpeg('good'));
    const reader = new ImageReader(options());
    const names = ['bad.jpg', 'missing.jpg', 'good.jpg', 'good.jpg', 'bad.jpg'];
    const results = await Promise.allSettled(names.map((name) => reader.read(join(folder, name))));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled', 'rejected']);
    await expect(reader.read(join(folder, 'bad.jpg'))).rejects.toThrow(FileError);
  });

  it.each([
    [{ memoryBytes: -1 }, /memoryBytes: expected a number from 0 on, got -1/],
    [{ numWorkers: 1.5 }, /numWorkers: expected an integer from 0 to 64, got 1\.5/],
    [{ cache: { maxBytes: -1 } }, /maxBytes: expected a number from 0 on, got -1/],
  ])('refuses %j', (wrong, message) => {
    expect(() => new ImageReader(wrong)).toThrow(message);
  });
});

describe('other threads and processes', () => {
  const run = async (script: string, ...args: string[]) => {
    writeFileSync(join(folder, 'script.js'), script);
    const { stdout } = await promisify(execFile)(process.execPath, ['script.js', ...args], { cwd: folder });
    return JSON.parse(stdout);
  };

  beforeEach(() => compileInto(folder));

  it('decode while the main thread stands still, report what is wrong, and end with the process', async () => {
    for (let i = 0; i < 30; i++) writeFileSync(join(folder, `${i}.jpg`), await jpeg(`${i}`, 300, 300));
    writeFileSync(join(folder, 'bad.jpg'), await halfJpeg());
    const result = await run(`
      import { readdirSync } from 'node:fs';
      import { FileError } from './errors.js';
      import { ImageReader } from './vision/datasets/reading/imageReader.js';
      const reader = new ImageReader({ size: 4, cache: { folder: 'cache' }, numWorkers: 2 });
      const reads = Array.from({ length: 30 }, (_, i) => reader.read(i + '.jpg'));
      const bad = reader.read('bad.jpg').catch((error) => error);
      const count = () => { try { return readdirSync('cache').filter((name) => name.endsWith('.img')).length; } catch { return 0; } };
      const cell = new Int32Array(new SharedArrayBuffer(4));
      // From here on this thread's event loop does not turn.
      for (let i = 0; i < 400 && count() < 30; i++) Atomics.wait(cell, 0, 0, 50);
      const done = count();
      const error = await bad;
      const pixels = (await Promise.all(reads)).map(({ pixels }) => pixels[0]);
      console.log(JSON.stringify({ done, isFile: error instanceof FileError, message: error.message, pixels }));
    `);
    expect(result.done).toBe(30);
    expect(result.isFile).toBe(true);
    // libvips keeps what was wrong in one place for all threads, and sometimes another one has cleared it meanwhile.
    expect(result.message).toMatch(
      /^\[image\] bad\.jpg: expected an intact picture, got .*(premature end|Warning treated as error|damaged or truncated contents)/,
    );
    const reader = new ImageReader({ size: 4, cache: false });
    const expected = await Promise.all(
      result.pixels.map(async (_: number, i: number) => (await reader.read(join(folder, `${i}.jpg`))).pixels[0]),
    );
    expect(result.pixels).toEqual(expected);
  });

  it('fail with a message when a thread ends', async () => {
    writeFileSync(join(folder, 'vision/datasets/reading/imageWorker.js'), 'setTimeout(() => process.exit(3), 200);');
    const result = await run(`
      import { ImageReader } from './vision/datasets/reading/imageReader.js';
      const reader = new ImageReader({ numWorkers: 1 });
      const failures = [];
      for (let i = 0; i < 2; i++) await reader.read('a.jpg').catch((error) => failures.push(error.message));
      console.log(JSON.stringify(failures));
    `);
    expect(result).toEqual(Array(2).fill('[images] thread: expected it to keep running, got exit code 3'));
  });

  it('share the cache: half-written entries are never seen', async () => {
    const script = `
      import { ImageCache } from './vision/datasets/reading/imageCache.js';
      const cache = new ImageCache({ folder: 'cache', maxBytes: 20 * 30056 });
      let wrong = 0;
      for (let round = 0; round < 150; round++) {
        await Promise.all(Array.from({ length: 4 }, async () => {
          const value = Math.floor(Math.random() * 40);
          const found = await cache.get('key ' + value);
          if (found === null) {
            await cache.put('key ' + value, { pixels: new Uint8Array(30000).fill(value), height: 100, width: 100, sourceHeight: 1, sourceWidth: 1 });
          } else if (found.pixels.length !== 30000 || found.pixels.some((byte) => byte !== value)) wrong++;
        }));
      }
      console.log(JSON.stringify({ wrong, ...cache.statistics }));
    `;
    const results = await Promise.all([run(script), run(script)]);
    for (const { wrong, damaged, failure, hits, misses } of results) {
      expect({ wrong, damaged, failure, all: hits + misses }).toEqual({
        wrong: 0,
        damaged: 0,
        failure: null,
        all: 600,
      });
      expect(hits).toBeGreaterThan(50);
    }
    expect(readdirSync(join(folder, 'cache')).filter((name) => !name.endsWith('.img'))).toEqual([]);
  });
});
