import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError } from '../../src/errors.js';
import { moveFile } from '../../src/io/files/atomic.js';
import { outputFolder } from '../../src/io/files/outputs.js';

/** A Windows whose drive `Z:` is missing, and whose virus scanner has opened files so often. */
const windows = vi.hoisted(() => {
  const failure = (code: string) => Object.assign(new Error(code), { code });
  return { failure, busy: 0, code: 'EPERM', renamed: [] as string[] };
});

vi.mock('node:path', async (original) => (await original<typeof import('node:path')>()).win32);
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  existsSync: () => false,
  accessSync: () => {
    throw windows.failure('ENOENT');
  },
}));
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  stat: async () => {
    throw windows.failure('ENOENT');
  },
  rename: async (from: string, to: string) => {
    if (windows.busy-- > 0) throw windows.failure(windows.code);
    windows.renamed.push(`${from} ${to}`);
  },
}));
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  tmpdir: () => 'Z:\\Temp',
}));

const { platform } = process;
beforeEach(() => {
  Object.defineProperty(process, 'platform', { value: 'win32' });
  Object.assign(windows, { busy: 0, code: 'EPERM', renamed: [] });
});
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform });
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('a file that another program has opened', () => {
  it.each(['EPERM', 'EACCES', 'EBUSY'])('is moved once the program has closed it (%s)', async (code) => {
    Object.assign(windows, { busy: 4, code });
    await moveFile('new', 'old');
    expect(windows.renamed).toEqual(['new old']);
  });

  it('is an error if that takes too long', async () => {
    windows.busy = Number.POSITIVE_INFINITY;
    await expect(moveFile('new', 'old')).rejects.toThrow('EPERM');
  });

  it('is an error at once for other reasons, and on other systems', async () => {
    Object.assign(windows, { busy: 1, code: 'ENOSPC' });
    await expect(moveFile('new', 'old')).rejects.toThrow('ENOSPC');
    Object.defineProperty(process, 'platform', { value: 'linux' });
    Object.assign(windows, { busy: 1, code: 'EPERM' });
    await expect(moveFile('new', 'old')).rejects.toThrow('EPERM');
    expect(windows.renamed).toEqual([]);
  });
});

describe('a drive that is missing', () => {
  it('cannot take an output folder', async () => {
    const error = await outputFolder('Z:\\runs\\first', 'run').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(/^\[run\] Z:\\runs\\first: expected to write it, got .*ENOENT/);
  });

  it('cannot take the cache: a message says so, once', async () => {
    vi.stubEnv('FOVEA_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', '');
    vi.stubEnv('USERPROFILE', 'Z:\\Users\\me');
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { cacheFolder } = await import('../../src/platform/node/cacheFolder.js');
    expect(cacheFolder()).toMatch(/^Z:\\Temp\\fovea-cache-/);
    cacheFolder();
    expect(write.mock.calls.flat()).toEqual([
      expect.stringMatching(/^fovea: no folder to write to for the cache.*set FOVEA_CACHE to a folder/),
    ]);
  });
});
