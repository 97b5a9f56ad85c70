import { startThread } from '#platform';
import { EngineError } from '../../errors.js';
import type { Heap } from './heap.js';
import type { Kernel } from './kernel.js';
import { type Control, walk, words } from './walk.js';

/** Milliseconds after which a thread that has not finished its part is given up. */
const patience = 300_000;

/** Looks at a word before the thread sleeps: some ten microseconds. */
const looks = 2000;

/**
 * The threads beside the calling one. Each waits for work in the engine's shared memory, so no message goes
 * to and fro while a program runs. A thread without work sleeps.
 */
export class Threads {
  readonly #heap: Heap;
  readonly #words: Int32Array;
  readonly #control: Control;
  #running = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
    const { memory } = heap;
    this.#words = new Int32Array(memory.buffer as SharedArrayBuffer, 0, words.operands + words.mostOperands);
    this.#control = { memory, words, looks };
  }

  /** Runs a kernel's tasks on so many threads; the calling one is the first. */
  run(kernel: Kernel, addresses: readonly number[], threads: number): void {
    const { tasks, scratch } = kernel.shape;
    const count = Math.min(threads, tasks);
    const run = kernel.over(this.#heap.memory);
    if (count === 1) {
      run(...addresses, 0, tasks);
      return;
    }
    while (this.#running < count - 1) this.#start();
    const job = this.#words;
    const code = kernel.shared(this.#heap);
    job[words.kernel] = kernel.id;
    job[words.code] = code.offset;
    job[words.codeBytes] = code.bytes;
    job[words.tasks] = tasks;
    job[words.threads] = count;
    job[words.scratch] = scratch;
    job[words.count] = addresses.length;
    job.set(addresses, words.operands);
    Atomics.store(job, words.done, 0);
    Atomics.add(job, words.turn, 1);
    Atomics.notify(job, words.turn);
    run(...addresses, 0, Math.floor(tasks / count));
    this.#await(count - 1);
  }

  #await(others: number): void {
    const job = this.#words;
    for (let look = 0; look < looks; look++) if (Atomics.load(job, words.done) === others) return;
    const end = Date.now() + patience;
    for (;;) {
      const done = Atomics.load(job, words.done);
      if (done === others) break;
      if (done < 0) throw new EngineError('[portable] threads: a thread could not run a kernel; set threads to 1');
      if (Date.now() > end) {
        throw new EngineError(`[portable] threads: expected an answer within ${patience / 1000} s; set threads to 1`);
      }
      Atomics.wait(job, words.done, done, 1000);
    }
  }

  #start(): void {
    this.#running++;
    startThread(walk, { ...this.#control, index: this.#running, turn: Atomics.load(this.#words, words.turn) });
  }
}
