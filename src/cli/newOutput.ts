import { existsSync } from 'node:fs';
import { InputError } from '../errors.js';
import { outputFile, outputFolder } from '../io/files/outputs.js';

/**
 * Checks before a long computation that a file is new and can be written.
 *
 * @param where names the command in messages
 * @param option the flag that gives the file
 */
export async function newFile(path: string, where: string, option: string): Promise<void> {
  requireNew('file', path, where, option);
  await outputFile(path, where);
}

/** Checks before a long computation that a folder is new and can be made; see {@link newFile}. */
export async function newFolder(path: string, where: string, option: string): Promise<void> {
  requireNew('folder', path, where, option);
  await outputFolder(path, where);
}

function requireNew(kind: 'file' | 'folder', path: string, where: string, option: string): void {
  if (!existsSync(path)) return;
  throw new InputError(
    `[${where}] ${path}: expected a new ${kind}, got one that is there already; choose another ${option}`,
  );
}
