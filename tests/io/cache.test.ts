import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../temporary.js';

const root = realpathSync(temporaryFolder());
const user = vi.hoisted(() => ({ homedir: '/' as string | null }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    if (user.homedir === null) throw new Error('uv_os_get_passwd returned ENOENT');
    return user;
  },
}));

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.resetModules();
});

/** The path of the cache with such a home folder, and the messages when the path is asked for twice. */
async function cacheWith(home: string | undefined, known: string | null): Promise<[path: string, said: string]> {
  for (const name of ['FOVEA_CACHE', 'XDG_CACHE_HOME']) vi.stubEnv(name, '');
  vi.stubEnv('HOME', home);
  user.homedir = known;
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const { cacheFolder } = await import('../../src/platform/node/cacheFolder.js');
  cacheFolder();
  return [cacheFolder(), write.mock.calls.join()];
}

const fallback = join(tmpdir(), `fovea-cache-${process.getuid?.() ?? 'user'}`);
const told = `fovea: no home folder to write to: the cache is ${fallback}; FOVEA_CACHE names another\n`;

it('is in the home folder, of HOME or of what the system knows', async () => {
  const usual = join(root, '.cache/fovea');
  expect(await cacheWith(root, null)).toEqual([usual, '']);
  for (const home of [undefined, '', 'relative']) expect(await cacheWith(home, root)).toEqual([usual, '']);
});

it('is among the temporary files where there is no home folder, and says so once', async () => {
  expect(await cacheWith(undefined, null)).toEqual([fallback, told]);
  vi.resetModules();
  vi.restoreAllMocks();
  expect(await cacheWith('', 'relative')).toEqual([fallback, told]);
  vi.resetModules();
  vi.restoreAllMocks();
  expect(await cacheWith(join(root, 'not made'), root)).toEqual([fallback, told]);
  expect(existsSync('.cache')).toBe(false);
});

it('is in the folder that was asked for, or where it is already', async () => {
  mkdirSync(join(root, 'home/.cache/fovea'), { recursive: true });
  expect(await cacheWith(join(root, 'home'), null)).toEqual([join(root, 'home/.cache/fovea'), '']);
  const { cacheFolder } = await import('../../src/platform/node/cacheFolder.js');
  vi.stubEnv('XDG_CACHE_HOME', join(root, 'xdg'));
  expect(cacheFolder()).toBe(join(root, 'xdg/fovea'));
  vi.stubEnv('FOVEA_CACHE', 'own');
  expect(cacheFolder()).toBe(resolve('own'));
});
