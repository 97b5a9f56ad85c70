import { writeError } from '#platform';
import { EngineError, messageOf } from '../../errors.js';
import type { StartThread } from '../../platform/platform.js';
import { mostParts, type ThreadData, walk, words } from './walk.js';
import type { Run, WasmMemory } from './wasm/webAssembly.js';

/** Threads that one engine uses at most. */
export const mostThreads = words.end - words.started;

/** Looks at a word before a thread sleeps: some ten microseconds. */
const looks = 2000;

/**
 * Parts of a step for each thread: one that starts late or runs slowly takes fewer, and all end at nearly the
 * same time.
 */
const partsPerThread = 16;

/** A kernel as threads need it. */
export interface Work {
  /** Distinguishes kernels. */
  readonly id: number;
  readonly tasks: number;
  /** Bytes of working memory of each thread, from the last operand on. */
  readonly scratch: number;
  /** Whether each run prepares much before its first task. */
  readonly preparesMuch: boolean;
  readonly run: Run;
  /** Place of the code in the shared memory. */
  readonly code: () => { readonly offset: number; readonly bytes: number };
}

/** How threads start, and how long they are waited for. */
export interface ThreadOptions {
  readonly start: StartThread;
  /** Milliseconds for which a thread may compute one part of a step. */
  readonly patience: number;
}

/**
 * The threads beside the calling one, for all engines over one memory. They take parts of steps in the shared
 * memory, so no message goes to and fro while a program runs. A thread without work sleeps.
 *
 * The calling thread takes parts like the others. So it never waits for a thread that has not started, has
 * ended, or does not get a processor; it waits for parts alone that others have begun.
 */
export class Threads {
  readonly #memory: WasmMemory;
  readonly #options: ThreadOptions;
  readonly #words: Int32Array;
  #started = 0;
  #ended = 0;
  #step = 0;
  /** Whether the others are no longer used. */
  #isOff = false;
  #hasWarned = false;

  constructor(memory: WasmMemory, options: ThreadOptions) {
    this.#memory = memory;
    this.#options = options;
    this.#words = new Int32Array(memory.buffer as SharedArrayBuffer, 0, words.end);
  }

  /** Threads that can take work now, the calling one included. */
  get ready(): number {
    return this.#isOff ? 1 : 1 + Atomics.load(this.#words, words.ready) - this.#ended;
  }

  /** Threads that sleep until there is work. */
  get asleep(): number {
    return Atomics.load(this.#words, words.sleeping);
  }

  /**
   * Runs all tasks on as many threads as are ready, up to `threads`.
   *
   * @returns the number of threads that could take part
   * @throws {EngineError} if a thread failed, or does not finish; from then on one thread computes
   */
  run({ id, tasks, scratch, preparesMuch, run, code }: Work, addresses: readonly number[], threads: number): number {
    const most = Math.min(threads, tasks);
    while (!this.#isOff && this.#started < most - 1) this.#start();
    const used = Math.min(most, this.ready);
    if (used === 1) {
      run(...addresses, 0, tasks);
      return 1;
    }
    const job = this.#words;
    const { offset, bytes } = code();
    const parts = Math.min(tasks, mostParts, preparesMuch ? most : partsPerThread * most);
    job[words.kernel] = id;
    job[words.code] = offset;
    job[words.codeBytes] = bytes;
    job[words.tasks] = tasks;
    job[words.parts] = parts;
    job[words.threads] = most;
    job[words.scratch] = scratch;
    job[words.count] = addresses.length;
    job.set(addresses, words.operands);
    Atomics.store(job, words.done, 0);
    this.#step = (this.#step + 1) & 0x7fffff;
    Atomics.store(job, words.claim, (this.#step << 8) | parts);
    if (Atomics.load(job, words.sleeping) > 0) Atomics.notify(job, words.claim);
    for (let part = this.#take(); part !== null; part = this.#take()) {
      run(...addresses, Math.floor((tasks * part) / parts), Math.floor((tasks * (part + 1)) / parts));
      Atomics.add(job, words.done, 1);
    }
    this.#await(parts);
    return used;
  }

  /** The next part that no thread has taken; `null` if there is none. */
  #take(): number | null {
    const job = this.#words;
    for (;;) {
      const claim = Atomics.load(job, words.claim);
      if ((claim & 255) === 0) return null;
      if (Atomics.compareExchange(job, words.claim, claim, claim - 1) === claim) {
        return job[words.parts] - (claim & 255);
      }
    }
  }

  /** Waits for the parts that other threads have begun. */
  #await(parts: number): void {
    const job = this.#words;
    const isDone = () => Atomics.load(job, words.done) === parts;
    for (let look = 0; look < looks && !isDone(); look++);
    if (!isDone()) this.#sleep(parts);
    if (Atomics.load(job, words.failed) === 0) return;
    this.#isOff = true;
    throw new EngineError('[portable] threads: a thread could not run its part; from now on one thread computes');
  }

  #sleep(parts: number): void {
    const job = this.#words;
    // Counted pieces of time: a computer that was asleep has not waited.
    const pieces = 60;
    Atomics.store(job, words.waiting, 1);
    for (let late = 0; late < pieces; ) {
      const done = Atomics.load(job, words.done);
      if (done === parts) break;
      const result = Atomics.wait(job, words.done, done, this.#options.patience / pieces);
      if (result === 'timed-out') late++;
    }
    Atomics.store(job, words.waiting, 0);
    if (Atomics.load(job, words.done) === parts) return;
    this.#isOff = true;
    throw new EngineError(
      `[portable] threads: expected each to finish its part within ${this.#options.patience / 1000} s, got one ` +
        'that did not; from now on one thread computes',
    );
  }

  #start(): void {
    this.#started++;
    const index = this.#started;
    const end = (reason: string) => {
      this.#ended += Atomics.load(this.#words, words.started + index);
      if (!this.#hasWarned) writeError(`fovea: [portable] threads: one ended (${reason}); computing without it\n`);
      this.#hasWarned = true;
    };
    try {
      this.#options.start<ThreadData>(walk, { memory: this.#memory, words, looks, index }, end);
    } catch (error) {
      end(messageOf(error));
    }
  }
}
