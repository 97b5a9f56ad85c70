import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/errors.js';
import { readTar, type TarLimits } from '../../src/io/files/tar.js';
import { type TarEntry, tar } from '../tarWriter.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const path = join(root, 'archive');

async function read(
  archive: Uint8Array,
  limits?: TarLimits,
  wanted = (_: string) => true,
): Promise<[string, string][]> {
  writeFileSync(path, archive);
  const found: [string, string][] = [];
  for await (const { name, bytes } of readTar(path, wanted, limits)) {
    found.push([name, Buffer.from(bytes).toString('latin1')]);
  }
  return found;
}

async function failure(archive: Uint8Array, limits?: TarLimits): Promise<string> {
  const error = await read(archive, limits).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FileError);
  return (error as FileError).message;
}

/** Records of a pax header. */
function pax(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      const length = [1, 2, 3, 4].map((digits) => rest + digits).find((all) => String(all).length + rest === all);
      return `${length} ${key}=${value}\n`;
    })
    .join('');
}

const long = 'x'.repeat(700_000);
const entries: readonly TarEntry[] = [
  { name: 'folder/', type: '5' },
  { name: 'folder/a', content: 'first' },
  { name: 'link', type: '2' },
  { name: 'empty' },
  { name: 'long', content: long },
  { name: 'b', prefix: 'deep/down', content: 'second' },
  { name: '././@LongLink', type: 'L', content: `${'n'.repeat(120)}\0` },
  { name: 'n'.repeat(100), content: 'gnu' },
  { name: 'pax', type: 'x', content: pax({ path: 'm/other', size: '5' }) },
  { name: 'short', content: 'posix', spoil: (header) => header.write('00000000000', 124) },
  { name: 'old', type: '\0', content: 'v7' },
];

describe('readTar', () => {
  it.each([false, true])('gives files with their names, gzipped: %s', async (gzipped) => {
    const archive = tar(entries);
    expect(await read(gzipped ? gzipSync(archive) : archive)).toEqual([
      ['folder/a', 'first'],
      ['empty', ''],
      ['long', long],
      ['deep/down/b', 'second'],
      ['n'.repeat(120), 'gnu'],
      ['m/other', 'posix'],
      ['old', 'v7'],
    ]);
  });

  it('gives those that are wanted only', async () => {
    expect(await read(tar(entries), undefined, (name) => name.endsWith('b'))).toEqual([['deep/down/b', 'second']]);
    expect(await read(tar([]))).toEqual([]);
  });

  it('notices each cut and each flipped bit of a gzipped archive', async () => {
    const archive = gzipSync(tar(entries));
    for (let length = 2; length < archive.length; length += 41) {
      await failure(archive.subarray(0, length));
      const flipped = Buffer.from(archive);
      // The ten bytes in front have a time and the like, which no reader checks.
      flipped[length + 10 < archive.length ? length + 10 : length] ^= 16;
      await failure(flipped);
    }
  });

  it('notices a cut of a plain one, and a damaged header', async () => {
    const archive = tar(entries.slice(0, 4));
    for (let length = 0; length < archive.length - 1024; length += 100) {
      expect(await failure(archive.subarray(0, length))).toMatch(/expected an intact archive, got its end too early/);
    }
    const damaged = Buffer.from(archive);
    damaged[512 + 3] ^= 1;
    expect(await failure(damaged)).toContain('expected a tar archive, got a header whose checksum is wrong');
    expect(await failure(Buffer.alloc(600, 'no archive at all '))).toContain('expected a tar archive');
  });

  it('stops at its limits', async () => {
    expect(await failure(tar(entries), { maxBytes: 5000 })).toContain('expected at most 5000 bytes unpacked');
    expect(await failure(tar(entries), { maxEntries: 4 })).toContain('expected at most 4 entries, got more');
    // A thousand times as large unpacked.
    const bomb = gzipSync(tar([{ name: 'zeros', content: Buffer.alloc(5_000_000) }]));
    expect(bomb.length).toBeLessThan(10_000);
    expect(await failure(bomb, { maxBytes: 1_000_000 })).toContain('at most 1000000 bytes');
    const huge = tar([{ name: 'a', spoil: (header) => header.write('77777777777\0', 124) }]);
    expect(await failure(huge)).toContain('at most 1073741824 bytes unpacked, got 8589935103 or more');
    const negative = tar([{ name: 'a', spoil: (header) => header.write('-0000000005\0', 124) }]);
    expect(await failure(negative)).toContain('expected the size of a file in octal digits');
    expect(await failure(tar([{ name: 'l', type: 'L', content: 'x'.repeat(5000) }]))).toContain(
      'names of at most 4096',
    );
  });

  it('follows the records of a pax header with any characters', async () => {
    const extended = (content: string) =>
      tar([
        { name: 'pax', type: 'x', content },
        { name: 'a', content: 'first' },
      ]);
    const odd = 'é=\n12 path=b';
    expect(
      await read(extended(pax({ path: 'early', comment: 'x', 'SCHILY.xattr.user.path': odd, path2: 'c' }))),
    ).toEqual([['early', 'first']]);
    expect(await read(extended(pax({ path: odd })))).toEqual([[odd, 'first']]);
    expect(await read(extended(pax({ size: '' })))).toEqual([['a', 'first']]);
    expect(await failure(extended(pax({ size: '99999999999' })))).toContain('at most 1073741824 bytes unpacked');
    expect(await failure(extended(pax({ size: '-5' })))).toContain('size of a file in decimal digits');
    for (const content of [
      '11 path=b\n',
      '8 path=b\n',
      'path=b\n',
      '10 path=bb',
      '7 pathb\n',
      '0 path=b\n',
      '-1 a=b\n',
    ]) {
      expect(await failure(extended(content))).toContain('expected intact pax records, got others');
    }
  });

  it('says what is wrong with a path', async () => {
    for (const place of [join(root, 'nowhere'), root]) {
      const reading = (async () => {
        for await (const _ of readTar(place, () => true));
      })();
      await expect(reading).rejects.toThrow(`[tar] ${place}: expected a readable file`);
    }
  });
});
