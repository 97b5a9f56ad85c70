import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import { decodeImage, PictureFile } from '../../../src/vision/images/decode.js';
import { preprocess } from '../../../src/vision/images/preprocess.js';
import { resize } from '../../../src/vision/transforms/geometry.js';
import { normalizeInto, type RGBImage, toCHW } from '../../../src/vision/transforms/image.js';
import { resizeBilinear } from '../../../src/vision/transforms/resize.js';
import { itWith } from '../../needs.js';
import { temporaryFolder } from '../../temporary.js';

interface Resized {
  readonly height: number;
  readonly width: number;
  readonly opencv: string;
  readonly pillow: string;
}

interface Golden {
  readonly step: number;
  readonly pictures: readonly {
    readonly file: string;
    readonly height: number;
    readonly width: number;
    readonly decoded: string;
    readonly resized: readonly Resized[];
  }[];
  readonly arrays: readonly { readonly height: number; readonly width: number; readonly resized: readonly Resized[] }[];
}

const pictures = fileURLToPath(new URL('../../goldens/pictures', import.meta.url));
const golden = JSON.parse(readFileSync(join(pictures, 'pictures.json'), 'utf8')) as Golden;
const folder = temporaryFolder();

/** The largest difference to a golden sample. */
function difference(pixels: Uint8Array, sample: string): number {
  const expected = Buffer.from(sample, 'base64');
  expect(expected.length).toBe(Math.ceil(pixels.length / golden.step));
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - pixels[i * golden.step])), 0);
}

