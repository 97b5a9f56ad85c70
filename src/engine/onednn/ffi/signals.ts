import { koffi } from './koffi.js';
import { type Address, type Signals, system } from './system.js';

let sets: { readonly all: Address; readonly before: Address } | null = null;

function signalSets({ setBytes }: Signals): NonNullable<typeof sets> {
  if (sets !== null) return sets;
  const spacing = 64 * Math.ceil(setBytes / 64);
  const all: Address = system().alignedAlloc(64, 2 * spacing);
  new Uint8Array(koffi().view(BigInt(all), setBytes)).fill(0xff);
  sets = { all, before: all + spacing };
  return sets;
}

/**
 * Blocks all signals for the thread until {@link restoreSignals}. Some of the library's products of matrices
 * use the stack pointer as one more register: a handler that begins there, such as that of Ctrl-C or of a
 * resized window, would write into their data. Threads that the kernels start inherit the mask, and keep it.
 */
export function blockSignals(): void {
  const { signals } = system();
  if (signals === null) return;
  const { all, before } = signalSets(signals);
  signals.setBlocked(all, before);
}

/** Allows the signals again that {@link blockSignals} blocked. */
export function restoreSignals(): void {
  const { signals } = system();
  if (signals !== null) signals.setBlocked(signalSets(signals).before, 0);
}
