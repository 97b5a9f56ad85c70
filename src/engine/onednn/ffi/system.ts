import { existsSync } from 'node:fs';
import { EngineError, messageOf } from '../../../errors.js';
import { koffi } from './koffi.js';

// Addresses are below 2^53, so they are plain numbers: koffi passes numbers faster than BigInts.
export type Address = number;

type Library = ReturnType<ReturnType<typeof koffi>['load']>;

/** The operating system for this engine: memory outside JavaScript's heap, threads, signals, libraries. */
export interface System {
  /** Reserves memory, a multiple of the alignment; 0 if there is none. */
  readonly alignedAlloc: (alignment: number, bytes: number) => Address;
  /** Frees memory of `alignedAlloc`. */
  readonly free: (address: Address) => void;
  /** Copies bytes from an address. */
  readonly memcpy: (target: Uint8Array, source: Address, bytes: number) => void;
  /** Asks for pages of 2 MiB; `null` where a program cannot ask. */
  readonly adviseHugePages: ((address: Address, bytes: number) => void) | null;
  /** Loads a library that stays until the process ends. A failure shows when the library is bound. */
  readonly keepLoaded: (path: string) => void;
  /** Why a library cannot be loaded, in the words of the system; `null` if it can, or if it does not say. */
  readonly loadingProblem: (path: string) => string | null;
  /** The OpenMP runtime that oneDNN's builds for this system share with other programs; `null` without it. */
  readonly openMp: () => Library | null;
  /** `null` where no signal handler runs on the stack of a thread. */
  readonly signals: Signals | null;
  /** `null` where machine code generated here does not run. */
  readonly code: CodeMemory | null;
}

/** The signals of a thread. Sets of signals are bit masks in memory. */
export interface Signals {
  /** Bytes of a set. */
  readonly setBytes: number;
  /** Replaces the set of blocked signals; writes the old one to `before` unless it is 0. */
  readonly setBlocked: (set: Address, before: Address) => void;
}

/** Memory for machine code. */
export interface CodeMemory {
  /** Maps memory to write code into; `null` if there is none. */
  readonly map: (bytes: number) => Address | null;
  /** Makes the memory executable and read-only. Hardened systems refuse. */
  readonly makeExecutable: (address: Address, bytes: number) => boolean;
  readonly unmap: (address: Address, bytes: number) => void;
}

let bound: System | null = null;

/**
 * The operating system, bound at the first call.
 *
 * @throws {EngineError} if its C library cannot be loaded, or lacks calls
 */
export function system(): System {
  bound ??= bind();
  return bound;
}

function bind(): System {
  try {
    if (process.platform === 'win32') return windows();
    return process.platform === 'darwin' ? mac() : linux();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      `[onednn] system: expected the calls of this system's C library, got: ${messageOf(error)}; ` +
        'the portable engine works without them',
      { cause: error },
    );
  }
}

/** `RTLD_NOW`. */
const now = 2;

/** Functions of POSIX that Linux and macOS share. */
function posix(libc: Library, { nowAndNeverUnload }: { readonly nowAndNeverUnload: number }) {
  // Older C libraries have these functions in a library of their own, which Node has loaded.
  const all = load(null);
  const dlopen = all.func('dlopen', 'uintptr_t', ['str', 'int']);
  const dlerror = all.func('dlerror', 'str', []);
  return {
    alignedAlloc: libc.func('aligned_alloc', 'uintptr_t', ['size_t', 'size_t']),
    free: libc.func('free', 'void', ['uintptr_t']),
    memcpy: libc.func('memcpy', 'uintptr_t', ['void*', 'uintptr_t', 'size_t']),
    keepLoaded: (path: string): void => dlopen(path, nowAndNeverUnload),
    loadingProblem: (path: string): string | null => (dlopen(path, now) === 0 ? dlerror() : null),
  };
}

function signalsOf(libc: Library, setBytes: number, setMask: number): Signals {
  const sigprocmask = libc.func('sigprocmask', 'int', ['int', 'uintptr_t', 'uintptr_t']);
  return { setBytes, setBlocked: (set, before) => sigprocmask(setMask, set, before) };
}

function linux(): System {
  const libc = load(libcOfLinux());
  const madvise = libc.func('madvise', 'int', ['uintptr_t', 'size_t', 'int']);
  const hugePages = 14;
  return {
    ...posix(libc, { nowAndNeverUnload: 0x1002 }),
    adviseHugePages: (address, bytes) => madvise(address, bytes, hugePages),
    openMp: () => ifThere('libgomp.so.1'),
    signals: signalsOf(libc, 128, 2),
    code: codeOfLinux(libc),
  };
}

/** Distributions without glibc, such as Alpine, have musl under a name with the processor in it. */
function libcOfLinux(): string {
  const processor = ({ x64: 'x86_64', arm64: 'aarch64' } as Record<string, string>)[process.arch] ?? process.arch;
  const musl = `libc.musl-${processor}.so.1`;
  return existsSync(`/lib/${musl}`) ? musl : 'libc.so.6';
}

function codeOfLinux(libc: Library): CodeMemory {
  const [read, write, execute] = [1, 2, 4];
  const [isPrivate, isAnonymous] = [0x02, 0x20];
  const mmap = libc.func('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']);
  const mprotect = libc.func('mprotect', 'int', ['uintptr_t', 'size_t', 'int']);
  const munmap = libc.func('munmap', 'int', ['uintptr_t', 'size_t']);
  return {
    map: (bytes) => {
      const address = Number(mmap(0, bytes, read | write, isPrivate | isAnonymous, -1, 0));
      return address === -1 ? null : address;
    },
    makeExecutable: (address, bytes) => mprotect(address, bytes, read | execute) === 0,
    unmap: (address, bytes) => munmap(address, bytes),
  };
}

function mac(): System {
  const libc = load('libSystem.B.dylib');
  return {
    ...posix(libc, { nowAndNeverUnload: 0x82 }),
    adviseHugePages: null,
    openMp: () => null,
    signals: signalsOf(libc, 4, 3),
    code: null,
  };
}

function windows(): System {
  const libc = load('ucrtbase.dll');
  const kernel = load('kernel32.dll');
  const alloc = libc.func('_aligned_malloc', 'uintptr_t', ['size_t', 'size_t']);
  return {
    alignedAlloc: (alignment, bytes) => alloc(bytes, alignment),
    free: libc.func('_aligned_free', 'void', ['uintptr_t']),
    memcpy: libc.func('memcpy', 'uintptr_t', ['void*', 'uintptr_t', 'size_t']),
    adviseHugePages: null,
    // A handle that is never closed keeps the library.
    keepLoaded: kernel.func('LoadLibraryW', 'uintptr_t', ['str16']),
    loadingProblem: () => null,
    openMp: () => ifThere('vcomp140.dll'),
    signals: null,
    code: null,
  };
}

/** @param name `null` for everything that this process has loaded */
function load(name: string | null): Library {
  try {
    return koffi().load(name);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      `[onednn] system: expected the C library of this system as ${name ?? 'loaded by Node'}, but it could not be loaded; ` +
        'the portable engine works without it',
      { cause: error },
    );
  }
}

function ifThere(name: string): Library | null {
  try {
    return koffi().load(name);
  } catch {
    return null;
  }
}
