import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { FileError, InputError } from '../../src/errors.js';
import { makeFolder, replaceFile, writeFileAtomic } from '../../src/io/files/atomic.js';
import { type Owner, shortOwner, thisProcess } from '../../src/io/files/owner.js';
import { isTemporary, removeAbandoned, temporaryName } from '../../src/io/files/temporary.js';
import { compileInto } from '../compiled.js';
import { itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const path = join(folder, 'file.bin');

afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});

it('writes text, bytes and pieces, and leaves nothing else behind', async () => {
  await writeFileAtomic(path, 'äöü');
  expect(readFileSync(path, 'utf8')).toBe('äöü');
  await writeFileAtomic(path, new Uint8Array([1, 2, 3]));
  expect([...readFileSync(path)]).toEqual([1, 2, 3]);
  const large = new Uint8Array(3_000_000).map((_, i) => i);
  await writeFileAtomic(path, [new Uint8Array([9]), new Uint8Array(0), large]);
  expect(readFileSync(path).equals(Buffer.concat([Buffer.from([9]), large]))).toBe(true);
  await writeFileAtomic(
    path,
    (async function* () {
      yield new Uint8Array([1]);
      yield new Uint8Array([2]);
    })(),
  );
  expect([...readFileSync(path)]).toEqual([1, 2]);
  expect(readdirSync(folder)).toEqual(['file.bin']);
});

it('shows the old contents until the new ones are complete', async () => {
  writeFileSync(path, 'old');
  await writeFileAtomic(
    path,
    (async function* () {
      yield Buffer.from('ne');
      expect(readFileSync(path, 'utf8')).toBe('old');
      yield Buffer.from('w');
    })(),
  );
  expect(readFileSync(path, 'utf8')).toBe('new');
});

it('keeps the old file and removes the new one when the source fails', async () => {
  writeFileSync(path, 'old');
  const cause = new Error('the source broke');
  const failing = (error: Error) =>
    (async function* () {
      yield new Uint8Array(100_000);
      throw error;
    })();
  const failure = await writeFileAtomic(path, failing(cause)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(FileError);
  expect(failure).toMatchObject({ message: `[file] ${path}: expected to write it, got the source broke`, cause });
  const own = new InputError('[source] says what is wrong itself');
  await expect(writeFileAtomic(path, failing(own))).rejects.toBe(own);
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['file.bin']);
});

it('keeps the old file when the disk is full', () => {
  // The limit on file sizes stands for the full disk: write() stops in the middle and then fails.
  compileInto(folder);
  writeFileSync(
    join(folder, 'fill.js'),
    `import { writeFileAtomic } from './io/files/atomic.js';
     const piece = new Uint8Array(50_000);
     const pieces = (async function* () { for (let i = 0; i < 10; i++) yield piece; })();
     await writeFileAtomic('out/file.bin', pieces).catch(({ name, message }) => console.log(name + ' ' + message));`,
  );
  mkdirSync(join(folder, 'out'));
  writeFileSync(join(folder, 'out/file.bin'), 'old');
  const command = `ulimit -f 64 && exec '${process.execPath}' fill.js`;
  expect(execFileSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8' })).toBe(
    'FileError [file] out/file.bin: expected to write it, got EFBIG: file too large; ' +
      'raise the limit on file sizes (ulimit -f)\n',
  );
  expect(readFileSync(join(folder, 'out/file.bin'), 'utf8')).toBe('old');
  expect(readdirSync(join(folder, 'out'))).toEqual(['file.bin']);
});

it.each([
  ['a missing folder', 'missing/file', /missing\/file: expected to write it, got ENOENT: .*; create the folder first/],
  ['a file for a folder', 'plain/file', /plain\/file: expected to write it, got ENOTDIR: .*; choose another folder/],
  ['a folder for a file', 'sub', /sub: expected to write it, got EISDIR: .*; choose a name that is not a folder/],
])('says what is wrong with %s', async (_, name, message) => {
  writeFileSync(join(folder, 'plain'), '');
  mkdirSync(join(folder, 'sub'));
  await expect(writeFileAtomic(join(folder, name), 'x')).rejects.toThrow(message);
  expect(readdirSync(folder).sort()).toEqual(['plain', 'sub']);
});

itWith('user', 'says that a folder may not be written to', async () => {
  mkdirSync(join(folder, 'locked'));
  chmodSync(join(folder, 'locked'), 0o555);
  await expect(writeFileAtomic(join(folder, 'locked/file'), 'x')).rejects.toThrow(/EACCES.*may write to/);
});

it('a name of the greatest length that the system takes can be written', async () => {
  const long = join(folder, 'n'.repeat(255));
  await writeFileAtomic(long, 'x');
  await writeFileAtomic(long, 'y');
  expect(readFileSync(long, 'utf8')).toBe('y');
});

it('what ended processes have left is removed, and nothing else', async () => {
  const pid = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
  const own = await thisProcess();
  const of = (owner: Owner) => `.fovea-${shortOwner(owner)}-01234567.tmp`;
  const kept = [await temporaryName(), of({ ...own, host: 'elsewhere', pid }), '.fovea-mine.tmp', 'my.tmp', '.x.tmp'];
  for (const name of [...kept, of({ ...own, pid, began: null })]) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, of({ ...own, pid, began: '1' })));
  expect(readdirSync(folder)).toHaveLength(7);
  await removeAbandoned(folder);
  expect(readdirSync(folder).sort()).toEqual(kept.sort());
  expect(kept.map(isTemporary)).toEqual(kept.map((name) => /^.fovea-.*-\d/.test(name)));
});

it('flushes and closes the file that it fills, and returns what the filler returns', async () => {
  const result = await replaceFile(path, async (handle) => {
    await handle.writeFile('abc');
    return { handle, sync: vi.spyOn(handle, 'sync') };
  });
  expect(result.sync).toHaveBeenCalledOnce();
  expect(result.handle.fd).toBe(-1);
  expect(readFileSync(path, 'utf8')).toBe('abc');
});

it('makes the folders that are missing, and is content with those that are there', async () => {
  const path = join(folder, 'a/b/c');
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(folder, 'a/d'))]);
  await makeFolder(path);
  expect(readdirSync(join(folder, 'a'))).toEqual(['b', 'd']);
  expect(readdirSync(path)).toEqual([]);
  writeFileSync(join(folder, 'file'), '');
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(folder, 'file/x/y'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

itWith('linux', 'a folder that cannot be made is an error, not an endless loop', async () => {
  await expect(makeFolder('/proc/fovea/x')).rejects.toMatchObject({ code: 'ENOENT' });
});
