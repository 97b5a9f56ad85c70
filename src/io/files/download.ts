import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as check from '../../check.js';
import { FileError, messageOf } from '../../errors.js';
import { makeFolder, reasonOf, replaceFile } from './atomic.js';
import { lockFolder } from './lock.js';

export interface DownloadProgress {
  readonly url: string;
  readonly receivedBytes: number;
  /** null if the server does not say. */
  readonly totalBytes: number | null;
}

export interface DownloadOptions {
  /** Checksum of the file, in hexadecimal digits. */
  readonly md5: string;
  /**
   * Number of attempts. Default 3. A later attempt resumes where the one before was cut, if the server
   * supports it.
   */
  readonly attempts?: number;
  /** An attempt ends if nothing arrives for this many milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Called as bytes arrive, and four times a second while none do. An error that it throws ends the
   * download; what has arrived is kept.
   */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** A larger file is refused before it fills the disk. Default 2 GiB. */
  readonly maxBytes?: number;
}

/** More attempts would wait for days. */
const mostAttempts = 10;
const silentMs = 250;

const httpAddress = check.rule<string>('an address that begins with http:// or https://', (x) => {
  return typeof x === 'string' && /^https?:\/\//i.test(x) && URL.canParse(x);
});
const md5Digits = check.rule<string>(
  '32 hexadecimal digits',
  (x) => typeof x === 'string' && /^[0-9a-f]{32}$/i.test(x),
);
const downloadChecks: check.OptionChecks<DownloadOptions> = {
  md5: md5Digits,
  attempts: check.integer(1, mostAttempts),
  timeoutMs: check.integer(1, 2 ** 31 - 1),
  onProgress: check.callable,
  maxBytes: check.integer(0),
};

/**
 * Status codes of 4xx that are worth another attempt: timeout, no such range, too early, too many requests.
 */
const passing = new Set([408, 416, 425, 429]);

