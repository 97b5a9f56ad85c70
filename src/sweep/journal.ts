import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../errors.js';
import { adviceOn, reasonOf } from '../io/files/atomic.js';
import { readText } from '../io/files/input.js';
import { type Json, parseJson } from '../text/json.js';

export const journalFile = 'journal.jsonl';

const count = z.int().min(0);
const values = z.record(z.string(), z.custom<Json>());

/** A training that a worker does: the plain recipe, a trial of the search, or a repetition of a trial. */
export const job = z.strictObject({
  kind: z.enum(['plain', 'trial', 'repeat']),
  /** Number of the trial; 0 for the plain recipe. */
  trial: count,
  seed: count,
  /** Epochs that are done when the job is. */
  epochs: z.int().min(1),
  values,
});

const at = z.iso.datetime();
const events = z.discriminatedUnion('event', [
  /** A worker takes a job. */
  z.strictObject({ event: z.literal('claim'), at, worker: z.string(), job }),
  /** A job is done. */
  z.strictObject({
    event: z.literal('done'),
    at,
    worker: z.string(),
    job,
    /** The metric on the validation images. */
    value: z.number(),
    seconds: z.number().min(0),
  }),
  /** A training diverged, did not fit into the memory, or was refused. */
  z.strictObject({
    event: z.literal('failed'),
    at,
    worker: z.string(),
    job,
    why: z.enum(['diverged', 'memory', 'refused']),
    reason: z.string(),
  }),
]);

export type Job = z.infer<typeof job>;
export type JournalEvent = z.infer<typeof events>;

/** Names a job: each is done once. */
export function keyOf({ kind, trial, seed, epochs }: Job): string {
  return `${kind} ${trial} seed ${seed} to ${epochs}`;
}

/**
 * The journal of a sweep: one event a line, which are only appended, and flushed to the disk. A line that a
 * killed process has cut short is passed over; its event did not take place. Callers must hold the lock of
 * the folder to append.
 */
export class Journal {
  readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, journalFile);
  }

  /** @throws {FileError} for a line that is whole and not an event */
  async read(): Promise<JournalEvent[]> {
    const text = await readText(this.path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw new FileError(`[sweep] ${this.path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
    });
    return text.split('\n').flatMap((line, i) => this.#parsed(line, i + 1));
  }

  #parsed(line: string, number: number): JournalEvent[] {
    if (line === '') return [];
    let value: unknown;
    try {
      value = parseJson(line);
    } catch {
      // Only a line that was cut short is not JSON; the next writer has ended it.
      return [];
    }
    const found = events.safeParse(value);
    if (found.success) return [found.data];
    const [{ path, message }] = found.error.issues;
    throw new FileError(
      `[sweep] ${this.path}, line ${number}: ${path.join('.')}: ${message}; the file was altered or belongs to another version`,
    );
  }

  /** @throws {FileError} if it cannot be written, for example on a full disk */
  async append(event: JournalEvent): Promise<void> {
    let handle: FileHandle | null = null;
    try {
      handle = await open(this.path, 'a+');
      const { size } = await handle.stat();
      const last = Buffer.alloc(1, '\n');
      if (size > 0) await handle.read(last, 0, 1, size - 1);
      const begin = last.toString() === '\n' ? '' : '\n';
      await handle.appendFile(`${begin}${JSON.stringify(event)}\n`);
      await handle.sync();
    } catch (error) {
      const todo = adviceOn(error);
      throw new FileError(
        `[sweep] ${this.path}: expected to write it, got ${reasonOf(error)}${todo === undefined ? '' : `; ${todo}`}; ` +
          'nothing is lost, resume the sweep then',
        { cause: error },
      );
    } finally {
      await handle?.close();
    }
  }
}
