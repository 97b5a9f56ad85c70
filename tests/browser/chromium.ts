import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { chromium } from '../needs.js';

type Json = Readonly<Record<string, unknown>>;

interface Waiting {
  resolve(result: Json): void;
  reject(error: Error): void;
}

/** Headless Chromium, driven by its DevTools protocol over pipes. */
export class Chromium {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #rest = '';
  /** Messages of the consoles and uncaught errors of all pages. */
  readonly messages: string[] = [];
  /** Addresses of all requests of pages, without those of data and blobs. */
  readonly requests: string[] = [];

  /** @param profile a folder for its files, which a later browser may take over */
  constructor(profile: string, args: readonly string[] = []) {
    this.#process = spawn(
      chromium() as string,
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-background-timer-throttling',
        '--hide-scrollbars',
        '--remote-debugging-pipe',
        `--user-data-dir=${join(profile)}`,
        ...args,
        'about:blank',
      ],
      // A group of its own, which ends as a whole: processes of the browser outlive their parent for a moment.
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
    );
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    this.#process.on('close', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`chromium ended with ${code}`));
      this.#waiting.clear();
    });
    this.#process.on('error', () => {});
    (this.#process.stdio[3] as Writable).on('error', () => {});
  }

  #receive(text: string): void {
    const pieces = (this.#rest + text).split('\0');
    this.#rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      const { id, result, error, method, params } = JSON.parse(piece) as {
        readonly id?: number;
        readonly result?: Json;
        readonly error?: { readonly message: string };
        readonly method?: string;
        readonly params?: Json;
      };
      if (method === 'Runtime.consoleAPICalled' || method === 'Runtime.exceptionThrown') {
        this.messages.push(JSON.stringify(params));
      }
      if (method === 'Network.requestWillBeSent') {
        const { url } = (params as { readonly request: { readonly url: string } }).request;
        if (!/^(data|blob):/.test(url)) this.requests.push(url);
      }
      const waiting = id === undefined ? undefined : this.#waiting.get(id);
      if (id === undefined || waiting === undefined) continue;
      this.#waiting.delete(id);
      if (error === undefined) waiting.resolve(result ?? {});
      else waiting.reject(new Error(error.message));
    }
  }

  call(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Opens an address in a new tab. */
  async open(url: string, size: { readonly width: number; readonly height: number } = { width: 1440, height: 900 }) {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(this, sessionId as string, targetId as string);
    await tab.call('Runtime.enable');
    await tab.call('Network.enable');
    await tab.call('Page.enable');
    await tab.resize(size);
    await tab.call('Page.navigate', { url });
    return tab;
  }

  /** Ends it as a crash or a power cut would. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.on('close', resolve));
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      process.kill(-(this.#process.pid as number), 'SIGKILL');
      await ended;
    }
  }
}

/** A tab of {@link Chromium}. */
export class Tab {
  readonly #browser: Chromium;
  readonly #session: string;
  readonly #target: string;

  constructor(browser: Chromium, session: string, target: string) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
  }

  call(method: string, params: Json = {}): Promise<Json> {
    return this.#browser.call(method, params, this.#session);
  }

  resize({ width, height }: { readonly width: number; readonly height: number }): Promise<Json> {
    const mobile = width < 600;
    return this.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
  }

  /** The value of an expression, after its promise. @throws if it throws */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.call('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    })) as {
      readonly result: { readonly value: T };
      readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
    };
    if (exceptionDetails === undefined) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  /** Waits until an expression, or what it promises, is true. Fails after so long that no machine is that slow. */
  async until(expression: string, limitMs = 300_000): Promise<void> {
    const end = Date.now() + limitMs;
    let last: unknown;
    while (Date.now() < end) {
      try {
        if (await this.evaluate<boolean>(`Promise.resolve(${expression}).then(Boolean)`)) return;
        last = false;
      } catch (error) {
        last = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`the page did not come to: ${expression}; at last ${last}`);
  }

  /** Presses, moves along the points, and lets go. */
  async drag(points: readonly (readonly [x: number, y: number])[]): Promise<void> {
    const send = (type: string, [x, y]: readonly [number, number]) =>
      this.call('Input.dispatchMouseEvent', { type, x, y, button: 'left', buttons: 1, clickCount: 1 });
    await send('mousePressed', points[0]);
    for (const point of points.slice(1)) await send('mouseMoved', point);
    await send('mouseReleased', points[points.length - 1]);
  }

  async press(key: string, code = key): Promise<void> {
    const text = key === ' ' ? ' ' : undefined;
    const params = { key, code, ...(text !== undefined && { text }) };
    await this.call('Input.dispatchKeyEvent', { type: 'keyDown', ...params });
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...params });
  }

  /** A picture of the whole page as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.call('Page.captureScreenshot', { captureBeyondViewport: true });
    return Buffer.from(data as string, 'base64');
  }

  async close(): Promise<void> {
    await this.#browser.call('Target.closeTarget', { targetId: this.#target });
  }
}
