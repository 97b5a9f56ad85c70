import { execFile } from 'node:child_process';
import { InputError } from '../errors.js';

/** Results may have a line for every picture. */
const mostBytes = 2 ** 28;

/**
 * The last object that a command prints, from a process of its own: long work does not keep the studio from
 * answering.
 *
 * @param words arguments of the command line
 * @throws {InputError} with the words of the command, if it fails
 */
export function resultOf<T>(
  program: readonly string[],
  root: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<T> {
  const [file, ...first] = program;
  return new Promise((resolve, reject) => {
    execFile(
      file,
      [...first, ...words, '--json'],
      { cwd: root, signal, maxBuffer: mostBytes },
      (error, stdout, stderr) => {
        if (error === null) return resolve(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T);
        const message = stderr
          .trim()
          .split('\n')
          .at(-1)
          ?.replace(/^fovea: /, '');
        return reject(new InputError(message || error.message, { cause: error }));
      },
    );
  });
}
