import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/**
 * The folder for downloads, decoded pictures and libraries: `FOVEA_CACHE`, else `fovea` in `XDG_CACHE_HOME`,
 * else `~/.cache/fovea`. Users without a writable home folder get a folder of the temporary files, with one
 * message on stderr. The folder need not exist. If nothing can be written there either, the message says so.
 */
export function cacheFolder(): string {
  const { path, isTemporary } = cachePlace();
  if (!isTemporary || isReported) return path;
  isReported = true;
  process.stderr.write(
    canBeMade(path)
      ? `fovea: no home folder to write to: the cache is ${path}; FOVEA_CACHE names another\n`
      : `fovea: no folder to write to for the cache, neither in the home folder nor as ${path}: nothing can be ` +
          'downloaded, and pictures are decoded again in each run; set FOVEA_CACHE to a folder that you may write to\n',
  );
  return path;
}

let isReported = false;

/** {@link cacheFolder} without a message, to look for what is there. */
export function cachePlace(): { readonly path: string; readonly isTemporary: boolean } {
  const { FOVEA_CACHE: own = '', XDG_CACHE_HOME: xdg = '' } = process.env;
  if (own !== '') return { path: resolve(own), isTemporary: false };
  // The XDG specification ignores relative paths.
  if (isAbsolute(xdg)) return { path: join(xdg, 'fovea'), isTemporary: false };
  const home = homeFolder();
  // A home folder that is named but missing is not made.
  const usual = home === null || !existsSync(home) ? null : join(home, '.cache', 'fovea');
  if (usual !== null && canBeMade(usual)) return { path: usual, isTemporary: false };
  return { path: join(tmpdir(), `fovea-cache-${process.getuid?.() ?? 'user'}`), isTemporary: true };
}

/**
 * `HOME`, else the home folder by the system; null for a user that the system does not know, as in some
 * containers.
 */
function homeFolder(): string | null {
  const { HOME, USERPROFILE } = process.env;
  const named = (process.platform === 'win32' ? USERPROFILE : HOME) ?? '';
  if (isAbsolute(named)) return named;
  try {
    const { homedir } = userInfo();
    return isAbsolute(homedir) ? homedir : null;
  } catch {
    return null;
  }
}

/** Whether downloads have a place: the folder of the cache can be written, or made. Nothing is made. */
export const canWriteCache = (): boolean => canWriteBelow(cachePlace().path);

/** Whether a folder exists, or can be made. */
const canBeMade = (path: string): boolean => existsSync(path) || canWriteBelow(path);

/** Whether a path, or its nearest existing parent, is a folder that can be written. */
function canWriteBelow(path: string): boolean {
  let nearest = path;
  // On Windows even the topmost folder may be missing: that of a drive which is not there.
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK);
    return statSync(nearest).isDirectory();
  } catch {
    return false;
  }
}
