import type { WasmMemory } from './wasm/webAssembly.js';

/** Places of the words, in the engine's memory, by which threads get their work. */
export const words = {
  /** The number of the step, times 256, plus the number of its parts that no thread has taken yet. */
  claim: 16,
  /** Parts of the step that are done. */
  done: 32,
  /** Threads that sleep until there is work. */
  sleeping: 48,
  /** Whether the calling thread sleeps until the step is done. */
  waiting: 49,
  /** Threads that have started. */
  ready: 50,
  /** Whether a thread could not run its part. */
  failed: 51,
  /** The step: number of the kernel, address and size of its code. */
  kernel: 64,
  code: 65,
  codeBytes: 66,
  tasks: 67,
  parts: 68,
  /** Most threads, the calling one included. */
  threads: 69,
  /** Bytes of working memory of each thread, from the last operand on; 0 if there is none. */
  scratch: 70,
  /** Number of operands, and their addresses. */
  count: 71,
  operands: 72,
  mostOperands: 40,
  /** For each thread, whether it has started. */
  started: 112,
  end: 176,
} as const;

/** Parts of a step that the word of claims can count. */
export const mostParts = 255;

/** The data of a thread. */
export interface ThreadData {
  readonly memory: WasmMemory;
  readonly words: typeof words;
  /** Looks at a word before the thread sleeps. */
  readonly looks: number;
  /** Number of the thread; the calling one is 0. */
  readonly index: number;
}

/**
 * The whole program of a thread: it takes parts of steps and runs them. It is passed on as text, so it uses
 * nothing but its argument and globals. Its functions are methods: bundlers that keep names wrap others into
 * a function of the bundle.
 */
export function walk({ memory, words, looks, index }: ThreadData): void {
  const { Module, Instance } = (
    globalThis as unknown as { WebAssembly: typeof import('./wasm/webAssembly.js').webAssembly }
  ).WebAssembly;
  const job = new Int32Array(memory.buffer as SharedArrayBuffer, 0, words.end);
  /** Programs come and go: at so many kernels all are dropped. */
  const mostKernels = 4096;
  const kernels = new Map<number, (...operands: number[]) => void>();
  const step = {
    isCurrent(claim: number) {
      const now = Atomics.load(job, words.claim);
      // The words of a step stay as they are until all of its parts are done.
      return now >>> 8 === claim >>> 8 && (now & 255) > 0;
    },
    isForMe(claim: number) {
      return (claim & 255) > 0 && index < job[words.threads];
    },
    kernel(id: number, claim: number) {
      const known = kernels.get(id);
      if (known !== undefined) return known;
      const [address, bytes] = [job[words.code] >>> 0, job[words.codeBytes]];
      // Another thread may have made the memory larger: this call makes the new part visible.
      if (step.isCurrent(claim) && address + bytes > memory.buffer.byteLength) memory.grow(0);
      if (!step.isCurrent(claim)) return null;
      const code = new Uint8Array(memory.buffer as SharedArrayBuffer, address, bytes).slice();
      if (!step.isCurrent(claim)) return null;
      const { run } = new Instance(new Module(code), { env: { memory } }).exports;
      if (kernels.size >= mostKernels) kernels.clear();
      kernels.set(id, run);
      return run;
    },
  };
  Atomics.store(job, words.started + index, 1);
  Atomics.add(job, words.ready, 1);
  for (;;) {
    let claim = Atomics.load(job, words.claim);
    for (let look = 0; look < looks && !step.isForMe(claim); look++) claim = Atomics.load(job, words.claim);
    if (!step.isForMe(claim)) {
      Atomics.add(job, words.sleeping, 1);
      Atomics.wait(job, words.claim, claim);
      Atomics.sub(job, words.sleeping, 1);
      continue;
    }
    const run = step.kernel(job[words.kernel], claim);
    if (run === null) continue;
    const operands = Array.from(job.subarray(words.operands, words.operands + job[words.count]));
    if (job[words.scratch] > 0) operands[operands.length - 1] += index * job[words.scratch];
    const [tasks, parts] = [job[words.tasks], job[words.parts]];
    if (Atomics.compareExchange(job, words.claim, claim, claim - 1) !== claim) continue;
    const part = parts - (claim & 255);
    try {
      run(...operands, Math.floor((tasks * part) / parts), Math.floor((tasks * (part + 1)) / parts));
    } catch {
      Atomics.store(job, words.failed, 1);
    }
    Atomics.add(job, words.done, 1);
    if (Atomics.load(job, words.waiting) === 1) Atomics.notify(job, words.done);
  }
}
