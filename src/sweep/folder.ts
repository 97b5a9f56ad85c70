import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError, InputError } from '../errors.js';
import { makeFolder, reasonOf, writeFileAtomic } from '../io/files/atomic.js';
import { readText } from '../io/files/input.js';
import { lockFile, lockFolder } from '../io/files/lock.js';
import { outputFolder } from '../io/files/outputs.js';
import { isTemporary } from '../io/files/temporary.js';
import { type Json, parseJson } from '../text/json.js';
import { option } from '../text/option.js';
import { version } from '../version.js';
import { type SweepDefinition, sweepOf } from './definition.js';
import { Journal } from './journal.js';

const definitionFile = 'sweep.json';
/** Milliseconds between two tries to lock the folder: other workers hold the lock for moments. */
const retryMs = 25;
const mostTries = 2400;

/**
 * The folder of a sweep:
 *
 * | file | contents |
 * |---|---|
 * | `sweep.json` | the sweep as it was asked for |
 * | `journal.jsonl` | what its workers have begun and ended, one event a line |
 * | `plain/`, `trials/`, `repeats/` | run folders |
 * | `workers/` | a lock of each worker, which shows that it lives |
 * | `summary.json`, `best.yaml`, `report.html` | the results, after the end |
 */
export class SweepFolder {
  readonly journal: Journal;

  private constructor(
    readonly path: string,
    readonly definition: SweepDefinition,
  ) {
    this.journal = new Journal(path);
  }

  /** @throws {InputError} unless a sweep can be made in a folder: it must be new or empty */
  static async check(path: string): Promise<void> {
    await outputFolder(path, 'sweep');
    const names = existsSync(path) ? await readdir(path) : [];
    if (names.some((name) => !isTemporary(name) && !name.startsWith(lockFile))) {
      const resume = names.includes(definitionFile) ? `resume that sweep (${option('resume')}), or ` : '';
      throw new InputError(
        `[sweep] ${path}: expected a new or empty folder, got one with other files; ${resume}choose another ${option('out')}`,
      );
    }
  }

  /**
   * Makes a new folder.
   *
   * @param value the contents of the file that describes the sweep
   * @param where names that file in messages
   * @throws {InputError} for anything wrong in it, or a folder with something in it; no folder is made then
   */
  static async create(path: string, value: Json, where: string): Promise<SweepFolder> {
    const definition = sweepOf(value, where);
    await SweepFolder.check(path);
    await makeFolder(path);
    const lock = await lockFolder(path, 'sweep');
    try {
      // Another process may have been faster.
      if (existsSync(join(path, definitionFile))) {
        throw new InputError(
          `[sweep] ${path}: expected a new folder, got that of another sweep; choose another ${option('out')}`,
        );
      }
      const record = { format: 1, version, started: new Date().toISOString(), sweep: value };
      await writeFileAtomic(join(path, definitionFile), `${JSON.stringify(record, null, 2)}\n`);
    } finally {
      await lock.release();
    }
    return new SweepFolder(path, definition);
  }

  /** @throws {FileError} for a folder of something else, or a file that was altered */
  static async open(path: string): Promise<SweepFolder> {
    const file = join(path, definitionFile);
    const text = await readText(file).catch((error: unknown) => {
      throw new FileError(
        `[sweep] ${file}: expected the folder of a sweep (made by fovea sweep), got ${reasonOf(error)}`,
        {
          cause: error,
        },
      );
    });
    let record: { readonly format?: unknown; readonly sweep?: unknown };
    try {
      record = parseJson(text) as typeof record;
    } catch (error) {
      throw new FileError(`[sweep] ${file}: expected JSON, got something else; restore the file`, { cause: error });
    }
    if (record?.format !== 1) {
      throw new FileError(
        `[sweep] ${file}: expected format 1, got ${String(record?.format)}; it belongs to another version`,
      );
    }
    return new SweepFolder(path, sweepOf(record.sweep, file));
  }

  /** Calls a function while no other worker reads or writes the journal. */
  async locked<T>(body: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const lock = await lockFolder(this.path, 'sweep').catch((error: unknown) => {
        if (!(error instanceof InputError) || error instanceof FileError || tries >= mostTries) throw error;
        return null;
      });
      if (lock === null) {
        await sleep(retryMs);
        continue;
      }
      try {
        return await body();
      } finally {
        await lock.release();
      }
    }
  }

  workerPath(worker: string): string {
    return join(this.path, 'workers', worker);
  }
}