/** A transfer that failed; unless `final`, another attempt may succeed. */
class Interruption extends Error {
  constructor(
    message: string,
    readonly final: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Some bytes of the file. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly position: number;
  readonly totalBytes: number | null;
}

/**
 * Downloads a file over http or https, checks it, and only then moves it to `path`. Missing folders are made.
 * Proxies are those of `https_proxy`, `http_proxy` and `all_proxy`, except for the hosts in `no_proxy`.
 *
 * The bytes of an interrupted download stay in the folder `path` + `.part`; the next download resumes from
 * them.
 *
 * @throws {FileError} if the address cannot be reached, answers with an error, or has a file with another
 * checksum; a file at `path` stays
 */
export async function download(url: string, path: string, options: DownloadOptions): Promise<void> {
  check.requireValue('download', 'url', url, httpAddress);
  check.checkPath('download', path);
  check.requireOptions('download', options, downloadChecks);
  check.requireValue('download', 'md5', options.md5, md5Digits);
  const folder = dirname(path);
  await makeFolder(folder).catch((error: unknown) => {
    throw new FileError(`[download] ${folder}: expected a folder to write to, got ${reasonOf(error)}`, {
      cause: error,
    });
  });
  await watched(url, options.onProgress, (signal, onProgress) =>
    resumable(url, path, { ...options, signal, onProgress }),
  );
}

/** Downloads into the partial file of `path`, and moves it there. */
async function resumable(url: string, path: string, options: Receiving): Promise<void> {
  const receiveTo = (handle: FileHandle) => receive(url, path, handle, options);
  const aside = `${path}.part`;
  await mkdir(aside).catch(() => {});
  const lock = await lockFolder(aside, 'download').catch(() => null);
  // Another process is downloading the same file. Both may continue, but they cannot share the partial file.
  if (lock === null) return replaceFile(path, receiveTo);
  const part = join(aside, 'data');
  try {
    await replaceFile(path, receiveTo, part);
  } catch (error) {
    const interrupted = options.signal.aborted || (error instanceof FileError && error.cause instanceof Interruption);
    const { size } = await stat(part).catch(() => ({ size: 0 }));
    if (!interrupted || size === 0) await rm(part, { force: true });
    throw error;
  } finally {
    await lock.release();
    // Fails, as it should, if the partial file is kept there.
    await rmdir(aside).catch(() => {});
  }
}

/** Calls `onProgress` while nothing arrives too, and aborts the signal with an error that it throws. */
async function watched(
  url: string,
  onProgress: DownloadOptions['onProgress'] = () => {},
  body: (signal: AbortSignal, onProgress: (progress: DownloadProgress) => void) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  let last: DownloadProgress = { url, receivedBytes: 0, totalBytes: null };
  const show = (progress: DownloadProgress) => {
    last = progress;
    if (stop.signal.aborted) return;
    try {
      onProgress(progress);
    } catch (error) {
      stop.abort(error);
    }
  };
  const silence = setInterval(() => show(last), silentMs);
  try {
    await body(stop.signal, show);
  } catch (error) {
    stop.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(silence);
  }
}

interface Receiving extends DownloadOptions {
  readonly onProgress: (progress: DownloadProgress) => void;
  /** Ends the transfer; what has arrived stays. */
  readonly signal: AbortSignal;
}

async function receive(
  url: string,
  path: string,
  handle: FileHandle,
  { md5, attempts = 3, timeoutMs = 30_000, onProgress, maxBytes = 2 ** 31, signal }: Receiving,
): Promise<void> {
  const failure = (expected: string, got: string, cause?: unknown) =>
    new FileError(
      `[download] ${url}: expected ${expected}, got ${got}; get the file by other means and place it at ${path}`,
      { cause },
    );
  let hash = createHash('md5');
  let received = 0;
  for await (const bytes of handle.createReadStream({ start: 0, autoClose: false })) {
    hash.update(bytes as Buffer);
    received += (bytes as Buffer).length;
  }
  if (hash.copy().digest('hex') === md5) return;
  const restart = async () => {
    await handle.truncate(0);
    hash = createHash('md5');
    received = 0;
  };
  let leftover = received > 0;
  let next = received;
  for (let attempt = 1; ; attempt++) {
    const begin = next;
    // If nothing arrives in this attempt, the next one starts from the beginning.
    next = 0;
    try {
      for await (const { bytes, position, totalBytes } of request(url, begin, timeoutMs, signal)) {
        if (position !== received) {
          await restart();
          leftover = false;
        }
        const size = Math.max(totalBytes ?? 0, received + bytes.length);
        if (size > maxBytes) {
          await restart();
          throw failure(`at most ${maxBytes} bytes`, totalBytes === null ? 'more' : `${totalBytes}`);
        }
        await handle.writeFile(bytes);
        hash.update(bytes);
        received += bytes.length;
        next = received;
        onProgress({ url, receivedBytes: received, totalBytes });
        signal.throwIfAborted();
      }
      const found = hash.copy().digest('hex');
      if (found === md5) return;
      const bytes = received;
      await restart();
      next = 0;
      // The bytes of an earlier download may have been the beginning of another file.
      if (!leftover) throw failure(`a file with md5 ${md5}`, `${bytes} bytes with md5 ${found}`);
      leftover = false;
      attempt--;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Interruption)) throw error;
      if (error.final || attempt >= attempts) {
        const kept = received > 0 ? `; the ${received} bytes that have arrived are kept for another try` : '';
        throw failure('a file to download', `${error.message} (attempt ${attempt} of ${attempts})${kept}`, error);
      }
      await sleep(250 * 4 ** (attempt - 1), undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  }
}

/** The file from byte `begin`, or from 0 if the server ignores the range. */
async function* request(url: string, begin: number, timeoutMs: number, signal: AbortSignal): AsyncGenerator<Piece> {
  const { getProxyForUrl } = await import('proxy-from-env');
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`nothing for ${timeoutMs} ms`)), timeoutMs);
  const proxy = getProxyForUrl(url);
  let route: Route | null = null;
  try {
    if (proxy !== '') route = await throughProxy(proxy);
    // The checksum is that of the stored file, so the transfer must not compress it.
    const headers = { 'accept-encoding': 'identity', ...(begin > 0 && { range: `bytes=${begin}-` }) };
    const ended = AbortSignal.any([silence.signal, signal]);
    const { status, headers: answer, body } = await (route?.fetch ?? fetch)(url, { headers, signal: ended });
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.get('content-range') ?? '');
    const resumed = status === 206 && Number(range?.[1]) === begin;
    if (status !== 200 && !resumed) {
      throw new Interruption(`HTTP status ${status}`, status >= 400 && status < 500 && !passing.has(status));
    }
    let position = resumed ? begin : 0;
    const total = resumed ? range?.[2] : answer.get('content-length');
    const totalBytes = total === null || total === undefined ? null : Number(total);
    for await (const bytes of body ?? []) {
      yield { bytes, position, totalBytes };
      position += bytes.length;
      timer.refresh();
    }
  } catch (error) {
    if (error instanceof Interruption) throw error;
    const through = proxy === '' ? '' : ` (through the proxy ${hostOf(proxy)})`;
    throw new Interruption(`${networkReason(error)}${through}`, false, { cause: error });
  } finally {
    clearTimeout(timer);
    silence.abort();
    await route?.close();
  }
}

interface Route {
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

/** Node's own fetch takes no proxy before Node 24. */
async function throughProxy(proxy: string): Promise<Route> {
  const { fetch: fetchBy, ProxyAgent } = await import('undici');
  const dispatcher = new ProxyAgent(proxy);
  return {
    fetch: ((url: string, init: object) => fetchBy(url, { ...init, dispatcher })) as unknown as typeof fetch,
    close: () => dispatcher.destroy(),
  };
}

/** The address without its password, if it has one. */
function hostOf(proxy: string): string {
  return URL.canParse(proxy) ? new URL(proxy).host : 'of the environment';
}

/** fetch says "fetch failed" and hides what happened in the cause. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause) || String((cause as NodeJS.ErrnoException).code);
}
