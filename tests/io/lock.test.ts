import { execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FileError, InputError } from '../../src/errors.js';
import { lockFolder, ownerOf } from '../../src/io/files/lock.js';
import { type Owner, shortOwner, thisProcess } from '../../src/io/files/owner.js';
import { has, itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const newFolder = () => mkdtempSync(join(root, 'folder-'));
const dead = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
const isLinux = has('linux');

/** Locks a folder that has such a lock already; returns the error, or null if the lock was taken over. */
async function lockOver(content: string | Owner, folder = newFolder(), secondsAgo = 0): Promise<Error | null> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(folder, '.lock'), text);
  const written = Date.now() / 1000 - secondsAgo;
  utimesSync(join(folder, '.lock'), written, written);
  try {
    const lock = await lockFolder(folder, 'test');
    expect(JSON.parse(readFileSync(join(folder, '.lock'), 'utf8'))).toEqual({ ...(await thisProcess()), beats: true });
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
    return null;
  } catch (error) {
    expect(readFileSync(join(folder, '.lock'), 'utf8')).toBe(text);
    return error as Error;
  }
}

it('keeps others out until it is released', async () => {
  const folder = newFolder();
  expect(await ownerOf(folder)).toBeNull();
  const lock = await lockFolder(folder, 'test');
  expect(await ownerOf(folder)).toMatchObject({ pid: process.pid });
  await expect(lockFolder(folder, 'test')).rejects.toThrow(InputError);
  await expect(lockFolder(folder, 'test')).rejects.toThrow(
    `[test] ${folder}: expected no other process to write there, got process ${process.pid} on ${hostname()}; ` +
      `wait for it, choose another folder, or delete ${folder}/.lock if you are sure that it has ended`,
  );
  await lock.release();
  expect(readdirSync(folder)).toEqual([]);
  await (await lockFolder(folder, 'test')).release();
});

it('shows that its process lives, and knows when it was lost', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const folder = newFolder();
    const path = join(folder, '.lock');
    const lock = await lockFolder(folder, 'test');
    const text = readFileSync(path, 'utf8');
    utimesSync(path, 1, 1);
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => statSync(path).mtimeMs, { timeout: 20_000 }).toBeGreaterThan(1000);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(await lock.isLost()).toBe(false);
    const other = JSON.stringify({ ...(await thisProcess()), host: 'elsewhere' });
    writeFileSync(path, other);
    expect(await lock.isLost()).toBe(true);
    vi.advanceTimersByTime(60_000);
    await lock.release();
    expect(readFileSync(path, 'utf8')).toBe(other);
  } finally {
    vi.useRealTimers();
  }
});

it('only one of many gets a lock that a dead process has left', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, '.lock'), JSON.stringify({ host: hostname(), pid: dead, began: null }));
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(folder, 'test')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(['.lock']);
});

