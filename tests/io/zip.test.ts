import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { FileError } from '../../src/errors.js';
import { ZipArchive, ZipBudget, type ZipLimits } from '../../src/io/files/zip.js';
import { RandomGenerator } from '../../src/random.js';
import { temporaryFolder } from '../temporary.js';
import { makeZip, type ZipPart } from '../zipWriter.js';

const folder = temporaryFolder();
const path = join(folder, 'a.zip');
const parts: readonly ZipPart[] = [
  { name: 'folder/', data: '', stored: true },
  { name: 'folder/text.txt', data: 'some text, some text, some text' },
  { name: 'ü.bin', data: Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >>> 7), stored: true },
  { name: 'empty', data: '' },
];

afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

async function readAll(bytes: Uint8Array, limits: ZipLimits = {}): Promise<Record<string, Buffer>> {
  writeFileSync(path, bytes);
  const archive = await ZipArchive.open(path, new ZipBudget(limits), 'a.zip');
  try {
    const contents: Record<string, Buffer> = {};
    for (const entry of archive.entries) {
      const pieces: Uint8Array[] = [];
      for await (const piece of entry.read()) pieces.push(piece);
      contents[entry.name] = Buffer.concat(pieces);
    }
    return contents;
  } finally {
    archive.close();
  }
}

async function failure(bytes: Uint8Array, limits?: ZipLimits): Promise<string> {
  const error = await readAll(bytes, limits).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FileError);
  return (error as FileError).message;
}

it('reads stored and deflated files, and leaves folders out', async () => {
  const contents = await readAll(makeZip(parts));
  expect(Object.keys(contents)).toEqual(['folder/text.txt', 'ü.bin', 'empty']);
  for (const { name, data } of parts.slice(1)) {
    expect(Buffer.compare(contents[name], Buffer.from(data as Uint8Array))).toBe(0);
  }
});

describe('damaged archives', () => {
  it.each([
    ['a file of another kind', Buffer.from('no archive at all, but long enough to be one')],
    ['an empty file', Buffer.alloc(0)],
    ['a half', makeZip(parts).subarray(0, 100_000)],
    ['all but the last byte', makeZip(parts).subarray(0, -1)],
  ])('%s', async (_, bytes) => {
    expect(await failure(bytes)).toMatch(
      /^\[zip\] a\.zip: expected an intact zip archive, got .+; get it again, or unpack it yourself$/,
    );
  });

  it('a wrong checksum', async () => {
    expect(await failure(makeZip([{ name: 'x', data: 'contents', crc32: 0x1234 }]))).toBe(
      `[zip] a.zip: x: expected checksum 00001234, got ${crc32(Buffer.from('contents')).toString(16).padStart(8, '0')}; ` +
        'get the archive again',
    );
  });

  it('contents that are longer or shorter than the archive says', async () => {
    for (const bytes of [3, 30]) {
      expect(await failure(makeZip([{ name: 'x', data: 'contents', bytes }]))).toMatch(
        /x: expected intact contents, got damaged or cut data; get the archive again/,
      );
    }
  });

  it('any flipped bit is noticed or changes nothing', async () => {
    const small = parts.map((part) => ({ ...part, data: part.data.slice(0, 3000) }));
    const intact = makeZip(small);
    const whole = await readAll(intact);
    const generator = new RandomGenerator(7);
    let noticed = 0;
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.from(intact);
      bytes[Math.floor(generator.uniform() * bytes.length)] ^= 1 << Math.floor(generator.uniform() * 8);
      const contents = await readAll(bytes).catch((error: unknown) => {
        expect(error).toBeInstanceOf(FileError);
        return null;
      });
      if (contents === null) noticed++;
      else expect(Object.values(contents)).toEqual(Object.values(whole).slice(0, Object.keys(contents).length));
    }
    expect(noticed).toBeGreaterThan(200);
  });
});

describe('hostile archives', () => {
  it.each([
    ['../evil', /got invalid relative path: \.\.\/evil/],
    ['a/../../evil', /got invalid relative path/],
    ['a\\..\\..\\evil', /got invalid relative path/],
    ['/etc/evil', /got absolute path: \/etc\/evil/],
    ['C:/evil', /got absolute path: C:\/evil/],
  ])('the name %s', async (name, message) => {
    const text = await failure(makeZip([{ name, data: 'x' }]));
    expect(text).toMatch(message);
    expect(text).toMatch(/expected names inside the folder .*; do not unpack it: such an archive/);
    expect(text).not.toContain('yourself');
  });

  it('a symbolic link', async () => {
    expect(await failure(makeZip([{ name: 'P0001.jpg', data: '/etc/passwd', mode: 0o120777 }]))).toBe(
      '[zip] a.zip: P0001.jpg: expected a file, got a symbolic link; if you trust it, unpack it yourself and give the folder',
    );
  });

  it('a password', async () => {
    expect(await failure(makeZip([{ name: 'x', data: 'secret', encrypted: true }]))).toMatch(
      /^\[zip\] a\.zip: x: expected contents without a password, got encrypted ones; .*unpack it yourself/,
    );
  });

  it('an unknown compression', async () => {
    expect(await failure(makeZip([{ name: 'x', data: 'y', method: 9 }]))).toMatch(
      /expected stored or deflated contents, got compression method 9/,
    );
  });

  it('bombs: too much in one file, in all files, too many files, the same bytes again and again', async () => {
    const zeros = { name: 'zeros', data: new Uint8Array(2 ** 21) };
    expect(await failure(makeZip([zeros]))).toMatch(
      /at most 100 times its packed size, got 2\d{3} bytes that unpack to 2097152; if you trust it, raise `maxRatio`/,
    );
    expect(Object.keys(await readAll(makeZip([zeros]), { maxRatio: 2000 }))).toEqual(['zeros']);
    const many = Array.from({ length: 30 }, (_, i) => ({ name: `${i}`, data: new Uint8Array(100_000) }));
    expect(await failure(makeZip(many), { maxBytes: 1_000_000 })).toMatch(
      /a\.zip: 10: expected at most 1000000 bytes unpacked in all, got more; .* raise `maxBytes`$/,
    );
    expect(await failure(makeZip(many), { maxEntries: 29 })).toMatch(
      /a\.zip: expected at most 29 files in all, got 30 of them in this archive; .* raise `maxEntries`/,
    );
    // Archives that are opened together share the limit.
    writeFileSync(path, makeZip(many));
    const budget = new ZipBudget({ maxEntries: 59 });
    (await ZipArchive.open(path, budget, 'first.zip')).close();
    await expect(ZipArchive.open(path, budget, 'second.zip')).rejects.toThrow(
      /second\.zip: expected at most 59 files in all/,
    );
    const kernel = { name: 'kernel', data: new Uint8Array(500_000).map((_, i) => (i * i * i) >>> 11) };
    const copies = Array.from({ length: 9 }, (_, i) => ({ ...kernel, name: `${i}`, sameDataAs: 0 }));
    expect(await failure(makeZip([kernel, ...copies]))).toMatch(
      /bytes of contents, got \d+: they overlap; do not unpack/,
    );
  });
});
