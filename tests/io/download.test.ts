import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError } from '../../src/errors.js';
import { type DownloadProgress, download } from '../../src/io/files/download.js';
import { cacheFolder } from '../../src/platform/node/cacheFolder.js';
import { LocalServer } from '../server.js';
import { temporaryFolder } from '../temporary.js';

/** No waiting between attempts. */
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const folder = temporaryFolder();
const path = join(folder, 'sub', 'file.bin');
const server = new LocalServer();
const content = Buffer.from(new Uint8Array(300_000).map((_, i) => i * 7));
const half = content.length / 2;
const md5 = createHash('md5').update(content).digest('hex');
const wrong = '0'.repeat(32);

afterEach(() => rmSync(join(folder, 'sub'), { recursive: true, force: true }));

let cutOff: ServerResponse | null = null;

/** Sends the first half under headers that promise everything; `drop` then cuts the connection. */
function sendHalf(response: ServerResponse): void {
  cutOff = response;
  response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, half));
}

/** Cuts the connection once the first half has arrived. */
function drop({ receivedBytes }: DownloadProgress): void {
  if (receivedBytes === half) cutOff?.destroy();
}

const failure = (options: Partial<Parameters<typeof download>[2]> = {}, url = `${server.url}/file.bin`) =>
  download(url, path, { md5, attempts: 1, ...options }).then(
    () => expect.unreachable('the download should have failed'),
    (error: unknown) => error as Error,
  );

