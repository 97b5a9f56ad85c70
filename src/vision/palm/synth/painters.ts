import { Worker } from 'node:worker_threads';
import { availableProcessors } from '#platform';
import { FoveaError, InputError } from '../../../errors.js';
import { loadDecoder } from '../../images/decode.js';
import { drawFundus, type Fundus, type FundusJob } from './draw.js';

/** The answer of a thread. */
export type PainterAnswer = { readonly fundus: Fundus } | { readonly error: string };

interface Order {
  readonly job: FundusJob;
  readonly resolve: (fundus: Fundus) => void;
  readonly reject: (error: Error) => void;
}

const most = 64;

/** Threads that draw, each one picture at a time. {@link close} ends them. */
export class Painters {
  readonly #count: number;
  readonly #threads = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiting: Order[] = [];

  /**
   * @param numWorkers 0: the main thread. It also draws if there are only the TypeScript sources, since
   *   threads need compiled files.
   */
  constructor(numWorkers = Math.min(8, availableProcessors())) {
    if (!Number.isSafeInteger(numWorkers) || numWorkers < 0 || numWorkers > most) {
      throw new InputError(`[palm synth] numWorkers: expected an integer from 0 to ${most}, got ${numWorkers}`);
    }
    this.#count = import.meta.url.endsWith('.js') ? numWorkers : 0;
  }

  /** Draws pictures and gives them in their order. */
  async *drawAll(jobs: readonly FundusJob[], signal?: AbortSignal): AsyncGenerator<Fundus> {
    if (this.#count > 0) loadDecoder();
    const pending: Promise<Fundus>[] = [];
    let next = 0;
    for (let i = 0; i < jobs.length; i++) {
      // A few more pictures than threads are in progress, since one picture may take longer than the next
      // ones.
      while (next < jobs.length && pending.length <= 2 * this.#count) {
        const drawing = this.#draw(jobs[next++]);
        // The code that awaits this picture gets the error. Without this line it would be unhandled until
        // then.
        drawing.catch(() => {});
        pending.push(drawing);
      }
      signal?.throwIfAborted();
      const fundus = await (pending.shift() as Promise<Fundus>);
      signal?.throwIfAborted();
      yield fundus;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  #draw(job: FundusJob): Promise<Fundus> {
    if (this.#count === 0) return drawFundus(job);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      const thread = this.#idle.pop() ?? (this.#threads.size < this.#count ? this.#start() : undefined);
      if (thread !== undefined) this.#next(thread);
    });
  }

  #start(): Worker {
    const thread = new Worker(new URL('./painter.js', import.meta.url));
    this.#threads.add(thread);
    return thread;
  }

  /** Gives the thread the next picture, if there is one. */
  #next(thread: Worker): void {
    const order = this.#waiting.shift();
    if (order === undefined) {
      this.#idle.push(thread);
      return;
    }
    const { job, resolve, reject } = order;
    const failed = (cause: Error) => {
      this.#threads.delete(thread);
      reject(new FoveaError(`[palm synth] thread: expected it to keep running, got ${cause.message}`, { cause }));
    };
    const ended = (code: number) => failed(new Error(`exit code ${code}`));
    thread.once('error', failed);
    thread.once('exit', ended);
    thread.once('message', (answer: PainterAnswer) => {
      thread.off('error', failed);
      thread.off('exit', ended);
      if ('fundus' in answer) resolve(answer.fundus);
      else reject(new FoveaError(answer.error));
      this.#next(thread);
    });
    thread.postMessage(job);
  }
}
