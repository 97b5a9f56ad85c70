import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PALM } from '../../../src/vision/palm/dataset.js';
import { boundByPermissions, failure, folder, out, released, run, trainingZip, write } from './setUp.js';

describe('the data set', () => {
  it('has images in the order BGR and labels', async () => {
    await run(released());
    const train = await PALM.open({ dataDir: out, size: 2, cache: false });
    expect(train.classNames).toEqual(['non-PM', 'PM']);
    expect(train.files.map(({ path, label }) => [path.slice(-9), label])).toEqual([
      ['H0001.jpg', 0],
      ['N0001.jpg', 0],
      ['P0001.jpg', 1],
      ['P0002.jpg', 1],
    ]);
    expect(train.images[0]).toMatchObject({ width: 8, height: 6 });
    const { images, shape, labels } = await train.readBatch([2, 1]);
    expect([shape, [...labels]]).toEqual([
      [2, 3, 2, 2],
      [1, 0],
    ]);
    expect(Math.max(...images)).toBeLessThanOrEqual(1);
    const red = await PALM.open({ dataDir: out, size: 2, cache: false, order: 'RGB' });
    const inRed = (await red.readBatch([2, 1])).images;
    const plane = (array: typeof images, sample: number, channel: number) =>
      array.slice(4 * (3 * sample + channel), 4 * (3 * sample + channel + 1));
    for (const sample of [0, 1]) {
      expect([0, 1, 2].map((channel) => plane(images, sample, channel))).toEqual(
        [2, 1, 0].map((channel) => plane(inRed, sample, channel)),
      );
      expect(plane(images, sample, 0)).not.toEqual(plane(images, sample, 2));
    }
    const validation = await PALM.open({ dataDir: out, mode: 'validation', cache: false });
    expect((await validation.get(0)).shape).toEqual([3, 224, 224]);
    expect(validation.sha256).not.toBe(train.sha256);
  });

  it('leaves out what went bad since, if that is wanted', async () => {
    const { sha256: whole } = await run(released()).then(() => PALM.open({ dataDir: out, cache: false }));
    const path = (name: string) => join(out, 'PALM-Training400', `${name}.jpg`);
    writeFileSync(path('N0001'), Buffer.alloc(readFileSync(path('N0001')).length, 'x'));
    writeFileSync(path('P0001'), 'x');
    const open = (onBadImage: 'fail' | 'skip') => PALM.open({ dataDir: out, cache: false, onBadImage });
    const { files, images, quarantine, labels, sha256 } = await open('skip');
    expect(files.map((file) => file.path)).toEqual([path('H0001'), path('P0002')]);
    expect([[...labels], images.map(({ file }) => file.slice(-9))]).toEqual([
      [0, 1],
      ['H0001.jpg', 'P0002.jpg'],
    ]);
    expect(quarantine).toEqual([
      { path: path('N0001'), reason: expect.stringMatching(/begins with 78 78/) },
      { path: path('P0001'), reason: expect.stringMatching(/expected the file that was imported/) },
    ]);
    expect(sha256).not.toBe(whole);
    expect(await failure(open('fail'))).toMatch(/missing or changed ones: PALM-Training400\/P0001\.jpg; import again/);
    for (const name of ['H0001', 'N0001', 'P0002']) rmSync(path(name));
    expect(await failure(open('skip'))).toMatch(/missing or changed ones/);
  });

  it('distinguishes folders that may not be read from pictures that are gone', async () => {
    await run(released());
    const open = () => boundByPermissions("PALM.open({ dataDir: 'out', cache: false, onBadImage: 'skip' })");
    chmodSync(join(out, 'PALM-Training400'), 0);
    expect(open()).toMatch(
      /^FileError .*out\/PALM-Training400: expected a readable folder, got EACCES.*make the folder/,
    );
    chmodSync(out, 0);
    expect(open()).toMatch(
      /^FileError .*out\/palm\.json: expected the list.*got EACCES.*; make the folder and its files/,
    );
    chmodSync(out, 0o755);
    chmodSync(join(out, 'PALM-Training400'), 0o755);
  });

  it('refuses what was not imported, or changed since', async () => {
    expect(await failure(PALM.open({ dataDir: folder }))).toMatch(
      /palm\.json: expected the list that an import writes, got ENOENT.*; import the data set into .* first/,
    );
    await run(write('training.zip', trainingZip()));
    expect(await failure(PALM.open({ dataDir: out, mode: 'validation' }))).toMatch(
      /expected validation pictures, got none/,
    );
    expect(await failure(PALM.open({ dataDir: out, mode: 'test' as 'train' }))).toMatch(/mode: expected 'train' or/);
    rmSync(join(out, 'PALM-Training400/P0001.jpg'));
    writeFileSync(join(out, 'PALM-Training400/P0002.jpg'), 'x');
    expect(await failure(PALM.open({ dataDir: out }))).toMatch(
      /missing or changed ones: PALM-Training400\/P0001\.jpg, PALM-Training400\/P0002\.jpg; import again/,
    );
    for (const text of ['{', '{}', '{"format":"fovea-palm","version":2}']) {
      writeFileSync(join(out, 'palm.json'), text);
      expect(await failure(PALM.open({ dataDir: out }))).toMatch(
        /palm\.json: expected the list that an import writes, got .+;/,
      );
    }
  });
});
