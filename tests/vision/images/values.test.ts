import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/errors.js';
import { surveyNotes, surveyPictures } from '../../../src/vision/datasets/reading/pictureSurvey.js';
import { decodeImage, PictureFile } from '../../../src/vision/images/decode.js';
import { readDigit } from '../../../src/vision/images/digit.js';
import { preprocessing } from '../../../src/vision/images/preprocess.js';
import { halvesOf } from '../../../src/vision/images/values.js';
import { temporaryFolder } from '../../temporary.js';
import { bigTiffOf, tiffOf } from './oddPictures.js';

const folder = temporaryFolder();

/** A ramp from black to white, in the values that `largest` and `Type` say. */
const [height, width] = [4, 16];
const count = height * width;
type Values = Parameters<typeof tiffOf>[0];
const ramp = <T extends Values>(Type: { new (length: number): T }, largest: number, channels = 1): T => {
  const values = new Type(count * channels);
  for (let p = 0; p < count; p++) values.fill(((largest * p) / (count - 1)) as never, p * channels, (p + 1) * channels);
  return values;
};
const size = [height, width, 1] as const;
/** Each pixel is grey here. */
const greyOf = async (bytes: Uint8Array) => (await decodeImage(bytes)).data.filter((_, i) => i % 3 === 0);
const wanted = Array.from({ length: count }, (_, p) => (255 * p) / (count - 1));

/** Half floats from 0 to 1, of which these powers and their middles are all that is needed. */
const halves = Uint16Array.from({ length: count }, (_, p) => {
  const value = p / (count - 1);
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
});

/** The tag of a picture where 0 is white, and its values. */
const white = { 262: [0] };
const negative = <T extends Values>(values: T, largest: number): T => values.map((value) => largest - value) as T;
const ofColours = (values: Uint16Array) => Uint16Array.from({ length: 3 * count }, (_, i) => values[Math.floor(i / 3)]);

