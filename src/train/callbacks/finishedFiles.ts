import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '../../errors.js';
import type { Training } from '../callback.js';

/** Files of callbacks whose training came to its end, in this process. */
const finished = new Set<string>();

/** Protects a file of a training that came to its end from the next training in the same folder. */
export function protectFile(path: string): void {
  finished.add(resolve(path));
}

/**
 * Checks that a new training overwrites no file of another that came to its end. A resumed one may.
 *
 * @throws {InputError} if it would
 */
export function requireUnprotected(
  where: string,
  path: string,
  { epoch, batch }: Pick<Training, 'epoch' | 'batch'>,
): void {
  const isNew = epoch === 1 && batch === 0;
  if (!isNew || !finished.has(resolve(path)) || !existsSync(path)) return;
  throw new InputError(
    `[${where}] saveDir: expected a folder for this training alone, got one with ${path} of the training before; ` +
      'choose another saveDir, or remove that file',
  );
}
