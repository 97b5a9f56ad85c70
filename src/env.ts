import { variable, writeError } from '#platform';
import { InputError } from './errors.js';
import { visibleText } from './text/visible.js';

/**
 * What `FOVEA_DEBUG` shows, on stderr. Each level includes the ones below.
 *
 * | level | shows |
 * |---|---|
 * | 0 | nothing (default) |
 * | 1 | one line a compilation: nodes, steps, memory, milliseconds |
 * | 2 | the program: every step with its kernel, layouts and memory |
 * | 3 | the graph before and after the compiler's passes |
 * | 4 | the graph after every pass |
 * | 5 | one line a run: milliseconds |
 */
export type DebugLevel = 0 | 1 | 2 | 3 | 4 | 5;

function parseLevel(text: string | undefined): DebugLevel {
  const level = text === undefined || text === '' ? 0 : Number(text);
  if (!Number.isInteger(level) || level < 0 || level > 5) {
    throw new InputError(`[env] FOVEA_DEBUG: expected an integer from 0 to 5, got '${text}'`);
  }
  return level as DebugLevel;
}

function parseFlag(name: string, otherwise = false): boolean {
  const text = variable(name) ?? '';
  if (text === '') return otherwise;
  if (text === '0') return false;
  if (text === '1') return true;
  throw new InputError(`[env] ${name}: expected 0 or 1, got '${text}'`);
}

let level: DebugLevel | null = null;

export function debugLevel(): DebugLevel {
  level ??= parseLevel(variable('FOVEA_DEBUG'));
  return level;
}

/** Runs `body` at another debug level. */
export function withDebug<T>(temporary: DebugLevel, body: () => T): T {
  const before = debugLevel();
  level = temporary;
  try {
    return body();
  } finally {
    level = before;
  }
}

/** Prints to stderr if `FOVEA_DEBUG` is at least `atLeast`. The text is made only when it is shown. */
export function debug(atLeast: DebugLevel, text: () => string): void {
  if (debugLevel() >= atLeast) writeError(`${visibleText(text())}\n`);
}

/** `FOVEA_VALIDATE=1`: every step of a program is compared with the reference engine. */
export function validating(): boolean {
  return parseFlag('FOVEA_VALIDATE');
}

/** `FOVEA_CODE=0`: no machine code of our own, only the library's kernels. */
export function allowsCode(): boolean {
  return parseFlag('FOVEA_CODE', true);
}

const suffixes: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, '': 2 ** 30, g: 2 ** 30, t: 2 ** 40 };

/**
 * `FOVEA_MEMORY_LIMIT`, in bytes: the most memory that programs may need, in GiB unless a suffix (`512M`, `1.5GiB`) says
 * otherwise; `null` if it is not set.
 */
export function memoryLimit(): number | null {
  const text = variable('FOVEA_MEMORY_LIMIT') ?? '';
  if (text === '') return null;
  const [, size, suffix = ''] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?)?$/i.exec(text) ?? [];
  if (size === undefined || Number(size) === 0) {
    throw new InputError(`[env] FOVEA_MEMORY_LIMIT: expected a size such as 8, 1.5GiB or 512M, got '${text}'`);
  }
  return Number(size) * suffixes[suffix.toLowerCase()];
}

/** `OMP_NUM_THREADS`: most threads that a kernel may use; `null` if it is not set. */
export function threadsAsked(): number | null {
  const text = variable('OMP_NUM_THREADS') ?? '';
  if (text === '') return null;
  const count = /^\s*\d+\s*$/.test(text) ? Number(text) : 0;
  if (isThreadCount(count)) return count;
  throw new InputError(
    `[env] OMP_NUM_THREADS: expected ${threadCounts}, got '${text}'; give it one, or unset it to use all processors`,
  );
}

/** More threads than this end in the runtime, which ends the process. */
const maxThreads = 1024;

export const threadCounts = `an integer from 1 to ${maxThreads}`;

export function isThreadCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 1 && count <= maxThreads;
}
