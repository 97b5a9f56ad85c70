import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { moveFile, reasonOf } from '../../io/files/atomic.js';
import { type Fingerprint, fingerprint } from '../../io/files/fingerprint.js';

export const stateFile = 'state.json';

/**
 * The files that `state.json` lists. New ones are written as `NAME.new`, and are renamed after `state.json`
 * is written. Thus one complete state, the old or the new one, can be read whenever the process is killed.
 */
export class StateFiles {
  readonly #folder: string;
  /** Names of files of the saved state that are not stored under their own names yet. */
  readonly #fresh = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Path of a file under its own name. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Path of a file before it is renamed. */
  newPath(name: string): string {
    return this.path(`${name}.new`);
  }

  /** Path of a file of the saved state. */
  place(name: string): string {
    return this.#fresh.has(name) ? this.newPath(name) : this.path(name);
  }

  /** Renames files that a state on disk lists now. */
  async renameNew(names: Iterable<string> = []): Promise<void> {
    for (const name of names) this.#fresh.add(name);
    for (const name of this.#fresh) {
      await moveFile(this.newPath(name), this.path(name));
      this.#fresh.delete(name);
    }
  }

  /** A file that is no longer part of the state. */
  forget(name: string): void {
    this.#fresh.delete(name);
  }

  /** Finds a file that a state lists: under its own name, or under `NAME.new` if it was not renamed yet. */
  async locate(name: string, expected: Fingerprint | undefined): Promise<void> {
    if (expected === undefined) {
      throw new FileError(`[run] ${this.path(stateFile)}: files: expected an entry for ${name}, got none`);
    }
    const fresh = this.newPath(name);
    const found = await fingerprint(fresh).catch(() => null);
    if (found?.sha256 === expected.sha256) {
      this.#fresh.add(name);
      return;
    }
    this.#fresh.delete(name);
    const path = this.path(name);
    const todo = 'restore it from a copy, or train again';
    const { bytes, sha256 } = await fingerprint(path).catch((error: unknown) => {
      throw new FileError(`[run] ${path}: expected ${expected.bytes} bytes, got ${reasonOf(error)}; ${todo}`, {
        cause: error,
      });
    });
    if (bytes !== expected.bytes) {
      throw new FileError(`[run] ${path}: expected ${expected.bytes} bytes, got ${bytes}; ${todo}`);
    }
    if (sha256 !== expected.sha256) {
      throw new FileError(
        `[run] ${path}: expected the contents that were saved (sha256 ${expected.sha256.slice(0, 16)}…), ` +
          `got others (${sha256.slice(0, 16)}…); ${todo}`,
      );
    }
  }
}