describe('values of any depth become bytes that show the same', () => {
  it.each<[string, Buffer, string]>([
    ['floats from 0 to 1', tiffOf(ramp(Float32Array, 1), size), 'floats from 0 to 1 made 8'],
    ['floats from 0 to 255', tiffOf(ramp(Float32Array, 255), size), 'floats from 0 to 255 made 8'],
    ['half floats', tiffOf(halves, size, { 339: [3] }), 'floats from 0 to 1 made 8'],
    ['16 bits', tiffOf(ramp(Uint16Array, 65535), size), '16 bits made 8'],
    ['12 bits in 16', tiffOf(ramp(Uint16Array, 4095), size), '12 bits in 16 made 8'],
    ['8 bits in 16', tiffOf(ramp(Uint16Array, 255), size), '8 bits in 16 made 8'],
    ['10 bits in 16, by the file', tiffOf(ramp(Uint16Array, 1023), size, { 281: [1023] }), '10 bits in 16 made 8'],
    ['14 bits in 16, by the file', tiffOf(ramp(Uint16Array, 16383), size, { 341: [16383] }), '14 bits in 16 made 8'],
    ['signed 16 bits', tiffOf(ramp(Int16Array, 32767), size), '15 bits in 16 made 8'],
    ['32 bits', tiffOf(ramp(Uint32Array, 2 ** 32 - 1), size), '32 bits made 8'],
    ['16 bits in 32', tiffOf(ramp(Uint32Array, 65535), size), '16 bits in 32 made 8'],
    ['signed 32 bits', tiffOf(ramp(Int32Array, 2 ** 31 - 1), size), '31 bits in 32 made 8'],
    ['8 bits in signed 32', tiffOf(ramp(Int32Array, 255), size), '8 bits in 32 made 8'],
    ['floats where 0 is white', tiffOf(negative(ramp(Float32Array, 1), 1), size, white), 'floats from 0 to 1 made 8'],
    ['12 bits where 0 is white', tiffOf(negative(ramp(Uint16Array, 4095), 4095), size, white), '12 bits in 16 made 8'],
    ['16 bits where 0 is white', tiffOf(negative(ramp(Uint16Array, 65535), 65535), size, white), '16 bits made 8'],
    ['15 bits where 0 is white', tiffOf(negative(ramp(Int16Array, 32767), 32767), size, white), '15 bits in 16 made 8'],
    [
      'half floats of three colours',
      tiffOf(ofColours(halves), [height, width, 3], { 339: [3, 3, 3] }),
      'floats from 0 to 1 made 8',
    ],
    ['half floats of BigTIFF', bigTiffOf(halves, size, { 339: [3] }), 'floats from 0 to 1 made 8'],
    [
      '10 bits of BigTIFF, by the file',
      bigTiffOf(ramp(Uint16Array, 1023), size, { 281: [1023] }),
      '10 bits in 16 made 8',
    ],
  ])('%s', async (_, bytes, change) => {
    const grey = await greyOf(bytes);
    expect(grey).toHaveLength(count);
    // Whole numbers lose their lower bits, so that 254.9 may be 254.
    grey.forEach((value, p) => {
      expect(Math.abs(value - wanted[p])).toBeLessThanOrEqual(1);
    });
    const picture = await PictureFile.open(bytes);
    expect(await picture.changes()).toEqual([change]);
    const part = await picture.within({ top: 1, left: 2, height: 2, width: 3 }).readRows(1, 1);
    expect([...part.filter((_value, i) => i % 3 === 0)]).toEqual([...grey.subarray(2 * width + 2, 2 * width + 5)]);
  });

  it('of colours, by the largest of all', async () => {
    const values = Uint16Array.from({ length: 3 * count }, (_, i) => (i % 3 === 1 ? 4095 : 16 * (i % 200)));
    const { data } = await decodeImage(tiffOf(values, [height, width, 3]));
    expect([...data]).toEqual(Array.from(values, (value) => value >> 4));
  });

  it('of PNGs of 12 bits in 16, and of 1 to 4 bits', async () => {
    const deep = await sharp(ramp(Uint16Array, 4095), { raw: { width, height, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await greyOf(deep)).at(-1)).toBe(255);
    for (const colours of [2, 4, 16]) {
      const few = Uint8Array.from({ length: count }, (_, p) => (255 * (p % colours)) / (colours - 1));
      const png = await sharp(few, { raw: { width, height, channels: 1 } })
        .png({ palette: true, colours })
        .toBuffer();
      const grey = await greyOf(png);
      grey.forEach((value, p) => {
        expect(Math.abs(value - few[p])).toBeLessThanOrEqual(2);
      });
    }
  });

  it.each<[string, Buffer, RegExp]>([
    [
      'NaN',
      tiffOf(
        Float32Array.from({ length: count }, (_, p) => (p === 3 ? Number.NaN : 0)),
        size,
      ),
      /expected a number for each pixel, got NaN; save it with 8 or 16 bits/,
    ],
    [
      'negative floats',
      tiffOf(
        ramp(Float32Array, 1).map((x) => 2 * x - 1),
        size,
      ),
      /floats from 0 to 1, or from 0 to 255, got floats from -1 to 1; save/,
    ],
    ['floats beyond', tiffOf(ramp(Float32Array, 4000), size), /got floats from 0 to 4000/],
    ['infinite floats', tiffOf(ramp(Float32Array, Infinity), size), /got (NaN|floats from 0 to Infinity)/],
    [
      'negative integers',
      tiffOf(
        ramp(Int16Array, 2000).map((x) => x - 1000),
        size,
      ),
      /expected values from 0 on, got values from -1000 to 1000/,
    ],
    ['20 bits in 32', tiffOf(ramp(Uint32Array, 2 ** 20), size), /got values up to 1048576/],
    ['64 bits', tiffOf(ramp(Float64Array, 1), size), /expected values of at most 32 bits, got values of 64 bits; save/],
    [
      '5 channels',
      tiffOf(ramp(Uint8Array, 255, 5), [height, width, 5], { 338: [0, 0, 0, 0], 262: [1] }),
      /expected at most 4 channels, got 5/,
    ],
    [
      'CMYK of 16 bits',
      tiffOf(ramp(Uint16Array, 65535, 4), [height, width, 4], { 262: [5] }),
      /expected CMYK of 8 bits, got 16/,
    ],
    [
      'CMYK of floats',
      tiffOf(ramp(Float32Array, 1, 4), [height, width, 4], { 262: [5] }),
      /CMYK of 8 bits, got 32 bits, float/,
    ],
    [
      'YCbCr',
      tiffOf(ramp(Uint8Array, 255, 3), [height, width, 3], { 262: [6] }),
      /got YCbCr without the compression of JPEG; save/,
    ],
    [
      'Lab',
      tiffOf(ramp(Uint8Array, 255, 3), [height, width, 3], { 262: [8] }),
      /expected grey, or red, .* got colours as Lab/,
    ],
    ['a mosaic of colours', tiffOf(ramp(Uint16Array, 65535), size, { 262: [32803] }), /got raw values of a camera/],
    [
      'signed bytes where 0 is white',
      tiffOf(ramp(Int8Array, 127), size, white),
      /values without a sign where 0 is white/,
    ],
  ])('refuses %s, with advice', async (_, bytes, message) => {
    const error = await decodeImage(bytes).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
  });

  it('knows infinity and NaN among half floats', () => {
    expect([...halvesOf(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0xfe00))]).toEqual([
      1,
      -2,
      2 ** -24,
      Infinity,
      NaN,
    ]);
  });
});

