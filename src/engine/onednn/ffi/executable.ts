import { EngineError } from '../../../errors.js';
import { koffi } from './koffi.js';
import { type Address, openMp, system } from './library.js';
import { countNative } from './memory.js';

const [protRead, protWrite, protExecute] = [1, 2, 4];
const [mapPrivate, mapAnonymous] = [0x02, 0x20];
const pageBytes = 4096;

/** Functions of the system that only generated code needs. */
function bind() {
  const { libc } = system();
  const mmap = libc.func('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']);
  const mprotect = libc.func('mprotect', 'int', ['uintptr_t', 'size_t', 'int']);
  const munmap = libc.func('munmap', 'int', ['uintptr_t', 'size_t']);
  return {
    /** Maps memory to write code into; `null` if there is none. */
    map: (bytes: number): Address | null => {
      const address = Number(mmap(0, bytes, protRead | protWrite, mapPrivate | mapAnonymous, -1, 0));
      return address === -1 ? null : address;
    },
    /** Makes the memory executable and read-only. Hardened systems refuse. */
    makeExecutable: (address: Address, bytes: number) => mprotect(address, bytes, protRead | protExecute) === 0,
    unmap: (address: Address, bytes: number): void => munmap(address, bytes),
    /** Calls a function with a pointer on so many threads: those that oneDNN's kernels run on. */
    parallel: openMp()?.func('GOMP_parallel', 'void', ['uintptr_t', 'uintptr_t', 'uint', 'uint']),
  };
}

let bound: ReturnType<typeof bind> | null = null;
let allowed: boolean | null = null;

function functions() {
  bound ??= bind();
  return bound;
}

/** Whether there are threads of GNU OpenMP, and memory that may become executable; tried once. */
export function canExecute(): boolean {
  if (allowed !== null) return allowed;
  const { map, makeExecutable, unmap, parallel } = functions();
  const page = parallel === undefined ? null : map(pageBytes);
  allowed = page !== null && makeExecutable(page, pageBytes);
  if (page !== null) unmap(page, pageBytes);
  return allowed;
}

/** Memory for generated code and constants beside it. Its owner destroys it. */
export class ExecutableMemory {
  /** Size, in whole pages. */
  readonly bytes: number;
  readonly address: Address;

  /** @throws {EngineError} if there is no memory */
  constructor(bytes: number) {
    this.bytes = Math.ceil(bytes / pageBytes) * pageBytes;
    const address = functions().map(this.bytes);
    if (address === null) throw new EngineError(`[onednn] memory: could not map ${this.bytes} bytes for machine code`);
    this.address = address;
    countNative(this.bytes);
  }

  /** The memory to write to, before {@link seal}. */
  view(): ArrayBuffer {
    return koffi().view(BigInt(this.address), this.bytes);
  }

  /**
   * Ends writing; from now on the memory can be executed.
   *
   * @throws {EngineError} if the system refuses
   */
  seal(): void {
    if (functions().makeExecutable(this.address, this.bytes)) return;
    throw new EngineError('[onednn] memory: the system does not let memory become executable');
  }

  /**
   * Calls the code at the start of the memory on this many threads, each with a pointer to the same
   * arguments.
   */
  runOn(threads: number, argument: Address): void {
    const parallel = functions().parallel as NonNullable<ReturnType<typeof bind>['parallel']>;
    parallel(this.address, argument, threads, 0);
  }

  destroy(): void {
    functions().unmap(this.address, this.bytes);
    countNative(-this.bytes);
  }
}
