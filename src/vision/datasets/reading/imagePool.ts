import { Worker } from 'node:worker_threads';
import { availableProcessors } from '#platform';
import { FileError, FoveaError, InputError, PackageError, ShapeError } from '../../../errors.js';
import { loadDecoder } from '../../images/decode.js';
import type { TransformedImages, TransformJob } from '../../transforms/batch.js';
import { type ImageJob, type ReadPicture, readImage } from './cachedImage.js';

/** A message to a worker. */
export interface ImageRequest {
  readonly id: number;
  readonly task: ImageTask;
}

/** A picture to be read, or pictures to be transformed as a JSON text says. */
export type ImageTask =
  | { readonly kind: 'read'; readonly job: ImageJob }
  | { readonly kind: 'transform'; readonly job: TransformJob; readonly transforms: string };

/** The answer of a worker. */
export type ImageAnswer =
  | { readonly id: number; readonly result: ReadPicture | TransformedImages }
  | { readonly id: number; readonly error: string; readonly name: string };

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** The errors that pictures and transforms may cause, by name. */
const errors: Readonly<Record<string, new (message: string) => Error>> = {
  FileError,
  ShapeError,
  InputError,
  PackageError,
};

/**
 * Reads and transforms pictures outside of the main thread, which a training step blocks until it ends.
 *
 * A picture takes several turns of an event loop (file, cache, decoder, resize), so it needs a loop that is
 * not blocked: a thread of its own. The threads get all requests at once, and each holds the pixels of one
 * picture.
 */
export interface ImagePool {
  /** Number of pictures in progress that keeps the pool busy. */
  readonly width: number;
  read(job: ImageJob): Promise<ReadPicture>;
  /**
   * Transforms pictures as a JSON text says, and takes over the memory of their pixels; null where there are
   * no other threads.
   */
  readonly transform: ((job: TransformJob, transforms: string) => Promise<TransformedImages>) | null;
}

const most = 64;
/** One for each processor, at most 4. */
export const usualWorkers = Math.min(4, availableProcessors());
const pools = new Map<number, ImagePool>();

/**
 * The pool with this number of threads, which the whole process shares.
 *
 * @param numWorkers default: one for each processor, at most 4. 0: the main thread. The main thread also does
 *   the work if there are only the TypeScript sources, as in tests, since threads need compiled files.
 */
export function imagePool(numWorkers = usualWorkers): ImagePool {
  if (!Number.isSafeInteger(numWorkers) || numWorkers < 0 || numWorkers > most) {
    throw new InputError(`[images] numWorkers: expected an integer from 0 to ${most}, got ${numWorkers}`);
  }
  const count = import.meta.url.endsWith('.js') ? numWorkers : 0;
  const pool = pools.get(count) ?? (count === 0 ? new OwnThread() : new WorkerThreads(count));
  pools.set(count, pool);
  return pool;
}

/** The pool without threads: it reads two pictures at a time. */
class OwnThread implements ImagePool {
  readonly width = 2;
  readonly transform = null;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async read(job: ImageJob): Promise<ReadPicture> {
    if (this.#running >= this.width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await readImage(job);
    } finally {
      // The next picture gets the place, if one waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

class WorkerThreads implements ImagePool {
  readonly #workers: WorkerThread[] = [];
  #id = 0;

  constructor(readonly width: number) {
    loadDecoder();
  }

  read(job: ImageJob): Promise<ReadPicture> {
    return this.#idle().run(this.#id++, { kind: 'read', job }, []);
  }

  transform(job: TransformJob, transforms: string): Promise<TransformedImages> {
    return this.#idle().run(this.#id++, { kind: 'transform', job, transforms }, [job.pixels.buffer as ArrayBuffer]);
  }

  /** The thread with the fewest tasks; a new one if all are busy and more are allowed. */
  #idle(): WorkerThread {
    const live = this.#workers.filter((worker) => !worker.ended);
    this.#workers.splice(0, this.#workers.length, ...live);
    const best = live.reduce<WorkerThread | undefined>(
      (least, next) => (least === undefined || next.pending < least.pending ? next : least),
      undefined,
    );
    if (best !== undefined && (best.pending === 0 || live.length >= this.width)) return best;
    const worker = new WorkerThread();
    this.#workers.push(worker);
    return worker;
  }
}

class WorkerThread {
  readonly #worker = new Worker(new URL('./imageWorker.js', import.meta.url));
  readonly #pending = new Map<number, Pending>();
  ended = false;

  constructor() {
    // Idle threads do not keep the process running.
    this.#worker.unref();
    this.#worker.on('message', (answer: ImageAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', (code) => this.#end(new Error(`exit code ${code}`)));
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** The type of the result belongs to the kind of task. */
  run<T extends ReadPicture | TransformedImages>(id: number, task: ImageTask, transfer: ArrayBuffer[]): Promise<T> {
    if (this.#pending.size === 0) this.#worker.ref();
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task } satisfies ImageRequest, transfer);
    });
  }

  #settle(answer: ImageAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ('result' in answer) pending?.resolve(answer.result as never);
    else pending?.reject(new (errors[answer.name] ?? FoveaError)(answer.error));
  }

  #end(cause: Error): void {
    this.ended = true;
    for (const [id, { reject }] of this.#pending) {
      this.#pending.delete(id);
      reject(new FoveaError(`[images] thread: expected it to keep running, got ${cause.message}`, { cause }));
    }
  }
}
