import { EngineError, InternalError } from '../../../errors.js';
import { koffi } from './koffi.js';
import { countNative } from './memory.js';
import { type Address, type CodeMemory, system } from './system.js';

const pageBytes = 4096;

type Parallel = (code: Address, argument: Address, threads: number, flags: number) => void;

/** Memory for code, and a function that calls code with a pointer on so many threads of GNU OpenMP. */
function bind(): { readonly memory: CodeMemory; readonly parallel: Parallel } | null {
  const memory = system().code;
  const parallel =
    memory && system().openMp()?.func('GOMP_parallel', 'void', ['uintptr_t', 'uintptr_t', 'uint', 'uint']);
  return memory && parallel ? { memory, parallel } : null;
}

let bound: ReturnType<typeof bind> | undefined;
let allowed: boolean | null = null;

function functions(): NonNullable<ReturnType<typeof bind>> {
  if (bound === undefined) bound = bind();
  if (bound === null) throw new InternalError('machine code where it does not run');
  return bound;
}

/** Whether there are threads of GNU OpenMP, and memory that may become executable; tried once. */
export function canExecute(): boolean {
  if (allowed !== null) return allowed;
  if (bound === undefined) bound = bind();
  const page = bound?.memory.map(pageBytes) ?? null;
  allowed = page !== null && functions().memory.makeExecutable(page, pageBytes);
  if (page !== null) functions().memory.unmap(page, pageBytes);
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
    const address = functions().memory.map(this.bytes);
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
    if (functions().memory.makeExecutable(this.address, this.bytes)) return;
    throw new EngineError('[onednn] memory: the system does not let memory become executable');
  }

  /**
   * Calls the code at the start of the memory on this many threads, each with a pointer to the same
   * arguments.
   */
  runOn(threads: number, argument: Address): void {
    functions().parallel(this.address, argument, threads, 0);
  }

  destroy(): void {
    functions().memory.unmap(this.address, this.bytes);
    countNative(-this.bytes);
  }
}
