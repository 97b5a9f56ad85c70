import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/errors.js';
import { RandomGenerator } from '../../../src/random.js';
import { decodeImage } from '../../../src/vision/images/decode.js';
import { fuzzing } from '../../fuzzing.js';
import { adobeSegment, changed, inserted, intactPictures, segmentAt, withEntries } from './oddPictures.js';

type Intact = Awaited<ReturnType<typeof intactPictures>>;

let intact: Intact;
beforeAll(async () => {
  intact = await intactPictures();
});

const scan = 0xda;
/** Position of the last three bytes of a scan's header: first and last coefficient, and precision. */
const limits = (bytes: Buffer) => {
  const at = segmentAt(bytes, scan);
  return at + 2 + bytes.readUInt16BE(at + 2) - 3;
};
const colour = (bytes: Buffer, ids: string) => {
  const [frame, first] = [segmentAt(bytes, 0xc0), segmentAt(bytes, scan)];
  const result = Buffer.from(bytes);
  [...ids].forEach((id, i) => {
    result[frame + 10 + 3 * i] = id.charCodeAt(0);
    result[first + 5 + 2 * i] = id.charCodeAt(0);
  });
  return result;
};
const trailing = Buffer.from('trailing');

describe('odd pictures have the pixels that they have without the oddity', () => {
  it.each<[string, keyof Intact, (all: Intact) => Buffer]>([
    ['Se = 0', 'jpeg', ({ jpeg }) => changed(jpeg, limits(jpeg) + 1, 0)],
    ['Ss = 1', 'jpeg', ({ jpeg }) => changed(jpeg, limits(jpeg), 1)],
    ['precision of a scan', 'jpeg', ({ jpeg }) => changed(jpeg, limits(jpeg) + 2, 0x11)],
    ['JFIF 0.00', 'jpeg', ({ jpeg }) => changed(jpeg, 11, 0)],
    ['JFIF 2.01', 'jpeg', ({ jpeg }) => changed(jpeg, 11, 2)],
    ['JFIF 0.00, progressive', 'progressive', ({ progressive }) => changed(progressive, 11, 0)],
    ['Adobe transform 7', 'bare', ({ bare }) => inserted(bare, 2, adobeSegment(7))],
    ['Adobe transform 7 beside JFIF', 'jpeg', ({ jpeg }) => inserted(jpeg, 20, adobeSegment(7))],
    ['bytes between markers', 'jpeg', ({ jpeg }) => inserted(jpeg, 20, [1, 2, 3, 4])],
    ['zeros before the scan', 'jpeg', ({ jpeg }) => inserted(jpeg, segmentAt(jpeg, scan), [0, 0, 0])],
    ['0xFF 0 between markers', 'jpeg', ({ jpeg }) => inserted(jpeg, 20, [0xff, 0])],
    ['bytes between markers, progressive', 'progressive', ({ progressive }) => inserted(progressive, 20, [9, 9])],
    ['two starts', 'jpeg', ({ jpeg }) => inserted(jpeg, 2, [0xff, 0xd8])],
    ['JFIF twice', 'jpeg', ({ jpeg }) => inserted(jpeg, 20, jpeg.subarray(2, 20))],
    ['an empty comment', 'jpeg', ({ jpeg }) => inserted(jpeg, 20, [0xff, 0xfe, 0, 2])],
    ['an unknown segment', 'jpeg', ({ jpeg }) => inserted(jpeg, 20, [0xff, 0xe9, 0, 4, 1, 2])],
    [
      'all of that',
      'bare',
      ({ bare }) => {
        const odd = inserted(changed(bare, limits(bare) + 1, 0), 2, adobeSegment(9));
        return inserted(odd, segmentAt(odd, scan), [1, 2, 3]);
      },
    ],
    ['bytes behind the end of a JPEG', 'jpeg', ({ jpeg }) => Buffer.concat([jpeg, trailing])],
    ['bytes behind the end of a PNG', 'png', ({ png }) => Buffer.concat([png, trailing])],
    ['bytes behind the end of a GIF', 'gif', ({ gif }) => Buffer.concat([gif, trailing])],
    ['bytes behind the end of a WebP', 'webp', ({ webp }) => Buffer.concat([webp, trailing])],
    [
      'an optional chunk of a PNG with a wrong checksum',
      'png',
      ({ png }) => inserted(png, 33, Buffer.from('00000002744558746100ffffffff', 'hex')),
    ],
    ['fields of a TIFF out of order', 'tiff', ({ tiff }) => withEntries(tiff, ([a, b, ...rest]) => [b, a, ...rest])],
    ['fields of a TIFF backwards', 'tiff', ({ tiff }) => withEntries(tiff, (entries) => entries.reverse())],
    ['a field of a TIFF twice', 'tiff', ({ tiff }) => withEntries(tiff, ([a, ...rest]) => [a, a, ...rest])],
  ])('%s', async (_, kind, make) => {
    const odd = make(intact);
    const before = Buffer.from(odd);
    const { data } = await decodeImage(odd);
    expect(Buffer.compare(data, (await decodeImage(intact[kind])).data)).toBe(0);
    expect(odd.equals(before)).toBe(true);
  });
});