/** Comparing millions of elements one by one would take seconds. */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** The generator's arrays: a linear congruential generator's upper bytes. */
function formula(height: number, width: number): RGBImage {
  let state = height * 65_536 + width;
  const data = Uint8Array.from({ length: 3 * height * width }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return { data, height, width };
}

/** A picture in memory, as a file of some kind. */
const created = (width: number, height: number, background = { r: 200, g: 100, b: 50 }) =>
  sharp({ create: { width, height, channels: 3, background }, limitInputPixels: false });

describe('against OpenCV and Pillow', () => {
  it.each(golden.pictures)('$file', async ({ file, height, width, decoded, resized }) => {
    const path = join(pictures, file);
    const image = await decodeImage(path);
    expect([image.height, image.width]).toEqual([height, width]);
    const rows = height < 2000 ? image : { data: image.data.subarray(3000 * width, 3300 * width), height: 100, width };
    expect(difference(toCHW(rows, 'BGR'), decoded)).toBe(0);
    for (const { height: toHeight, width: toWidth, opencv, pillow } of resized) {
      const size = [toHeight, toWidth] as const;
      const near = await preprocess(path, { size, order: 'BGR' });
      expect(near).toMatchObject({ height: toHeight, width: toWidth, sourceHeight: height, sourceWidth: width });
      expect(difference(near.pixels, opencv)).toBeLessThanOrEqual(1);
      expect(same(toCHW(resizeBilinear(image, toHeight, toWidth), 'BGR'), near.pixels)).toBe(true);
      const smooth = await preprocess(path, { size, order: 'BGR', antialias: true });
      expect(difference(smooth.pixels, pillow)).toBeLessThanOrEqual(1);
    }
  });

  it.each(golden.arrays)('array of $height×$width', ({ height, width, resized }) => {
    const image = formula(height, width);
    for (const { height: toHeight, width: toWidth, opencv, pillow } of resized) {
      const near = toCHW(resizeBilinear(image, toHeight, toWidth), 'BGR');
      // OpenCV takes another path for enlarging, whose roundings differ.
      expect(difference(near, opencv)).toBeLessThanOrEqual(toHeight < height && toWidth < width ? 0 : 1);
      const smooth = toCHW(resizeBilinear(image, toHeight, toWidth, { antialias: true }), 'BGR');
      expect(difference(smooth, pillow)).toBeLessThanOrEqual(1);
    }
  });
});

describe('decodeImage', () => {
  it('takes the contents of a file as well', async () => {
    const path = join(pictures, 'tiny.jpg');
    expect(await decodeImage(readFileSync(path))).toEqual(await decodeImage(path));
  });

  it('reads the shortest and the longest pictures', async () => {
    const dot = await decodeImage(await created(1, 1).png().toBuffer());
    expect(dot).toEqual({ data: Buffer.from([200, 100, 50]), height: 1, width: 1 });
    const line = await decodeImage(await created(20_000, 1).jpeg().toBuffer());
    expect([line.height, line.width, line.data.length]).toEqual([1, 20_000, 60_000]);
  });

  it.each([
    ['nothing', Buffer.alloc(0), /0 bytes: expected a picture \(JPEG, PNG, WebP, TIFF, GIF\), got an empty file/],
    ['text', Buffer.from('not a picture'), /got a file that begins with 6e 6f 74 20 61 20 70 69; replace it or leave/],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), /got SVG; replace/],
    ['a lone signature', Buffer.from('ffd8ffe0', 'hex'), /expected an intact JPEG picture, got /],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await decodeImage(bytes).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('\n');
  });

  it.each(['422.jpg', 'progressive.jpg', 'png-named.jpg', 'lossy.webp', 'palette.gif', 'cmyk.jpg'])(
    'refuses a part of %s, by its name',
    async (name) => {
      const whole = readFileSync(join(pictures, name));
      const path = join(folder, name);
      for (const share of [0.1, 0.5, 0.95]) {
        writeFileSync(path, whole.subarray(0, share * whole.length));
        const error = await preprocess(path).catch((failure: unknown) => failure);
        expect(error).toBeInstanceOf(FileError);
        expect((error as Error).message).toMatch(/^\[image\] .*expected an intact .*picture, got .+; replace it/);
        expect((error as Error).message).toContain(path);
      }
    },
  );

  it('says of pictures that are decoded at the same time what is wrong with each, in its own words', async () => {
    const picture = sharp({ create: { width: 90, height: 90, channels: 3, background: '#468' } });
    const formats = ['jpeg', 'png', 'gif', 'webp', 'tiff'] as const;
    const files = await Promise.all(formats.map((format) => picture.clone().toFormat(format).toBuffer()));
    for (let repeat = 0; repeat < 4; repeat++) {
      const errors = await Promise.all(
        files.map((bytes) => decodeImage(bytes.subarray(0, bytes.length / 2)).catch((error: Error) => error.message)),
      );
      for (const [i, message] of errors.entries()) {
        expect(message).toContain('got damaged or truncated contents');
        const others = formats
          .filter((format) => format !== formats[i])
          .map((format) => format.replace('jpeg', 'jpe?g'));
        expect(String(message).slice(String(message).indexOf('got'))).not.toMatch(
          new RegExp(`${others.join('|')}|vips|buffer|failOn`, 'i'),
        );
      }
    }
  });

  it('refuses a broken PNG', async () => {
    const bytes = readFileSync(join(pictures, 'png-named.jpg'));
    bytes[bytes.length >> 1] ^= 1;
    await expect(decodeImage(bytes)).rejects.toThrow(/expected an intact picture, got .*libpng/);
  });

  it('says what is wrong with a path', async () => {
    await expect(decodeImage(join(folder, 'missing.jpg'))).rejects.toThrow(
      /missing\.jpg: expected a readable picture, got ENOENT: no such file or directory/,
    );
    await expect(decodeImage(folder)).rejects.toThrow(/expected a readable picture, got a folder/);
  });

  itWith('user', 'says that a file may not be read', async () => {
    const path = join(folder, 'locked.jpg');
    writeFileSync(path, 'x');
    chmodSync(path, 0);
    await expect(decodeImage(path)).rejects.toThrow(/locked\.jpg: expected a readable picture, got EACCES/);
  });

  it('refuses what would not fit into memory, before it decodes', async () => {
    // The sizes stand in the header; the pixels are not even there.
    const header = (bytes: Buffer, height: number, width: number) => {
      const at = bytes.indexOf(Buffer.from([0xff, bytes.includes(Buffer.from([0xff, 0xc2])) ? 0xc2 : 0xc0]));
      bytes.writeUInt16BE(height, at + 5);
      bytes.writeUInt16BE(width, at + 7);
      return bytes;
    };
    const plain = await created(16, 16).jpeg().toBuffer();
    const progressive = await created(16, 16).jpeg({ progressive: true }).toBuffer();
    await expect(preprocess(header(plain, 20_001, 20_000))).rejects.toThrow(
      /expected at most 400 million pixels, got 20000×20001 pixels/,
    );
    await expect(decodeImage(header(plain, 20_000, 20_000))).rejects.toThrow(/expected at most 100 million pixels/);
    await expect(preprocess(header(progressive, 20_000, 20_000))).rejects.toThrow(
      /at most 100 million pixels in a progressive or interlaced JPEG picture, got 20000×20000/,
    );
  });
});

