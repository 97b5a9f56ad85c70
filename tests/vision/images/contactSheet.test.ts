import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import { DatasetFolder, ImageFolder } from '../../../src/vision/datasets/folder.js';
import { datasetSheet } from '../../../src/vision/datasets/sheets.js';
import { contactSheet, isOwnPicture, sideBySide } from '../../../src/vision/images/contactSheet.js';
import { canLetter, lettering, letteringWidth } from '../../../src/vision/images/lettering.js';
import { compileInto } from '../../compiled.js';
import { temporaryFolder } from '../../temporary.js';
import { halfJpeg, jpeg } from '../pictures.js';

const root = temporaryFolder();
const folder = join(root, 'set');
let picture: Buffer;

beforeAll(async () => {
  picture = await sharp({ create: { width: 60, height: 30, channels: 3, background: '#ff0000' } })
    .png()
    .toBuffer();
  for (const [name, count] of Object.entries({ cats: 9, dogs: 5, newts: 1 })) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++) writeFileSync(join(folder, name, `${i}.jpg`), await jpeg(`${name}${i}`));
  }
});

async function pixels(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
  /** Pixels of a colour. */
  const count = (colour: readonly number[]) => {
    let found = 0;
    for (let i = 0; i < data.length; i += 3) if (colour.every((value, c) => data[i + c] === value)) found++;
    return found;
  };
  return { width: info.width, height: info.height, channels: info.channels, at, count };
}

const red = [255, 0, 0];
const blue = [0x1d, 0x5f, 0xa8];

describe('contactSheet', () => {
  it('fits each picture into its square, frames it, and keeps the proportions', async () => {
    const sheet = await contactSheet(
      Array.from({ length: 5 }, () => ({ source: picture, captions: ['a', 'b'], colour: '#1d5fa8' })),
      { columns: 3, size: 104 },
    );
    const { width, height, channels, at, count } = await pixels(sheet);
    expect([width, channels]).toEqual([3 * (104 + 10) + 10, 3]);
    expect(height).toBe(10 + 2 * (104 + 10 + 2 * 16));
    // 100 by 50 pixels inside a frame of 2.
    expect(count(red)).toBe(5 * 100 * 50);
    expect([at(10, 10 + 52), at(12, 10 + 52), at(113, 62), at(115, 62)]).toEqual([blue, red, blue, [255, 255, 255]]);
    expect([at(60, 10 + 26), at(60, 10 + 27), at(60, 10 + 24)]).toEqual([blue, red, [255, 255, 255]]);
  });

  it('shows EXIF-turned pictures upright, and small ones enlarged', async () => {
    const turned = await sharp(picture).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { count } = await pixels(await sideBySide([{ source: turned, captions: [] }], { size: 106 }));
    expect(count([254, 0, 0]) + count(red)).toBeGreaterThan(100 * 50 - 400);
    const tall = await pixels(await sideBySide([{ source: turned, captions: [] }], { size: 106 }));
    expect(tall.at(10 + 53, 14)[1]).toBeLessThan(10);
    expect(tall.at(10 + 20, 63)).toEqual([255, 255, 255]);
  });

  it('writes titles, notes and captions, with any characters', async () => {
    const captions = ['<b>&"\'</b>', '\u0000\u001b[31m\ud800 \ufffe', '近视 é', 'x'.repeat(1000), ''];
    const plain = await contactSheet([{ source: picture, captions: [] }]);
    const full = await contactSheet([{ source: picture, captions }], { title: '</svg>', note: 'n'.repeat(500) });
    const [before, after] = [await pixels(plain), await pixels(full)];
    expect(after.count(red)).toBe(before.count(red));
    expect(after.height).toBeGreaterThan(before.height);
    // The note's colour reaches up to the margin, but not beyond.
    for (let y = 0; y < after.height; y++) expect(after.at(after.width - 2, y)).toEqual([255, 255, 255]);
  });

  it('refuses what cannot be drawn', async () => {
    const one = { source: picture, captions: [] };
    await expect(contactSheet([])).rejects.toThrow(/expected 1 to 2000 pictures, got 0/);
    await expect(contactSheet([one], { size: 0 })).rejects.toThrow(/size: expected an integer from 1 to 4096, got 0/);
    await expect(contactSheet([one], { columns: 1.5 })).rejects.toThrow(InputError);
    await expect(contactSheet(Array(100).fill(one), { size: 4096 })).rejects.toThrow(/choose a smaller size/);
    const half = join(root, 'half.jpg');
    writeFileSync(half, await halfJpeg());
    await expect(contactSheet([one, { source: half, captions: [] }])).rejects.toThrow(/half\.jpg: expected an intact/);
    await expect(contactSheet([{ source: join(root, 'none.jpg'), captions: [] }])).rejects.toThrow(FileError);
  });

  it('knows its own files again', async () => {
    const [own, foreign] = [join(root, 'own.png'), join(root, 'foreign.png')];
    writeFileSync(own, await contactSheet([{ source: picture, captions: [] }]));
    writeFileSync(
      foreign,
      await sharp(picture)
        .withExif({ IFD0: { Software: 'Foveated' } })
        .png()
        .toBuffer(),
    );
    expect([await isOwnPicture(own), await isOwnPicture(foreign), await isOwnPicture(root)]).toEqual([
      true,
      false,
      false,
    ]);
    await expect(isOwnPicture(join(root, 'none.png'))).rejects.toThrow(
      /none\.png: expected a readable file, got ENOENT/,
    );
  });
});

