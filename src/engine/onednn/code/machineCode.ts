import { ExecutableMemory, NativeMemory } from '../ffi.js';
import { block, type KernelCode, record, word } from './kernel.js';

/** A kernel in executable memory, with the table of its tasks. Its owner destroys it. */
export class MachineCode {
  readonly #memory: ExecutableMemory;
  readonly #block: NativeMemory;
  readonly #words: BigUint64Array;
  /** The same memory in 32-bit words. */
  readonly #halves: Int32Array;

  constructor(readonly kernel: KernelCode) {
    const { code, tasks } = kernel;
    const tableAt = Math.ceil(code.length / 64) * 64;
    this.#memory = new ExecutableMemory(tableAt + tasks.length * record.words * word);
    const { address } = this.#memory;
    const memory = this.#memory.view();
    new Uint8Array(memory).set(code);
    const table = new BigUint64Array(memory, tableAt, tasks.length * record.words);
    tasks.forEach(({ place, numbers }, i) => {
      const entry = i * record.words;
      table[entry + record.place] = BigInt(address + place);
      numbers.forEach((number, j) => {
        table[entry + record.numbers + j] = BigInt(number);
      });
    });
    this.#memory.seal();
    this.#block = new NativeMemory(block.words * word);
    const view = this.#block.view(0, block.words * word);
    this.#words = new BigUint64Array(view).fill(0n);
    this.#halves = new Int32Array(view);
    this.#words[block.table] = BigInt(address + tableAt);
  }

  get bytes(): number {
    return this.#memory.bytes;
  }

  /** Sets the address of operand `i`. */
  point(i: number, memory: NativeMemory, offset: number): void {
    this.#words[block.operands + i] = BigInt(memory.addressAt(offset));
  }

  /** Does all tasks on this many threads, phase after phase. */
  run(threads: number): void {
    const argument = this.#block.addressAt(0);
    let first = 0;
    this.#halves[2 * block.nonFinite] = 0;
    for (const count of this.kernel.phases) {
      this.#halves[2 * block.next] = first;
      this.#halves[2 * block.thread] = 0;
      first += count;
      this.#halves[2 * block.end] = first;
      this.#memory.runOn(threads, argument);
    }
  }

  /** Whether all numbers that the last run wrote were finite; `null` if the code does not check. */
  get wroteFinite(): boolean | null {
    return this.kernel.reportsNonFinite ? this.#halves[2 * block.nonFinite] === 0 : null;
  }

  destroy(): void {
    this.#memory.destroy();
    this.#block.free();
  }
}
