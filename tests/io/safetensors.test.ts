import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError, InputError } from '../../src/errors.js';
import type { TensorData } from '../../src/io/formats/tensorData.js';
import { loadSafetensors, saveSafetensors } from '../../src/io/weights/safetensors.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const path = join(folder, 'tensors.safetensors');
const golden = fileURLToPath(new URL('data/golden.safetensors', import.meta.url));

const f32 = (shape: number[], ...values: number[]): TensorData => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from(values),
});
const i32 = (...values: number[]): TensorData => ({
  shape: [values.length],
  dtype: 'int32',
  data: Int32Array.from(values),
});
const u8 = (shape: number[], ...values: number[]): TensorData => ({
  shape,
  dtype: 'uint8',
  data: Uint8Array.from(values),
});

/** A file with any header over any data. */
function write(header: unknown, data: ArrayLike<number> = [], headerLength?: bigint): void {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength ?? BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, Uint8Array.from(data)]));
}

const entry = (dtype: unknown, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });

describe('reading what Python wrote', () => {
  it('gives every tensor and the metadata', async () => {
    const { tensors, metadata } = await loadSafetensors(golden);
    expect(metadata).toEqual({ epoch: '3', naïve: '✓' });
    expect(Object.fromEntries(tensors)).toEqual({
      weight: f32([2, 3], 1.5, -2.25, 3e-40, Infinity, -0, 3.4e38),
      label: i32(1, -2, 2 ** 31 - 1, -(2 ** 31)),
      pixels: u8([1, 2, 3], 250, 251, 252, 253, 254, 255),
      double: f32([3], 0.1, -Infinity, 0),
      // 6e-8 and 6.1e-5 as float16 are the subnormals 2^-24 and 1023·2^-24.
      half: f32([8], 1, -2.5, 65504, 2 ** -24, 1023 * 2 ** -24, -0, Infinity, -Infinity),
      brain: f32([4], 1, -3.140625, 9.969209968386869e37, 9.183549615799121e-41),
      long: i32(0, -1, 2 ** 31 - 1, -(2 ** 31)),
      scalar: f32([], 7),
      empty: f32([0, 3]),
      '名前 "q"': u8([1], 1),
    });
  });
});

describe('writing', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 6 }).filter((text) => text !== '__metadata__');
  const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 3 });
  const tensor = fc.tuple(fc.constantFrom('float32', 'int32', 'uint8'), shape, fc.nat()).map(([dtype, sizes, seed]) => {
    const length = sizes.reduce((a, b) => a * b, 1);
    const values = Array.from({ length }, (_, i) => (seed + i) % 200);
    return dtype === 'float32'
      ? f32(sizes, ...values)
      : dtype === 'int32'
        ? { ...i32(...values), shape: sizes }
        : u8(sizes, ...values);
  });

  it('is undone by reading', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, tensor)),
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), { noNullPrototype: true }),
        async (tensors, metadata) => {
          const saved = new Map<string, TensorData>(tensors);
          await saveSafetensors(saved, path, metadata);
          const loaded = await loadSafetensors(path);
          expect(new Map([...loaded.tensors].sort())).toEqual(new Map([...saved].sort()));
          expect(Object.entries(loaded.metadata)).toEqual(Object.entries(metadata));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps the order of tensors with elements of one size, and views of larger arrays', async () => {
    const large = Float32Array.from([0, 1, 2, 3, 4]);
    const names = ['b', '10', 'a', '9'];
    await saveSafetensors(
      new Map([
        ['byte', u8([1], 7)],
        ...names.map((text) => [text, { shape: [2], dtype: 'float32', data: large.subarray(1, 3) }] as const),
      ]),
      path,
    );
    const { tensors } = await loadSafetensors(path);
    expect([...tensors.keys()]).toEqual([...names, 'byte']);
    expect(tensors.get('a')).toEqual(f32([2], 1, 2));
    // The data begin at a multiple of 8.
    expect(readFileSync(path).readUInt32LE(0) % 8).toBe(0);
  });

  it('refuses arrays that are not what they claim, and writes nothing', async () => {
    const save = (text: string, data: TensorData) => saveSafetensors(new Map([[text, data]]), join(folder, 'new'));
    await expect(save('w', f32([2, 2], 1, 2))).rejects.toThrow(
      /w: expected 4 elements of float32 \(shape \[2,2\]\), got 2 of float32/,
    );
    await expect(save('w', { ...i32(1), dtype: 'float32' })).rejects.toThrow(InputError);
    await expect(save('__metadata__', f32([1], 1))).rejects.toThrow(/reserved/);
    expect(readdirSync(folder)).not.toContain('new');
  });

  it('says when the folder is missing', async () => {
    await expect(saveSafetensors(new Map(), join(folder, 'no/such'))).rejects.toThrow(FileError);
  });
});

