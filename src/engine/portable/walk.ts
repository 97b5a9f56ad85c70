import type { WasmMemory } from './wasm/webAssembly.js';

/** Places of the words, in the engine's memory, by which threads get their work. */
export const words = {
  /** Counts the pieces of work. */
  turn: 1,
  /** Threads that are done with this piece; negative if one failed. */
  done: 17,
  kernel: 32,
  /** Address and size of the kernel's code. */
  code: 33,
  codeBytes: 34,
  tasks: 35,
  threads: 36,
  /** Bytes of working memory of each thread, from the last operand on; 0 if there is none. */
  scratch: 37,
  /** Number of operands, and their addresses. */
  count: 38,
  operands: 40,
  mostOperands: 40,
} as const;

/** The part of a thread's data that all threads share. */
export interface Control {
  readonly memory: WasmMemory;
  readonly words: typeof words;
  readonly looks: number;
}

/** The data of a thread. */
export interface ThreadData extends Control {
  /** Number of the thread; the calling one is 0. */
  readonly index: number;
  /** The last piece of work that is not for it. */
  readonly turn: number;
}

/**
 * The whole program of a thread: it runs its part of each piece of work. It is passed on as text, so it uses
 * nothing but its argument and globals.
 */
export function walk({ memory, words, looks, index, turn }: ThreadData): void {
  const { Module, Instance } = (
    globalThis as unknown as { WebAssembly: typeof import('./wasm/webAssembly.js').webAssembly }
  ).WebAssembly;
  const job = new Int32Array(memory.buffer as SharedArrayBuffer, 0, words.operands + words.mostOperands);
  const kernels = new Map<number, (...operands: number[]) => void>();
  let last = turn;
  for (;;) {
    for (let look = 0; look < looks && Atomics.load(job, words.turn) === last; look++);
    Atomics.wait(job, words.turn, last);
    last = Atomics.load(job, words.turn);
    const threads = job[words.threads];
    if (index >= threads) continue;
    try {
      const id = job[words.kernel];
      let run = kernels.get(id);
      if (run === undefined) {
        const code = new Uint8Array(
          memory.buffer as SharedArrayBuffer,
          job[words.code] >>> 0,
          job[words.codeBytes],
        ).slice();
        run = new Instance(new Module(code), { env: { memory } }).exports.run;
        kernels.set(id, run);
      }
      const operands = Array.from(job.subarray(words.operands, words.operands + job[words.count]));
      if (job[words.scratch] > 0) operands[operands.length - 1] += index * job[words.scratch];
      const tasks = job[words.tasks];
      run(...operands, Math.floor((tasks * index) / threads), Math.floor((tasks * (index + 1)) / threads));
      Atomics.add(job, words.done, 1);
    } catch {
      Atomics.store(job, words.done, -1000);
    }
    Atomics.notify(job, words.done);
  }
}