describe('download', () => {
  it('puts a checked file in its place and reports progress', async () => {
    const progress: DownloadProgress[] = [];
    server.serve(({ headers }, response) => {
      expect(headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-length': content.length }).end(content);
    });
    await download(`${server.url}/file.bin`, path, { md5, onProgress: (now) => progress.push(now) });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(join(folder, 'sub'))).toEqual(['file.bin']);
    expect(progress.at(-1)).toEqual({
      url: `${server.url}/file.bin`,
      receivedBytes: content.length,
      totalBytes: content.length,
    });
    expect(server.requests).toEqual(['GET /file.bin']);
  });

  it('follows redirects and takes a body of unknown length', async () => {
    server.serve((request, response) => {
      if (request.url === '/file.bin') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end(content);
    });
    await download(`${server.url}/file.bin`, path, { md5 });
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('continues where the connection was cut', async () => {
    server.serve(({ headers }, response) => {
      if (headers.range === undefined) return sendHalf(response);
      const range = `bytes ${half}-${content.length - 1}/${content.length}`;
      response.writeHead(206, { 'content-range': range }).end(content.subarray(half));
    });
    await download(`${server.url}/file.bin`, path, { md5, onProgress: drop });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(server.requests).toEqual(['GET /file.bin', `GET /file.bin bytes=${half}-`]);
  });

  it.each([
    ['cannot continue', 200, 2],
    ['refuses to continue', 416, 3],
    ['continues elsewhere', 206, 3],
  ])('starts again where the server %s', async (_, status, requests) => {
    server.serve(({ headers }, response) => {
      if (server.requests.length === 1) sendHalf(response);
      else if (headers.range === undefined || status === 200) response.end(content);
      else response.writeHead(status, { 'content-range': 'bytes 1-9/10' }).end(content.subarray(1, 10));
    });
    await download(`${server.url}/file.bin`, path, { md5, onProgress: drop });
    expect(readFileSync(path).equals(content)).toBe(true);
    const asked = ['GET /file.bin', `GET /file.bin bytes=${half}-`, 'GET /file.bin'];
    expect(server.requests).toEqual(asked.slice(0, requests));
  });

  it('gives up after the last attempt, keeps the old file and says what to do', async () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(path, 'old');
    server.serve((_, response) => sendHalf(response));
    const error = await failure({ attempts: 2, onProgress: drop });
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toMatch(
      new RegExp(`^\\[download\\] ${server.url}/file.bin: expected a file to download, got .* \\(attempt 2 of 2\\); `),
    );
    expect(error.message).toContain(`get the file by other means and place it at ${path}`);
    expect(server.requests).toHaveLength(2);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(error.message).toContain('the 150000 bytes that have arrived are kept for another try');
    expect(readdirSync(join(folder, 'sub'))).toEqual(['file.bin', 'file.bin.part']);
  });

  /** Answers with what is asked for. */
  const serveRanges = () =>
    server.serve(({ headers }, response) => {
      const begin = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
      if (begin === 0) return response.end(content);
      if (begin >= content.length) return response.writeHead(416).end();
      const range = `bytes ${begin}-${content.length - 1}/${content.length}`;
      return response.writeHead(206, { 'content-range': range }).end(content.subarray(begin));
    });

  it('continues with what an earlier download has left', async () => {
    server.serve((_, response) => sendHalf(response));
    await failure({ onProgress: drop });
    serveRanges();
    await download(`${server.url}/file.bin`, path, { md5 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(server.requests).toEqual([`GET /file.bin bytes=${half}-`]);
    expect(readdirSync(join(folder, 'sub'))).toEqual(['file.bin']);
  });

  it.each([
    ['all of it', content, []],
    [
      'another file',
      Buffer.from(content).fill(1, 0, 9).subarray(0, 9000),
      ['GET /file.bin bytes=9000-', 'GET /file.bin'],
    ],
    [
      'a longer file',
      Buffer.alloc(content.length + 1),
      [`GET /file.bin bytes=${content.length + 1}-`, 'GET /file.bin'],
    ],
  ])('that a killed process has left: %s', async (_, left, requests) => {
    mkdirSync(`${path}.part`, { recursive: true });
    writeFileSync(join(`${path}.part`, 'data'), left);
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(`${path}.part`, '.lock'), JSON.stringify({ host: hostname(), pid: dead, began: null }));
    serveRanges();
    await download(`${server.url}/file.bin`, path, { md5 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(server.requests).toEqual(requests);
    expect(readdirSync(join(folder, 'sub'))).toEqual(['file.bin']);
  });

  it('does not disturb another one of the same file', async () => {
    const both = new Map<string, ServerResponse>();
    server.serve(({ url }, response) => {
      both.set(url as string, response);
      if (both.size === 2) for (const each of both.values()) each.end(content);
    });
    await Promise.all(['a', 'b'].map((name) => download(`${server.url}/${name}`, path, { md5 })));
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(join(folder, 'sub'))).toEqual(['file.bin']);
  });

  it('refuses a file with another checksum and removes it', async () => {
    server.serve((_, response) => response.end(content));
    const error = await failure({ md5: wrong, attempts: 3 });
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toContain(`expected a file with md5 ${wrong}, got 300000 bytes with md5 ${md5}`);
    expect(server.requests).toHaveLength(1);
    expect(readdirSync(join(folder, 'sub'))).toEqual([]);
  });

  it.each([
    [
      'says so',
      (response: ServerResponse) => void response.writeHead(200, { 'content-length': 300_000 }).end(content),
      '300000',
    ],
    [
      'does not say so',
      (response: ServerResponse) => void response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(content),
      'more',
    ],
  ])('refuses a file that is larger than allowed, and removes it: the server %s', async (_, answer, got) => {
    server.serve((_request, response) => answer(response));
    const { message } = await failure({ maxBytes: 299_999 });
    expect(message).toContain(`expected at most 299999 bytes, got ${got};`);
    expect(readdirSync(join(folder, 'sub'))).toEqual([]);
  });

  it('does not insist where the address is wrong', async () => {
    server.serve((_, response) => response.writeHead(404).end('not here'));
    expect((await failure({ attempts: 3 })).message).toMatch(/got HTTP status 404 \(attempt 1 of 3\)/);
    expect(server.requests).toHaveLength(1);
    expect(readdirSync(join(folder, 'sub'))).toEqual([]);
  });

  it('tries again where the server is busy', async () => {
    server.serve((_, response) => {
      if (server.requests.length === 1) response.writeHead(503).end();
      else response.end(content);
    });
    await download(`${server.url}/file.bin`, path, { md5 });
    expect(server.requests).toHaveLength(2);
  });

  it('does not wait forever', async () => {
    server.serve((_, response) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 10));
    });
    expect((await failure({ timeoutMs: 100 })).message).toMatch(/got nothing for 100 ms \(attempt 1 of 1\)/);
  });

  it.each(['as bytes arrive', 'while none do'])(
    'ends %s if its listener throws, and keeps what has arrived for the next one',
    async (when) => {
      server.serve((_, response) => sendHalf(response));
      let bytes = 0;
      const stopped = new Error('stopped');
      const onProgress = ({ receivedBytes }: DownloadProgress) => {
        if (receivedBytes === half && (when === 'as bytes arrive' || bytes === half)) throw stopped;
        bytes = receivedBytes;
      };
      expect(await failure({ onProgress, attempts: 3 })).toBe(stopped);
      expect(server.requests).toHaveLength(1);
      expect(readFileSync(join(`${path}.part`, 'data')).length).toBe(half);
      expect(existsSync(path)).toBe(false);
      cutOff?.destroy();
      server.serve(({ headers }, response) => {
        expect(headers.range).toBe(`bytes=${half}-`);
        const range = `bytes ${half}-${content.length - 1}/${content.length}`;
        response.writeHead(206, { 'content-range': range }).end(content.subarray(half));
      });
      await download(`${server.url}/file.bin`, path, { md5 });
      expect(readFileSync(path).equals(content)).toBe(true);
    },
  );

  it('waits as long as something arrives', async () => {
    server.serve(async (_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        response.write(content.subarray(i * 60_000, (i + 1) * 60_000));
      }
      response.end();
    });
    await download(`${server.url}/file.bin`, path, { md5, attempts: 1, timeoutMs: 300 });
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('names the address when no server answers there', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/file.bin`;
    closed.close();
    const error = await failure({ attempts: 2 }, url);
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toContain(`[download] ${url}: expected a file to download, got connect ECONNREFUSED`);
    expect(error.message).toContain(`place it at ${path}`);
    expect(existsSync(path)).toBe(false);
  });

  it('says that its folder cannot be made', async () => {
    writeFileSync(join(folder, 'sub'), '');
    expect((await failure()).message).toMatch(/sub: expected a folder to write to, got EEXIST/);
  });
});

describe('the cache folder', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['FOVEA_CACHE first', '/a/b', '/x', '/a/b'],
    ['FOVEA_CACHE relative to here', 'a', '/x', resolve('a')],
    ['XDG_CACHE_HOME next', '', '/x', '/x/fovea'],
    ['the home folder where XDG_CACHE_HOME is relative', '', 'x', join(homedir(), '.cache/fovea')],
    ['the home folder last', '', '', join(homedir(), '.cache/fovea')],
  ])('is %s', (_, own, xdg, expected) => {
    vi.stubEnv('FOVEA_CACHE', own);
    vi.stubEnv('XDG_CACHE_HOME', xdg);
    expect(cacheFolder()).toBe(expected);
  });
});

describe('proxies', () => {
  /** Addresses that were asked to be connected to. */
  const tunnels: string[] = [];
  const proxy = createHttpServer();
  proxy.on('connect', (request, client) => {
    tunnels.push(request.url as string);
    const [host, port] = (request.url as string).split(':');
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) socket.on('error', () => socket.destroy());
  });
  beforeAll(async () => {
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
  });
  beforeEach(() => {
    tunnels.length = 0;
    server.serve((_, response) => response.end(content));
    vi.stubEnv('http_proxy', `http://user:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  });
  afterEach(() => {
    vi.stubEnv('http_proxy', '');
    vi.stubEnv('no_proxy', '');
  });
  afterAll(() => {
    proxy.close();
  });

  it('are those of the environment', async () => {
    await download(`${server.url}/file.bin`, path, { md5 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(tunnels).toEqual([server.url.replace('http://', '')]);
  });

  it('are not for the hosts in no_proxy', async () => {
    vi.stubEnv('no_proxy', 'example.org,127.0.0.1');
    await download(`${server.url}/file.bin`, path, { md5 });
    expect(tunnels).toEqual([]);
  });

  it.each([
    ['that cannot be reached', 'http://user:secret@127.0.0.1:1', '127.0.0.1:1'],
    ['of another kind', 'socks5://127.0.0.1:1080', '127.0.0.1:1080'],
    ['that are none', 'http://[', 'of the environment'],
  ])('%s are named, without a password', async (_, address, named) => {
    vi.stubEnv('http_proxy', address);
    const error = await failure();
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toContain(`(through the proxy ${named})`);
    expect(error.message).not.toContain('secret');
  });
});
