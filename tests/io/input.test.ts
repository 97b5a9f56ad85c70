import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileError, InputError } from '../../src/errors.js';
import { openInput, readInput, readStart } from '../../src/io/files/input.js';
import { readTable } from '../../src/io/files/table.js';
import { readTar } from '../../src/io/files/tar.js';
import { loadPickle } from '../../src/io/weights/pickle.js';
import { loadSafetensors } from '../../src/io/weights/safetensors.js';
import { RunFolder } from '../../src/run/folder.js';
import { parseJson } from '../../src/text/json.js';
import { readIdx } from '../../src/vision/datasets/idx.js';
import { decodeImage } from '../../src/vision/images/decode.js';
import { itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);

const readers: Readonly<Record<string, (file: string) => Promise<unknown>>> = {
  input: (file) => readInput(file),
  start: (file) => readStart(file, 4),
  safetensors: loadSafetensors,
  pickle: loadPickle,
  table: (file) => readTable(file, file),
  tar: async (file) => {
    for await (const _ of readTar(file, () => true));
  },
  idx: (file) => readIdx(file, 1),
  picture: decodeImage,
};

// Opening a pipe waits for a writer, and a device has no end.
itWith('posix', 'pipes, devices and folders are refused at once by everything that reads files', async () => {
  execFileSync('mkfifo', [path('pipe.csv')]);
  mkdirSync(path('folder'));
  for (const [name, read] of Object.entries(readers)) {
    for (const [file, what] of [
      [path('pipe.csv'), 'a pipe'],
      ['/dev/zero', 'a device'],
      [path('folder'), 'a folder'],
    ]) {
      await expect(read(file), `${name} of ${what}`).rejects.toThrow(new RegExp(`\\b${what}\\b`));
    }
  }
});

itWith('posix', 'a run folder whose files are pipes or devices is refused', async () => {
  mkdirSync(path('run'));
  execFileSync('mkfifo', [path('run/config.json')]);
  await expect(RunFolder.open(path('run'))).rejects.toThrow(/run\/config\.json: .*got a pipe/);
});

it('a file beyond the limit is refused before it is read', async () => {
  writeFileSync(path('long'), 'x'.repeat(100));
  expect((await readInput(path('long'), 100)).length).toBe(100);
  await expect(readInput(path('long'), 99)).rejects.toThrow('100 bytes, where at most 99 make sense');
  expect((await readStart(path('long'), 4)).toString()).toBe('xxxx');
  const handle = await openInput(path('long'));
  await handle.close();
});

it('JSON that nests without end is refused, with any contents of its strings', () => {
  const deep = '['.repeat(1e6);
  expect(() => parseJson(deep)).toThrow('brackets nested deeper than 100 levels');
  expect(() => parseJson(`${deep}${']'.repeat(1e6)}`)).toThrow(SyntaxError);
  const text = JSON.stringify({ a: '['.repeat(500), '"\\{': ['\\', '"[', [[{}]]] });
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

it('a header of safetensors that is all brackets, or larger than any network needs, is refused', async () => {
  const file = (header: Uint8Array) => {
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path('hostile.safetensors'), Buffer.concat([start, header]));
    return loadSafetensors(path('hostile.safetensors'));
  };
  await expect(file(Buffer.alloc(5_000_000, '['))).rejects.toThrow(/header: expected JSON in UTF-8, got brackets/);
  const large = file(Buffer.alloc(20_000_000, '['));
  await expect(large).rejects.toThrow(FileError);
  await expect(large).rejects.toThrow(/length of the header: expected at most 10000000 bytes, got 20000000/);
  await expect(large).rejects.toThrow(InputError);
});
