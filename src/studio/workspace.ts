import { lstat, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { InputError } from '../errors.js';
import { reasonOf } from '../io/files/atomic.js';
import { Refusal } from './refusal.js';

/** The folder that a studio works in. Pages name everything by its path below the folder, with `/`. */
export class Workspace {
  /** Without symbolic links. */
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** @throws {InputError} for anything but a folder */
  static async open(folder: string): Promise<Workspace> {
    const refuse = (got: string, cause?: unknown) =>
      new InputError(`[studio] ${folder}: expected a folder, got ${got}; give one that exists`, { cause });
    const root = await realpath(resolve(folder)).catch((error: unknown) => {
      throw refuse(reasonOf(error), error);
    });
    if (!(await stat(root)).isDirectory()) throw refuse('a file');
    return new Workspace(root);
  }

  /**
   * The path of something below the folder.
   *
   * @param name as pages have it: `runs/first`; empty for the folder itself
   * @throws {Refusal} for a name that leads out of the folder, for symbolic links, and if nothing is there
   */
  async path(name: string): Promise<string> {
    const parts = name === '' ? [] : name.split('/');
    const isStrange = (part: string) => part === '' || part === '.' || part === '..' || /[\0\\]/.test(part);
    if (isAbsolute(name) || parts.some(isStrange)) {
      throw new Refusal('outside', `path: expected a name below the folder of the studio, got '${name}'`);
    }
    let path = this.root;
    for (const part of parts) {
      path = join(path, part);
      const info = await lstat(path).catch((error: unknown) => {
        throw new Refusal('gone', `${name}: expected to read it, got ${reasonOf(error)}`, { cause: error });
      });
      if (info.isSymbolicLink()) throw new Refusal('link', `${name}: expected no symbolic link, got one`);
    }
    const real = await realpath(path).catch((error: unknown) => {
      throw new Refusal('gone', `${name || this.root}: expected to read it, got ${reasonOf(error)}`, { cause: error });
    });
    // A folder may have been replaced by a link after it was looked at.
    if (real === path && (real === this.root || real.startsWith(this.root + sep))) return real;
    throw new Refusal('link', `${name}: expected no symbolic link, got one`);
  }

  /** The name of a path below the folder; null for one outside. */
  nameOf(path: string): string | null {
    const absolute = resolve(path);
    if (absolute === this.root) return '';
    const start = this.root.endsWith(sep) ? this.root : this.root + sep;
    return absolute.startsWith(start) ? absolute.slice(start.length).split(sep).join('/') : null;
  }
}
