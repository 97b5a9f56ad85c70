/**
 * Starts a thread that runs a function, given as text. It uses nothing but its argument and globals. The
 * thread does not keep the process running.
 *
 * @param ended called, in a later turn of the event loop, if the thread ends or cannot start
 */
export type StartThread = <T>(run: (data: T) => void, data: T, ended: (reason: string) => void) => void;

/**
 * The machine and the runtime beneath Fovea's portable rooms: graph, ops, compiler, tensors, layers,
 * optimizers, metrics, the engines' common code, networks, transforms and formats. They import `#platform`,
 * which `imports` in package.json resolves to `node.ts` in Node and to `browser.ts` elsewhere.
 */
export interface Platform {
  /** Operating system and processor, for messages: `linux x64`. */
  readonly machine: string;
  /** An environment variable; `undefined` if it is not set. */
  variable(name: string): string | undefined;
  /** Writes lines to stderr, or to the console of a browser. `text` ends with a line feed. */
  writeError(text: string): void;
  /** Resolves in a later turn of the event loop, after the input, timers and messages that wait now. */
  nextTurn(): Promise<void>;
  /** Number of processors that this process can keep busy. At least 1. */
  availableProcessors(): number;
  /** Whether threads can share memory, and this one may wait for them. */
  readonly canShareMemory: boolean;
  /**
   * Asks, where that can be asked, for WebAssembly's best code from a function's first call on: V8 begins
   * with code that takes three times as long, and never replaces it during a call.
   */
  preferBestCode(): void;
  /**
   * Frees unused arrays of JavaScript at once, where that can be asked. Engines copy parameters into memory
   * of theirs, and its growth does not make the garbage collector look for the arrays.
   */
  collectGarbage(): void;
  /** Why it cannot, for people; `null` if it can. */
  readonly whyOneThread: string | null;
  /** @throws if the system has no thread left */
  readonly startThread: StartThread;
  /** Bytes that can be allocated without swapping. Infinite if the platform does not say. */
  availableMemory(): number;
  /** Bytes of memory of this machine, or of the container. Infinite if the platform does not say. */
  totalMemory(): number;
}