describe('transparency is laid over white', () => {
  /** Black where it is to be seen: the left half, a quarter of it half. */
  const drawing = (channels: 2 | 4) =>
    Buffer.from(
      Array.from({ length: count }, (_, p) => [
        ...new Array<number>(channels - 1).fill(0),
        p % width < 4 ? 128 : p % width < 8 ? 255 : 0,
      ]).flat(),
    );
  const line = [127, 127, 127, 127, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
  const file = (channels: 2 | 4) => sharp(drawing(channels), { raw: { width, height, channels } });

  it.each<[string, () => Promise<Buffer>, number]>([
    ['PNG', () => file(4).png().toBuffer(), 1],
    ['PNG of grey and alpha', () => file(2).toColourspace('b-w').png().toBuffer(), 1],
    ['WebP', () => file(4).webp({ lossless: true }).toBuffer(), 1],
    ['TIFF', () => file(4).tiff({ compression: 'none' }).toBuffer(), 1],
    [
      'PNG of 16 bits',
      async () =>
        sharp(await file(4).png().toBuffer())
          .toColourspace('rgb16')
          .png()
          .toBuffer(),
      1,
    ],
  ])('%s', async (_, make, most) => {
    const bytes = await make();
    const grey = await greyOf(bytes);
    grey.forEach((value, p) => {
      expect(Math.abs(value - line[p % width])).toBeLessThanOrEqual(most);
    });
    expect(await (await PictureFile.open(bytes)).changes()).toContain('transparency laid over white');
  });

  it('where whole pixels are left out', async () => {
    const bytes = await file(4).gif().toBuffer();
    expect([...(await greyOf(bytes)).subarray(4, 12)]).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
  });

  it('and a fourth channel of a TIFF that is declared to be something else is not one', async () => {
    const bytes = tiffOf(Uint8Array.from(drawing(4)), [height, width, 4], { 338: [0] });
    expect(new Set(await greyOf(bytes))).toEqual(new Set([0]));
    expect(await (await PictureFile.open(bytes)).changes()).toEqual([]);
  });
});

it('digits are read from values of any depth', async () => {
  const values = new Float32Array(28 * 28);
  for (let y = 6; y < 22; y++) values[y * 28 + 14] = 1;
  const { image } = await readDigit(tiffOf(values, [28, 28, 1]));
  expect(image[10 * 28 + 14]).toBeCloseTo(1, 2);
  expect(image[0]).toBe(0);
});

describe('a survey', () => {
  it('counts what is done, and says it once', async () => {
    const paths = ['a.tif', 'b.tif', 'c.png', 'd.jpg', 'bad.jpg'].map((name) => join(folder, name));
    writeFileSync(paths[0], tiffOf(ramp(Uint16Array, 4095), size));
    writeFileSync(paths[1], tiffOf(ramp(Uint16Array, 4000), size));
    const plain = sharp({ create: { width: 30, height: 30, channels: 4, background: '#0000' } });
    writeFileSync(paths[2], await plain.png().toBuffer());
    writeFileSync(
      paths[3],
      await sharp({ create: { width: 400, height: 100, channels: 3, background: '#fff' } })
        .jpeg()
        .toBuffer(),
    );
    writeFileSync(paths[4], 'no picture');
    const images = preprocessing({ size: 20 });
    const survey = await surveyPictures(paths, images);
    expect(surveyNotes([survey], images)).toEqual([
      'pictures are made 8 bits of red, green and blue: 12 bits in 16 made 8 (2), transparency laid over white (1) of 5',
      "3 of 5 pictures are squashed, as from 16×4 to 20×20, so that circles become ellipses; `fit: 'crop'` or `fit: 'pad'` keeps proportions",
    ]);
    expect(surveyNotes([survey], { ...images, fit: 'crop' })).toHaveLength(1);
    writeFileSync(paths[1], tiffOf(ramp(Uint16Array, 200), size));
    expect(surveyNotes([await surveyPictures(paths.slice(0, 2), images)], { ...images, fit: 'crop' })[1]).toMatch(
      /^the largest value of each picture decided between 12 bits in 16 and 8 bits in 16: a darker picture/,
    );
    const square = await surveyPictures([paths[2]], images);
    expect(surveyNotes([{ ...square, changes: new Map() }], images)).toEqual([]);
  });
});
