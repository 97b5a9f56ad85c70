import type { Platform, StartThread } from './platform.js';

/** The parts of a browser that this module uses: the project has no types of the DOM. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
}
interface Thread {
  onmessage: (() => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(data: unknown): void;
}
interface Browser {
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly document?: object;
  readonly crossOriginIsolated?: boolean;
  readonly Worker?: new (address: string, options: { readonly name: string }) => Thread;
  readonly Blob: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(address: string): void };
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

/** Why there is one thread here; `null` if threads can share memory, and this one may wait for them. */
function reasonForOneThread(): string | null {
  if (browser.document !== undefined) return 'a page must not wait for threads; compute in a worker';
  if (browser.Worker === undefined) return 'this worker cannot start others';
  if (browser.crossOriginIsolated === true) return null;
  return 'the page is not isolated; serve it with COOP and COEP';
}

const oneThread = reasonForOneThread();

const startWorker: StartThread = (run, data, ended) => {
  const source = `onmessage = ({ data }) => { postMessage(null); (${run})(data); };`;
  const address = browser.URL.createObjectURL(new browser.Blob([source], { type: 'text/javascript' }));
  const revoke = () => browser.URL.revokeObjectURL(address);
  try {
    const Worker = browser.Worker as NonNullable<Browser['Worker']>;
    const worker = new Worker(address, { name: 'fovea' });
    worker.onmessage = revoke;
    worker.onerror = ({ message }) => {
      revoke();
      ended(message || 'the browser did not start it');
    };
    worker.postMessage(data);
  } catch (error) {
    revoke();
    throw error;
  }
};

export const {
  machine,
  variable,
  writeError,
  nextTurn,
  availableProcessors,
  canShareMemory,
  preferBestCode,
  collectGarbage,
  whyOneThread,
  startThread,
  availableMemory,
  totalMemory,
}: Platform = {
  machine: 'browser',
  variable: () => undefined,
  writeError: (text) => console.error(text.trimEnd()),
  nextTurn: turn,
  preferBestCode: () => {},
  collectGarbage: () => {},
  canShareMemory: oneThread === null,
  whyOneThread: oneThread,
  startThread: startWorker,
  availableProcessors: () => browser.navigator?.hardwareConcurrency ?? 1,
  // `navigator.deviceMemory` is rounded and ends at 8 GiB, so it cannot serve as a limit.
  availableMemory: () => Number.POSITIVE_INFINITY,
  totalMemory: () => Number.POSITIVE_INFINITY,
};