describe('preprocess', () => {
  it('gives the same whether it decodes a picture at once or in parts', async () => {
    for (const { file, width } of golden.pictures.filter(({ width: w }) => w < 2000)) {
      const path = join(pictures, file);
      for (const antialias of [false, true]) {
        const options = { size: [50, 70], antialias } as const;
        const whole = await preprocess(path, options);
        const parts = await preprocess(path, options, 3 * width * 9);
        expect(same(parts.pixels, whole.pixels)).toBe(true);
      }
    }
  });

  it('holds few pixels of a large picture', async () => {
    const readRows = vi.spyOn(PictureFile.prototype, 'readRows');
    const large = await created(20_000, 800).jpeg().toBuffer();
    const { pixels, sourceHeight, sourceWidth } = await preprocess(large, { size: [20, 30] }, 20_000 * 3 * 300);
    expect([sourceHeight, sourceWidth, pixels.length]).toEqual([800, 20_000, 1800]);
    expect(new Set(pixels).size).toBe(3);
    expect(readRows.mock.calls.length).toBe(3);
    for (const [, count] of readRows.mock.calls) expect(count).toBeLessThanOrEqual(300);
    readRows.mockRestore();
  });

  /** A white disc in the middle of a black picture, turned by EXIF if asked for. */
  const disc = (width: number, height: number, orientation?: number) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%"/><circle cx="${width / 2}" cy="${height / 2}" r="40" fill="#fff"/></svg>`;
    return sharp(Buffer.from(svg)).removeAlpha().withMetadata({ orientation }).png().toBuffer();
  };
  /** Height and width of what is white. */
  const extent = ({ pixels, height, width }: Awaited<ReturnType<typeof preprocess>>) => {
    const white = Array.from({ length: height * width }, (_, p) => p).filter((p) => pixels[p] > 127);
    const span = (places: number[]) => Math.max(...places) - Math.min(...places) + 1;
    return [span(white.map((p) => Math.floor(p / width))), span(white.map((p) => p % width))];
  };

  it.each([
    ['squash', false, [45, 11]],
    ['squash', true, [45, 11]],
    ['crop', false, [45, 45]],
    ['crop', true, [45, 45]],
    ['pad', false, [11, 11]],
    ['pad', true, [11, 11]],
  ] as const)('keeps proportions as asked: %s, antialias %s', async (fit, antialias, [tall, broad]) => {
    for (const orientation of [undefined, 6, 8]) {
      const wide = orientation === undefined ? await disc(400, 100) : await disc(100, 400, orientation);
      const made = await preprocess(wide, { size: 56, fit, antialias });
      expect(made).toMatchObject({ height: 56, width: 56, sourceHeight: 100, sourceWidth: 400 });
      const [height, width] = extent(made);
      expect(Math.abs(height - tall) + Math.abs(width - broad)).toBeLessThanOrEqual(2);
    }
  });

  it('pads with black on both sides, and leaves what fits as it is', async () => {
    const white = await created(40, 10, { r: 255, g: 255, b: 255 }).png().toBuffer();
    const { pixels } = await preprocess(white, { size: [8, 8], fit: 'pad' });
    const rows = Array.from({ length: 8 }, (_, y) => pixels[8 * y]);
    expect(rows).toEqual([0, 0, 0, 255, 255, 0, 0, 0]);
    for (const fit of ['crop', 'pad'] as const) {
      const square = await created(20, 20).png().toBuffer();
      expect(await preprocess(square, { size: 7, fit })).toEqual(await preprocess(square, { size: 7 }));
    }
  });

  it('resizes with antialiasing as the transform does, to the byte, turned or not', async () => {
    expect([
      ...resizeBilinear({ data: Uint8Array.of(0, 0, 0, 127, 127, 127, 200, 200, 200), height: 1, width: 3 }, 1, 2, {
        antialias: true,
      }).data,
    ]).toEqual([
      ...resize(
        { data: Uint8Array.of(0, 0, 0, 127, 127, 127, 200, 200, 200), height: 1, width: 3, channels: 3, layout: 'HWC' },
        [1, 2],
      ).data,
    ]);
    for (const [height, width, toHeight, toWidth] of [
      [1, 3, 1, 2],
      [3, 1, 2, 1],
      [7, 5, 3, 9],
      [40, 33, 11, 12],
      [5, 5, 5, 2],
    ]) {
      const image = formula(height, width);
      const wanted = resize({ ...image, channels: 3, layout: 'HWC' }, [toHeight, toWidth]).data as Uint8Array;
      expect(same(resizeBilinear(image, toHeight, toWidth, { antialias: true }).data, wanted)).toBe(true);
      for (const orientation of [1, 3, 6, 8]) {
        const file = await sharp(image.data, { raw: { width, height, channels: 3 } })
          .withMetadata({ orientation })
          .png()
          .toBuffer();
        const turned = await decodeImage(file);
        const whole = resize({ ...turned, channels: 3, layout: 'HWC' }, [toHeight, toWidth]);
        const made = await preprocess(file, { size: [toHeight, toWidth], antialias: true });
        expect(same(made.pixels, toCHW({ ...turned, ...whole } as RGBImage, 'RGB'))).toBe(true);
      }
    }
  });

  it('gives red, green and blue, or BGR on demand', async () => {
    const picture = await created(3, 2).png().toBuffer();
    expect([...(await preprocess(picture, { size: 1 })).pixels]).toEqual([200, 100, 50]);
    expect([...(await preprocess(picture, { size: 1, order: 'BGR' })).pixels]).toEqual([50, 100, 200]);
  });

  it.each([
    [{ size: 0 }, /\[resize\] height: expected an integer from 1 to 65535, got 0/],
    [{ size: [224, 1.5] as const }, /width: expected an integer from 1 to 65535, got 1\.5/],
    [{ fit: 'fill' as 'pad' }, /fit: expected 'squash', 'crop', 'pad', got 'fill'/],
    [{ order: 'GBR' as 'BGR' }, /order: expected 'RGB' or 'BGR', got 'GBR'/],
  ])('refuses the options %j', async (options, message) => {
    const error = await preprocess(join(pictures, 'tiny.jpg'), options).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });
});

it('normalizes as NumPy does in float32', () => {
  // (np.arange(256, dtype='float32') / 255 * 2 - 1)[[0, 1, 2, 100, 127, 128, 200, 254, 255]]
  const expected = [-1, -0.99215686, -0.9843137, -0.21568626, -0.0039215684, 0.003921628, 0.5686275, 0.99215686, 1];
  const bytes = Uint8Array.from([9, 0, 1, 2, 100, 127, 128, 200, 254, 255]);
  const target = new Float32Array(12);
  normalizeInto(target, 2, bytes.subarray(1));
  expect([...target]).toEqual([0, 0, ...expected.map(Math.fround), 0]);
});
