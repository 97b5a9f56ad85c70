import { allowsCode } from '../../../env.js';
import { EngineError } from '../../../errors.js';
import { block, type KernelCode, record, word } from '../jit/kernel.js';
import { koffi } from './koffi.js';
import { type Address, effectiveIsa, openMp, system } from './library.js';
import { countNative, NativeMemory } from './memory.js';

const [protRead, protWrite, protExecute] = [1, 2, 4];
const [mapPrivate, mapAnonymous] = [0x02, 0x20];
const pageBytes = 4096;

/** Functions of the system that only code made here needs. */
function bind() {
  const { libc } = system();
  const mmap = libc.func('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']);
  const mprotect = libc.func('mprotect', 'int', ['uintptr_t', 'size_t', 'int']);
  const munmap = libc.func('munmap', 'int', ['uintptr_t', 'size_t']);
  return {
    /** Memory to write code into; `null` if there is none. */
    map: (bytes: number): Address | null => {
      const address = Number(mmap(0, bytes, protRead | protWrite, mapPrivate | mapAnonymous, -1, 0));
      return address === -1 ? null : address;
    },
    /** From then on it may be executed, and no longer written. Hardened systems refuse. */
    makeExecutable: (address: Address, bytes: number) => mprotect(address, bytes, protRead | protExecute) === 0,
    unmap: (address: Address, bytes: number): void => munmap(address, bytes),
    /** Calls a function with a pointer on so many threads; they are those that oneDNN's kernels run on. */
    parallel: openMp()?.func('GOMP_parallel', 'void', ['uintptr_t', 'uintptr_t', 'uint', 'uint']),
  };
}

let bound: ReturnType<typeof bind> | null = null;
let allowed: boolean | null = null;

function pages() {
  bound ??= bind();
  return bound;
}

/** Whether the system lets memory become executable; asked once. */
function makesCode(): boolean {
  if (allowed !== null) return allowed;
  const { map, makeExecutable, unmap, parallel } = pages();
  const page = parallel === undefined ? null : map(pageBytes);
  allowed = page !== null && makeExecutable(page, pageBytes);
  if (page !== null) unmap(page, pageBytes);
  return allowed;
}

/** Whether programs take code made here: where it can run, and unless `FOVEA_CODE=0`. */
export function runsCode(type: 'float32' | 'bfloat16'): boolean {
  return allowsCode() && canRunCode(type);
}

/**
 * Whether code made here can run: on Linux, x86-64 with AVX-512 (for bfloat16 with its instructions), GNU OpenMP and memory
 * that may become executable.
 */
export function canRunCode(type: 'float32' | 'bfloat16'): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const needed = type === 'float32' ? 0x27 : 0xe7;
  if ((effectiveIsa() & needed) !== needed) return false;
  return makesCode();
}

/** Machine code in memory that may be executed, with the list of its tasks. Whoever made it destroys it. */
export class MachineCode {
  readonly #address: Address;
  readonly bytes: number;
  readonly #block: NativeMemory;
  readonly #words: BigUint64Array;
  /** The same memory; numbers of tasks need no more. */
  readonly #halves: Int32Array;

  constructor(readonly kernel: KernelCode) {
    const { map, makeExecutable } = pages();
    const { code, tasks } = kernel;
    const tableAt = Math.ceil(code.length / 64) * 64;
    const bytes = tableAt + tasks.length * record.words * word;
    this.bytes = Math.ceil(bytes / pageBytes) * pageBytes;
    const address = map(this.bytes);
    if (address === null) throw new EngineError(`[onednn] memory: could not map ${this.bytes} bytes for machine code`);
    this.#address = address;
    countNative(this.bytes);
    const memory = koffi().view(BigInt(address), this.bytes);
    new Uint8Array(memory).set(code);
    const table = new BigUint64Array(memory, tableAt, tasks.length * record.words);
    tasks.forEach(({ place, numbers }, i) => {
      const entry = i * record.words;
      table[entry + record.place] = BigInt(address + place);
      numbers.forEach((number, j) => {
        table[entry + record.numbers + j] = BigInt(number);
      });
    });
    if (!makeExecutable(address, this.bytes)) {
      throw new EngineError('[onednn] memory: the system does not let memory become executable');
    }
    this.#block = new NativeMemory(block.words * word);
    const view = this.#block.view(0, block.words * word);
    this.#words = new BigUint64Array(view).fill(0n);
    this.#halves = new Int32Array(view);
    this.#words[block.table] = BigInt(address + tableAt);
  }

  /** Says where operand `i` lies. */
  point(i: number, memory: NativeMemory, offset: number): void {
    this.#words[block.operands + i] = BigInt(memory.addressAt(offset));
  }

  /** Does all tasks on so many threads, phase after phase. */
  run(threads: number): void {
    const parallel = pages().parallel as NonNullable<ReturnType<typeof bind>['parallel']>;
    const argument = this.#block.addressAt(0);
    let first = 0;
    this.#halves[2 * block.nonFinite] = 0;
    for (const count of this.kernel.phases) {
      this.#halves[2 * block.next] = first;
      first += count;
      this.#halves[2 * block.end] = first;
      parallel(this.#address, argument, threads, 0);
    }
  }

  /** Whether all that the last run wrote was finite; `null` if the code does not tell. */
  get wroteFinite(): boolean | null {
    return this.kernel.tells ? this.#halves[2 * block.nonFinite] === 0 : null;
  }

  destroy(): void {
    pages().unmap(this.#address, this.bytes);
    countNative(-this.bytes);
    this.#block.free();
  }
}
