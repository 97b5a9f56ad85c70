import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FileError, FoveaError, InputError } from '../../errors.js';
import type { Preprocessed } from '../transforms/preprocess.js';
import { type ImageJob, readImage } from './readImage.js';

/** What a worker is sent. */
export interface ImageRequest {
  readonly id: number;
  readonly job: ImageJob;
}

/** What it sends back. */
export type ImageAnswer =
  | { readonly id: number; readonly image: Preprocessed }
  | { readonly id: number; readonly error: string; readonly isFile: boolean };

interface Pending {
  readonly resolve: (image: Preprocessed) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reads pictures beside the main thread, which a training step blocks for as long as it takes.
 *
 * A picture takes several turns of an event loop (file, cache, decoder, resize), so it needs a loop that turns: a
 * thread of its own. All that is asked for is handed to the threads at once; they hold the pixels of one picture each.
 */
export interface ImagePool {
  /** Pictures under way that keep the pool busy. */
  readonly width: number;
  read(job: ImageJob): Promise<Preprocessed>;
}

const most = 64;
const pools = new Map<number, ImagePool>();

/**
 * The pool of so many threads that the whole process shares.
 *
 * @param numWorkers default: one for each processor, at most 4. 0: the main thread. So it is as well where only the
 * TypeScript sources are there, as in tests, since threads start from compiled files.
 */
export function imagePool(numWorkers = Math.min(4, availableParallelism())): ImagePool {
  if (!Number.isSafeInteger(numWorkers) || numWorkers < 0 || numWorkers > most) {
    throw new InputError(`[images] numWorkers: expected an integer from 0 to ${most}, got ${numWorkers}`);
  }
  const count = import.meta.url.endsWith('.js') ? numWorkers : 0;
  const pool = pools.get(count) ?? (count === 0 ? new OwnThread() : new WorkerThreads(count));
  pools.set(count, pool);
  return pool;
}

/** The pool without threads: two pictures at a time. */
class OwnThread implements ImagePool {
  readonly width = 2;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async read(job: ImageJob): Promise<Preprocessed> {
    if (this.#running >= this.width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await readImage(job);
    } finally {
      // The place goes to the next one, if there is one.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

class WorkerThreads implements ImagePool {
  readonly #threads: WorkerThread[] = [];
  #id = 0;

  constructor(readonly width: number) {}

  read(job: ImageJob): Promise<Preprocessed> {
    const live = this.#threads.filter((thread) => !thread.ended);
    this.#threads.splice(0, this.#threads.length, ...live);
    let thread = live.reduce<WorkerThread | undefined>(
      (best, next) => (best === undefined || next.pending < best.pending ? next : best),
      undefined,
    );
    if (thread === undefined || (thread.pending > 0 && live.length < this.width)) {
      thread = new WorkerThread();
      this.#threads.push(thread);
    }
    return thread.read(this.#id++, job);
  }
}

class WorkerThread {
  readonly #worker = new Worker(new URL('./imageWorker.js', import.meta.url));
  readonly #pending = new Map<number, Pending>();
  ended = false;

  constructor() {
    // Idle threads do not keep the process alive.
    this.#worker.unref();
    this.#worker.on('message', (answer: ImageAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', (code) => this.#end(new Error(`exit code ${code}`)));
  }

  get pending(): number {
    return this.#pending.size;
  }

  read(id: number, job: ImageJob): Promise<Preprocessed> {
    if (this.#pending.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, job } satisfies ImageRequest);
    });
  }

  #settle(answer: ImageAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ('image' in answer) pending?.resolve(answer.image);
    else pending?.reject(answer.isFile ? new FileError(answer.error) : new FoveaError(answer.error));
  }

  #end(cause: Error): void {
    this.ended = true;
    for (const [id, { reject }] of this.#pending) {
      this.#pending.delete(id);
      reject(new FoveaError(`[images] thread: expected it to go on, got ${cause.message}`, { cause }));
    }
  }
}
