import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { FileError, ShapeError } from '../../../src/errors.js';
import { readDigit } from '../../../src/vision/images/digit.js';
import { encodePng } from '../../../src/vision/images/png.js';
import { temporaryFolder } from '../../temporary.js';

const folder = temporaryFolder();
let files = 0;

async function save(picture: Sharp, extension = 'png'): Promise<string> {
  const path = join(folder, `${files++}.${extension}`);
  await picture.toFile(path);
  return path;
}

/** A "7": a bar on top and a slanted leg. */
function seven({
  ink = '#222',
  paper = '#f4efe2' as string | null,
  width = 120,
  height = 200,
  x = 0,
  y = 0,
} = {}): Sharp {
  const rect = paper === null ? '' : `<rect width="100%" height="100%" fill="${paper}"/>`;
  const path = `<path d="M30 40 L90 40 L50 160" stroke="${ink}" stroke-width="12" fill="none" transform="translate(${x} ${y})"/>`;
  return sharp(
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${rect}${path}</svg>`),
  );
}

/** Rows and columns with ink, and the center of mass. */
function measure(image: Float32Array) {
  let [mass, x, y, peak] = [0, 0, 0, 0];
  const [rows, columns] = [new Set<number>(), new Set<number>()];
  image.forEach((value, i) => {
    mass += value;
    x += value * ((i % 28) + 0.5);
    y += value * (Math.floor(i / 28) + 0.5);
    peak = Math.max(peak, value);
    if (value > 0.1) {
      rows.add(Math.floor(i / 28));
      columns.add(i % 28);
    }
  });
  return { x: x / mass, y: y / mass, peak, height: rows.size, width: columns.size };
}

function difference(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.reduce((sum, value) => sum + value, 0);
}

describe('readDigit', () => {
  it('makes dark ink on paper as MNIST has it', async () => {
    const { image, note } = await readDigit(await save(seven()));
    expect(image).toHaveLength(784);
    const { x, y, peak, height, width } = measure(image);
    expect(note).toBe('light background: inverted, cut, centered');
    expect(peak).toBe(1);
    expect([x, y].every((center) => Math.abs(center - 14) <= 0.5)).toBe(true);
    expect(height).toBe(20);
    // 72 of 126 units wide.
    expect(Math.abs(width - 11)).toBeLessThanOrEqual(1);
  });

  it('gives the same for the same digit however it is photographed', async () => {
    const { image } = await readDigit(await save(seven()));
    const light = { ink: '#eee', paper: '#111' };
    const variants: [string, Promise<string>, string][] = [
      ['white on black', save(seven(light)), 'cut, centered'],
      ['a corner of a large sheet', save(seven({ width: 1500, height: 900, x: 1300, y: 650 })), 'light'],
      ['JPEG', save(seven().jpeg({ quality: 60 }), 'jpg'), 'light'],
      ['WebP', save(seven(), 'webp'), 'light'],
      ['GIF', save(seven(), 'gif'), 'light'],
      ['transparent paper', save(seven({ paper: null })), 'light'],
      ['light ink on transparent paper', save(seven({ paper: null, ink: '#fff' })), 'cut, centered'],
      ['coloured ink', save(seven({ ink: '#a00', paper: '#fff' })), 'light'],
      ['16 bits', save(seven().toColourspace('rgb16')), 'light'],
      ['CMYK', save(seven().toColourspace('cmyk').jpeg(), 'jpg'), 'light'],
      [
        'turned, as EXIF says',
        save(sharp(await seven().rotate(90).toBuffer()).withMetadata({ orientation: 8 })),
        'light',
      ],
    ];
    for (const [name, path, expected] of variants) {
      const variant = await readDigit(await path);
      expect(variant.note, name).toContain(expected);
      expect(difference(image, variant.image), name).toBeLessThan(0.15);
    }
  });

  it('is not put off by the grain of paper', async () => {
    const { data, info } = await seven({ paper: '#ccc' }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    let word = 1;
    const grainy = data.map((value) => {
      word = (Math.imul(word, 1_103_515_245) + 12_345) >>> 0;
      return Math.min(255, Math.max(0, value + ((word >>> 16) % 25) - 12));
    });
    const { width, height } = info;
    const { image } = await readDigit(await save(sharp(grainy, { raw: { width, height, channels: 3 } })));
    const clean = await readDigit(await save(seven({ paper: '#ccc' })));
    expect(difference(clean.image, image)).toBeLessThan(0.15);
  });

  it('takes 28×28 with a dark border as it is', async () => {
    const pixels = Uint8Array.from({ length: 784 }, (_, i) => (i % 28 > 3 && i % 28 < 9 ? i % 251 : 0));
    const raw = { width: 28, height: 28, channels: 1 } as const;
    const path = await save(sharp(pixels, { raw }).toColourspace('b-w'));
    const { image, note } = await readDigit(path);
    expect(note).toBe('taken as it is');
    expect(image).toEqual(Float32Array.from(pixels, (value) => value / 255));
    const inverted = await readDigit(
      await save(
        sharp(
          pixels.map((value) => 255 - value),
          { raw },
        ),
      ),
    );
    expect(inverted.note).toContain('inverted');
  });

  it('keeps a thin line and a single dot in the picture', async () => {
    const line = (w: number, h: number) =>
      save(
        sharp(
          Buffer.from(
            `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><rect width="900" height="900" fill="#fff"/><rect x="400" y="20" width="${w}" height="${h}"/></svg>`,
          ),
        ),
      );
    const one = measure((await readDigit(await line(2, 850))).image);
    expect([one.width, one.height, one.peak]).toEqual([1, 20, 1]);
    const dot = measure((await readDigit(await line(3, 3))).image);
    expect([dot.width, dot.height]).toEqual([20, 20]);
  });

  it('refuses what is no picture of a digit', async () => {
    const text = join(folder, 'text.png');
    writeFileSync(text, 'no picture');
    const empty = join(folder, 'empty.png');
    writeFileSync(empty, '');
    const whole = await seven().jpeg().toBuffer();
    const cut = join(folder, 'cut.jpg');
    writeFileSync(cut, whole.subarray(0, whole.length / 2));
    mkdirSync(join(folder, 'sub'));
    const blank = await save(sharp({ create: { width: 40, height: 40, channels: 3, background: '#fff' } }));
    for (const [path, message] of [
      [text, 'expected a picture (JPEG, PNG'],
      [empty, 'expected a picture (JPEG, PNG'],
      [cut, 'expected a picture (JPEG, PNG'],
      [blank, 'expected a digit that stands out from its background'],
      [join(folder, 'sub'), 'got a folder'],
      [join(folder, 'nothing.png'), 'ENOENT'],
    ]) {
      const error = await readDigit(path).catch((caught: unknown) => caught);
      expect(error, path).toBeInstanceOf(FileError);
      expect((error as Error).message).toContain(`[digit] ${path}: `);
      expect((error as Error).message).toContain(message);
      expect((error as Error).message).not.toContain('\n');
    }
  });
});

describe('encodePng', () => {
  it.each([1, 3])('writes images of %i channels', async (channels) => {
    const image = Float32Array.from({ length: channels * 6 }, (_, i) => (i - 1) / (channels * 5));
    const png = await encodePng(image, [channels, 2, 3]);
    const space = channels === 1 ? 'b-w' : 'srgb';
    const data = await sharp(png).toColourspace(space).raw().toBuffer();
    const info = await sharp(png).metadata();
    expect([info.width, info.height, info.channels]).toEqual([3, 2, channels]);
    const expected = Array.from(image, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < 6; p++) expect(data[p * channels + c]).toBe(expected[c * 6 + p]);
    }
  });

  it('refuses other shapes', async () => {
    await expect(encodePng(new Float32Array(12), [2, 2, 3])).rejects.toThrow(ShapeError);
    await expect(encodePng(new Float32Array(5), [1, 2, 3])).rejects.toThrow(ShapeError);
  });
});
