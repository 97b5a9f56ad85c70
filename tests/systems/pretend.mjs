/**
 * Pretends to be another system, before anything else is loaded: `node --import …/pretend.mjs`, with the system's name in
 * PRETENDED_PLATFORM. Paths stay those of the real one.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const platform = process.env.PRETENDED_PLATFORM;
Object.defineProperty(process, 'platform', { value: platform });
if (platform === 'darwin') Object.defineProperty(process, 'arch', { value: 'arm64' });

/** A failure of the system, as Node reports it. */
const failure = (code, call, path) =>
  Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path });

/** There is neither /proc nor /sys. */
const isLinux = (path) => /^\/(proc|sys)\//.test(String(path));
for (const [place, names] of [
  [fs, ['readFileSync', 'readlinkSync', 'statSync', 'openSync']],
  [fs.promises, ['readFile', 'readlink', 'stat', 'open']],
]) {
  for (const name of names) {
    const original = place[name];
    place[name] = (path, ...rest) => {
      if (!isLinux(path)) return original.call(place, path, ...rest);
      const error = failure('ENOENT', name, path);
      if (place === fs.promises) return Promise.reject(error);
      throw error;
    };
  }
}

/** Functions of the system that fail in some sandboxes. */
for (const name of ['hostname', 'userInfo', 'homedir', 'networkInterfaces']) {
  os[name] = () => {
    throw failure('ERR_SYSTEM_ERROR', name, '');
  };
}
os.cpus = () => [];

if (platform === 'win32') {
  for (const name of ['getuid', 'geteuid', 'getgid', 'getegid', 'getgroups', 'umask']) process[name] = undefined;
  // Windows flushes no folders.
  const { open } = fs.promises;
  fs.promises.open = async (path, ...rest) => {
    const handle = await open(path, ...rest);
    const isFolder = (await handle.stat()).isDirectory();
    if (isFolder) handle.sync = () => Promise.reject(failure('EPERM', 'fsync', path));
    return handle;
  };
}
syncBuiltinESMExports();