describe('what may be damage is refused', () => {
  const cmyk = readFileSync(fileURLToPath(new URL('../../goldens/pictures/cmyk.jpg', import.meta.url)));

  it.each<[string, (all: Intact) => Buffer]>([
    ['no end', ({ jpeg }) => jpeg.subarray(0, jpeg.length - 2)],
    ['no end, progressive', ({ progressive }) => progressive.subarray(0, progressive.length - 2)],
    ['a lost segment', ({ jpeg }) => changed(jpeg, segmentAt(jpeg, 0xdb), 0)],
    ['a lost table', ({ jpeg }) => changed(inserted(jpeg, 20, [1]), segmentAt(jpeg, 0xc4) + 2, 0xe4)],
    ['a lost scan', ({ progressive }) => changed(progressive, segmentAt(progressive, scan), 0xfb)],
    ['colours that the Adobe segment decides about', ({ bare }) => inserted(colour(bare, 'RGB'), 2, adobeSegment(7))],
    ['four colours of an unknown transform', () => changed(cmyk, segmentAt(cmyk, 0xee) + 15, 7)],
    ['12 bits', ({ jpeg }) => changed(jpeg, segmentAt(jpeg, 0xc0) + 4, 12)],
    [
      'an unknown field in a directory out of order',
      ({ tiff }) =>
        withEntries(tiff, ([a, b, ...rest]) => [
          b,
          a,
          ...rest.map((entry, i) => (i === 5 ? changed(entry, 0, 0x30) : entry)),
        ]),
    ],
    [
      'a field that is missing',
      ({ tiff }) =>
        withEntries(tiff, ([a, b, c, ...rest]) => [c, b, a, ...rest.filter((entry) => entry.readUInt16LE(0) !== 277)]),
    ],
    ['a field with two values', ({ tiff }) => withEntries(tiff, ([a, ...rest]) => [a, changed(a, 8, 32), ...rest])],
  ])('%s', async (_, make) => {
    await expect(decodeImage(make(intact))).rejects.toThrow(FileError);
  });

  const fuzz = fuzzing('damaged pictures', 120, { share: 0.1 });

  it(
    'in damaged pictures as well as without the oddities being known',
    async () => {
      const { numRuns: runs, seed } = fuzz;
      const random = new RandomGenerator(seed);
      const strictly = (bytes: Buffer) =>
        sharp(bytes, { failOn: 'warning', ignoreIcc: true }).toColourspace('srgb').removeAlpha().raw().toBuffer();
      let refused = 0;
      for (let i = 0; i < runs; i++) {
        const kind = (['jpeg', 'progressive', 'tiff', 'bare'] as const)[i % 4];
        const whole = intact[kind];
        // Headers are short, and most of what may go wrong is in them.
        const at = random.int(i % 3 === 0 ? whole.length : Math.min(700, whole.length));
        const damaged = changed(whole, at, i % 2 === 0 ? whole[at] ^ (1 << random.int(8)) : random.int(256));
        const expected = await strictly(damaged).catch(() => null);
        const found = await decodeImage(damaged).catch(() => null);
        if (expected === null) {
          refused++;
          // A picture that the strict decoder refuses is refused here too, or the damage does not touch its pixels.
          if (found !== null) {
            const same = Buffer.compare(found.data, (await decodeImage(whole)).data) === 0;
            expect({ kind, at, value: damaged[at], same }).toEqual({ kind, at, value: damaged[at], same: true });
          }
        }
      }
      expect(refused).toBeGreaterThan(runs / 10);
      for (const name of ['jpeg', 'progressive', 'png', 'gif', 'webp', 'tiff'] as const) {
        for (const share of [0.2, 0.5, 0.8, 0.97]) {
          const cut = intact[name].subarray(0, Math.floor(share * intact[name].length));
          await expect(decodeImage(cut), `${name} ${share}`).rejects.toThrow(FileError);
        }
      }
    },
    fuzz.timeout,
  );
});