describe('of another process', () => {
  it('is taken over once that has ended', async () => {
    const own = await thisProcess();
    const ended = { ...own, pid: dead, began: own.began === null ? null : '1' };
    expect(await lockOver(ended)).toBeNull();
    expect(await lockOver({ host: hostname(), pid: dead, began: null })).toBeNull();
    // The number is another process's now.
    if (own.began !== null) expect(await lockOver({ ...own, began: '1' })).toBeNull();
  });

  it('counts as living on another machine, in another container, or where that cannot be known', async () => {
    const own = await thisProcess();
    const elsewhere: Owner[] = [
      { ...own, host: 'elsewhere' },
      { ...own, host: 'elsewhere', pid: dead },
      ...(isLinux
        ? [
            { ...own, space: 'pid:[1]', pid: dead },
            { ...own, space: 'pid:[1]', boot: 'other' },
          ]
        : []),
    ];
    for (const owner of elsewhere) {
      const message = `got process ${owner.pid} on ${owner.host}; wait for it, choose another folder, or delete `;
      expect((await lockOver(owner))?.message).toContain(message);
    }
  });

  it('is taken over from one elsewhere that has given no sign of life for minutes, with its temporary files', async () => {
    const owner = { ...(await thisProcess()), host: 'elsewhere', beats: true };
    expect((await lockOver(owner, undefined, 20))?.message).toMatch(
      /got process \d+ on elsewhere; wait for it, choose another folder, or try again in \d+ s or delete /,
    );
    // The clock of another machine may be ahead.
    expect((await lockOver(owner, undefined, -600))?.message).toContain('try again in 120 s');
    const folder = newFolder();
    writeFileSync(join(folder, `.fovea-${shortOwner(owner)}-01234567.tmp`), '');
    expect(await lockOver(owner, folder, 600)).toBeNull();
    // Earlier versions give no signs of life.
    expect(await lockOver({ ...owner, beats: false } as Owner, undefined, 600)).toBeInstanceOf(InputError);
    const living = { ...(await thisProcess()), beats: true };
    expect(await lockOver(living, undefined, 600)).toBeInstanceOf(InputError);
  });

  itWith('linux', 'is taken over after the machine was started anew, but not from a container', async () => {
    const own = await thisProcess();
    const outside = 'pid:[4026531836]';
    const before = { ...own, boot: 'the boot before' };
    expect(await lockOver({ ...before, space: own.space ?? outside })).toEqual(
      own.space === outside ? null : expect.any(InputError),
    );
  });

  itWith('linux', 'is taken over from one that ended and that nobody has waited for', async () => {
    // The shell becomes `sleep`, which never waits for its child.
    const parent = spawn('bash', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
      const status = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1];
      const name = () => readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim();
      await expect.poll(name, { timeout: 20_000 }).toBe('sleep');
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => status()[0], { timeout: 20_000 }).toBe('Z');
      expect(await lockOver({ ...(await thisProcess()), pid, began: status().split(' ')[19] })).toBeNull();
    } finally {
      parent.kill();
    }
  });
});

it('one that a power failure has left without contents is taken over', async () => {
  expect(await Promise.all(['', '\0\0\0\0'].map((text) => lockOver(text)))).toEqual([null, null]);
});

it.each([
  ...['null', '{}', '[]', '1', '"x"', '{"host":"', 'my own notes', '\xff\xfe'],
  JSON.stringify({ host: hostname(), pid: -1, began: null }),
  JSON.stringify({ host: hostname(), pid: 1e300, began: null }),
  JSON.stringify({ host: hostname(), pid: dead, began: {} }),
  '['.repeat(1_000_000),
])('one with other contents is refused, and stays (%#)', async (text) => {
  const error = await lockOver(text);
  expect(error).toBeInstanceOf(FileError);
  expect(error?.message).toMatch(/^\[test\] .*: expected no \.lock, or that of a process, got .*; delete .*\.lock if/);
});

describe('what has its name', () => {
  const cases: [string, (path: string) => void, RegExp][] = [
    ['a folder', (path) => mkdirSync(path), /got a folder; delete/],
    ['a link to nothing', (path) => symlinkSync('nothing', path), /got a link or device; delete/],
    ['a link in a circle', (path) => symlinkSync('.lock', path), /got a link or device; delete/],
  ];
  if (isLinux)
    cases.push(['a FIFO', (path) => execFileSync('bash', ['-c', 'mkfifo "$0"', path]), /got a link or device; delete/]);
  it.each(cases)('is refused: %s', async (_, make, message) => {
    const folder = newFolder();
    make(join(folder, '.lock'));
    await expect(lockFolder(folder, 'test')).rejects.toThrow(message);
    expect(await ownerOf(folder)).toBeNull();
    expect(readdirSync(folder)).toEqual(['.lock']);
  });
});

it('a folder that cannot be written to is an error at once', async () => {
  await expect(lockFolder(join(root, 'missing'), 'test')).rejects.toThrow(/expected to write .*\.lock, got ENOENT/);
  if (isLinux) await expect(lockFolder('/proc', 'test')).rejects.toThrow(FileError);
});