describe('datasetSheet', () => {
  it('takes as many of each class as there are, by the seed', async () => {
    const dataset = await DatasetFolder.open(folder, { cache: false });
    const frames = async (options: { images: number; seed?: number }) => {
      const { count } = await pixels(await datasetSheet(dataset, { ...options, size: 80, title: 'Animals' }));
      return [blue, [0xbf, 0x4e, 0x05], [0x2f, 0x7d, 0x4f]].map((colour) => count(colour) > 100);
    };
    expect(await frames({ images: 1 })).toEqual([true, false, false]);
    expect(await frames({ images: 3 })).toEqual([true, true, true]);
    const size = async (images: number) =>
      (await pixels(await datasetSheet(dataset, { images, columns: 1, size: 80 }))).height;
    const row = (await size(2)) - (await size(1));
    // Four cats, four dogs, and the only newt.
    expect(((await size(12)) - (await size(1))) / row + 1).toBe(9);
    const bytes = (seed: number) => datasetSheet(dataset, { images: 6, seed });
    expect(await bytes(1)).toEqual(await bytes(1));
    expect(await bytes(1)).not.toEqual(await bytes(2));
    await expect(datasetSheet(dataset, { images: 0 })).rejects.toThrow(/images: expected an integer from 1 to 2000/);
  });

  it('takes pictures without classes', async () => {
    const { width } = await pixels(
      await datasetSheet(await ImageFolder.open(folder, { cache: false }), { columns: 2 }),
    );
    expect(width).toBe(2 * 173 + 13);
  });
});

describe('letters', () => {
  const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');

  it('are there for all of ASCII, no two alike, each within its width', async () => {
    expect(canLetter(ascii)).toBe(true);
    expect(canLetter('é')).toBe(false);
    const drawn = await Promise.all(
      Array.from(ascii.slice(1), async (character) => {
        const width = Math.ceil(letteringWidth(character, 28)) + 20;
        const letter = lettering(character, { x: 10, y: 50, size: 28, colour: '#000' });
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="80">${letter}</svg>`;
        const { data, info } = await sharp(Buffer.from(svg))
          .extractChannel(3)
          .raw()
          .toBuffer({ resolveWithObject: true });
        for (let y = 0; y < 80; y++)
          expect([character, data[y * info.width + 4], data[y * info.width + width - 5]]).toEqual([character, 0, 0]);
        return data.toString('base64');
      }),
    );
    expect(new Set(drawn).size).toBe(94);
  });

  it('need no fonts: a machine without any draws the same', () => {
    compileInto(root);
    mkdirSync(join(root, 'nofonts'));
    writeFileSync(join(root, 'fonts.conf'), `<?xml version="1.0"?><fontconfig><dir>${root}/nofonts</dir></fontconfig>`);
    writeFileSync(join(root, 'red.png'), picture);
    writeFileSync(
      join(root, 'script.js'),
      `import { createHash } from 'node:crypto';
      import sharp from 'sharp';
      import { contactSheet } from './vision/images/contactSheet.js';
      const draw = async (captions) => sharp(await contactSheet([{ source: 'red.png', captions }])).raw().toBuffer();
      const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
      const [ascii, foreign, empty] = [await draw(['P0001.jpg']), await draw(['近视']), await draw([' '])];
      console.log(JSON.stringify([hash(ascii), !foreign.equals(empty)]));`,
    );
    const draw = (env: Record<string, string>) =>
      JSON.parse(
        execFileSync(process.execPath, ['script.js'], { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } }),
      );
    const [usual, visible] = draw({});
    expect(visible).toBe(true);
    expect(draw({ FONTCONFIG_FILE: join(root, 'fonts.conf') })).toEqual([usual, true]);
  });
});
