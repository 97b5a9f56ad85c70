import { koffi } from './koffi.js';
import { type Address, system } from './library.js';

/** Bytes of a set of signals in the C library of Linux; other systems need fewer. */
const setBytes = 128;

/** `SIG_SETMASK`. */
const setMask = process.platform === 'darwin' ? 3 : 2;

let sets: { readonly all: Address; readonly before: Address } | null = null;

function signalSets(): NonNullable<typeof sets> {
  if (sets !== null) return sets;
  const all: Address = system().alignedAlloc(64, 2 * setBytes);
  new Uint8Array(koffi().view(BigInt(all), setBytes)).fill(0xff);
  sets = { all, before: all + setBytes };
  return sets;
}

/**
 * Blocks all signals for the thread until {@link restoreSignals}. Some of the library's products of matrices
 * use the stack pointer as one more register: a handler that begins there, such as that of Ctrl-C or of a
 * resized window, would write into their data. Threads that the kernels start inherit the mask, and keep it.
 */
export function blockSignals(): void {
  const { all, before } = signalSets();
  system().sigprocmask(setMask, all, before);
}

/** Allows the signals again that {@link blockSignals} blocked. */
export function restoreSignals(): void {
  system().sigprocmask(setMask, signalSets().before, 0);
}
