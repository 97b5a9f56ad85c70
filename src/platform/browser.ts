import type { Platform } from './platform.js';

/** The parts of a browser that this module uses: the project has no types of the DOM. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
}
interface Browser {
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly MessageChannel: new () => { readonly port1: Port; readonly port2: Port };
}

const browser = globalThis as unknown as Browser;

/** Those who wait for a turn, first come first served. Messages have no delay, unlike timers. */
const waiting: (() => void)[] = [];
let messages: Port | null = null;

function turn(): Promise<void> {
  if (messages === null) {
    const { port1, port2 } = new browser.MessageChannel();
    port1.onmessage = () => waiting.shift()?.();
    messages = port2;
  }
  const port = messages;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port.postMessage(null);
  });
}

export const {
  machine,
  variable,
  writeError,
  nextTurn,
  availableProcessors,
  canShareMemory,
  preferBestCode,
  startThread,
  availableMemory,
  totalMemory,
}: Platform = {
  machine: 'browser',
  variable: () => undefined,
  writeError: (text) => console.error(text.trimEnd()),
  nextTurn: turn,
  // A page must not wait, and threads in a worker want headers that isolate it.
  canShareMemory: false,
  preferBestCode: () => {},
  startThread: () => {},
  availableProcessors: () => browser.navigator?.hardwareConcurrency ?? 1,
  // `navigator.deviceMemory` is rounded and ends at 8 GiB, so it cannot serve as a limit.
  availableMemory: () => Number.POSITIVE_INFINITY,
  totalMemory: () => Number.POSITIVE_INFINITY,
};
