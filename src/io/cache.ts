import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * The folder for what was downloaded: `FOVEA_CACHE`, else `fovea` in `XDG_CACHE_HOME`, else `~/.cache/fovea`.
 * It need not exist.
 */
export function cacheFolder(): string {
  const { FOVEA_CACHE: own = '', XDG_CACHE_HOME: xdg = '' } = process.env;
  if (own !== '') return resolve(own);
  // The XDG specification has relative paths ignored.
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'fovea');
}