describe('hostile files', () => {
  const a = entry('F32', [2], [0, 8]);
  const zeros = (n: number) => new Uint8Array(n);

  it.each<[string, unknown, Uint8Array, RegExp]>([
    ['no JSON', '{"a":', zeros(0), /header: expected JSON in UTF-8/],
    ['a list for a header', [], zeros(0), /header: expected an object, got \[\]/],
    ['a byte order mark', '\ufeff{}', zeros(0), /header: expected JSON/],
    [
      'metadata that are no strings',
      { __metadata__: { a: 1 } },
      zeros(0),
      /__metadata__: expected an object of strings/,
    ],
    ['a tensor that is no object', { a: 3 }, zeros(0), /tensor 'a': entry: expected an object, got 3/],
    ['an unknown dtype', { a: entry('F8_E4M3', [8], [0, 8]) }, zeros(8), /dtype: expected one of F32, .*got "F8_E4M3"/],
    ['a name of Object for a dtype', { a: entry('toString', [8], [0, 8]) }, zeros(8), /dtype: expected/],
    ['no dtype', { a: { shape: [2], data_offsets: [0, 8] } }, zeros(8), /dtype: expected .*got nothing/],
    ['a negative size', { a: entry('F32', [-2], [0, 8]) }, zeros(8), /shape: expected integers from 0 on, got \[-2\]/],
    ['a fractional size', { a: entry('F32', [1.5], [0, 8]) }, zeros(8), /shape: expected/],
    ['sizes beyond all numbers', { a: entry('F32', [2 ** 53, 2], [0, 8]) }, zeros(8), /shape: expected/],
    [
      'a product beyond all numbers',
      { a: entry('F32', [2 ** 50, 2 ** 50], [0, 8]) },
      zeros(8),
      /data_offsets: expected/,
    ],
    [
      'sizes for more bytes',
      { a: entry('F32', [3], [0, 8]) },
      zeros(8),
      /expected 12 bytes \(F32 \[3\]\), got \[0,8\]/,
    ],
    ['offsets in reverse', { a: entry('F32', [2], [8, 0]) }, zeros(8), /data_offsets: expected 8 bytes/],
    ['three offsets', { a: entry('F32', [2], [0, 4, 8]) }, zeros(8), /data_offsets: expected two integers/],
    ['no offsets', { a: { dtype: 'F32', shape: [2] } }, zeros(8), /data_offsets: expected .*got nothing/],
    ['overlapping tensors', { a, b: entry('U8', [8], [4, 12]) }, zeros(12), /'b' overlaps .*at byte 8, got 4/],
    ['the same data twice', { a, b: a }, zeros(8), /'b' overlaps/],
    ['a hole', { a, b: entry('U8', [1], [9, 10]) }, zeros(10), /'b' leaves a hole .*at byte 8, got 9/],
    ['a hole at the start', { a: entry('F32', [1], [4, 8]) }, zeros(8), /'a' leaves a hole/],
    ['missing data', { a }, zeros(7), /expected 8 bytes of data, got 7; the file is truncated/],
    ['huge missing data', { a: entry('U8', [2 ** 45], [0, 2 ** 45]) }, zeros(1), /truncated/],
    ['trailing data', { a }, zeros(9), /expected 8 bytes of data, got 9; something follows/],
    ['a name twice', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":1}', zeros(1), /got "a" twice/],
    [
      'a key of an entry twice',
      '{"a":{"dtype":"U8","shape":[1], "shape" :[1],"data_offsets":[0,1]}}',
      zeros(1),
      /"shape" twice/,
    ],
    ['metadata twice', '{"__metadata__":{"{":"}","{":"\\""}}', zeros(0), /got "\{" twice/],
    [
      'large 64-bit integers',
      { a: entry('I64', [1], [0, 8]) },
      new Uint8Array([0, 0, 0, 0, 1, 0, 0, 0]),
      /'a': .*fit in 32 bits, got 4294967296 at 0/,
    ],
  ])('are refused for %s', async (_, header, data, message) => {
    write(header, data);
    const error = await loadSafetensors(path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(path);
  });

  it.each([
    ['beyond the file', 100n],
    ['beyond the limit', 100_000_001n],
    ['beyond all numbers', 2n ** 64n - 1n],
  ])('are refused for a header %s', async (_, length) => {
    write('{}', zeros(10), length);
    await expect(loadSafetensors(path)).rejects.toThrow(/length of the header: expected at most 12 bytes, got/);
  });

  it('are refused for broken UTF-8', async () => {
    writeFileSync(path, Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xff, 0xff, 0x22]));
    await expect(loadSafetensors(path)).rejects.toThrow(/header: expected JSON in UTF-8/);
  });

  it('are refused at every length that is not the whole', async () => {
    const whole = readFileSync(golden);
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(path, whole.subarray(0, length));
      await expect(loadSafetensors(path)).rejects.toThrow(FileError);
    }
  });

  it('either load or are refused when any bytes of the header change', async () => {
    const whole = readFileSync(golden);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), async (place, byte) => {
        const changed = Buffer.from(whole);
        changed[place] = byte;
        writeFileSync(path, changed);
        const result = await loadSafetensors(path).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(FileError);
        else expect(result).toHaveProperty('tensors');
      }),
      { numRuns: 200 },
    );
  });

  it('are refused when there is none', async () => {
    await expect(loadSafetensors(join(folder, 'none'))).rejects.toThrow(
      /none: expected a readable file, got ENOENT: no such file or directory/,
    );
    mkdirSync(join(folder, 'directory'));
    await expect(loadSafetensors(join(folder, 'directory'))).rejects.toThrow(/expected a readable file, got a folder/);
  });
});
