import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunList, StudioInfo } from '../../src/studio/api.js';
import { startStudio } from '../../src/studio/server.js';
import { temporaryFolder } from '../temporary.js';
import { type TestStudio, testStudio } from './studioApp.js';

const folder = temporaryFolder();
const root = join(folder, 'work');
let studio: TestStudio;

beforeAll(async () => {
  mkdirSync(join(root, 'runs/half'), { recursive: true });
  writeFileSync(join(root, 'runs/half/config.json'), '{"format":2,');
  mkdirSync(join(root, 'runs/newer'));
  writeFileSync(join(root, 'runs/newer/config.json'), '{"format":99}');
  mkdirSync(join(folder, 'secret'));
  writeFileSync(join(folder, 'secret/config.json'), '{}');
  symlinkSync(join(folder, 'secret'), join(root, 'runs/link'));
  studio = await testStudio(root);
});

describe('requests from elsewhere', () => {
  const cookie = (token: string, port = 4321) => `fovea-studio-${port}=${token}`;
  it.each<[string, (token: string) => Record<string, string | undefined>, number, string]>([
    ['without the token', () => ({ cookie: undefined }), 401, 'token'],
    ['with another token', () => ({ cookie: cookie('a'.repeat(43)) }), 401, 'token'],
    ['with the cookie of a studio on another port', (token) => ({ cookie: cookie(token, 4322) }), 401, 'token'],
    ['for another host, as after DNS rebinding', () => ({ host: 'evil.example:4321' }), 403, 'host'],
    ['for another port', () => ({ host: '127.0.0.1:80' }), 403, 'host'],
    ['without a host', () => ({ host: '' }), 403, 'host'],
    ['of another page', () => ({ origin: 'http://evil.example' }), 403, 'origin'],
    ['of another port of this machine', () => ({ origin: 'http://127.0.0.1:80' }), 403, 'origin'],
    ['of a page without an origin', () => ({ origin: 'null' }), 403, 'origin'],
    ['that a browser marks', () => ({ 'sec-fetch-site': 'cross-site' }), 403, 'origin'],
    ['of another port, marked', () => ({ 'sec-fetch-site': 'same-site' }), 403, 'origin'],
  ])('are refused %s', async (_, headers, status, code) => {
    for (const url of ['/api/studio', '/', '/main.js', '/none']) {
      const given = Object.fromEntries(
        Object.entries(headers(studio.token)).filter(([, value]) => value !== undefined),
      );
      const base = headers(studio.token);
      const cookieless = 'cookie' in base && base.cookie === undefined ? { cookie: '' } : {};
      const { status: got, body } = await studio.ask(url, {
        headers: { ...given, ...cookieless } as Record<string, string>,
      });
      expect([url, got, JSON.parse(body).code]).toEqual([url, status, code]);
    }
  });

  it('get no data by a wrong token in the address, and the page by the right one from anywhere', async () => {
    const strange = { cookie: '', 'sec-fetch-site': 'cross-site' };
    expect((await studio.ask('/?token=wrong', { headers: { cookie: '' } })).status).toBe(401);
    expect((await studio.ask(`/?token=${studio.token}`, { headers: strange })).status).toBe(200);
    expect((await studio.ask(`/api/studio?token=${studio.token}`, { headers: { cookie: '' } })).status).toBe(401);
    expect(
      (await studio.ask(`/?token=${studio.token}`, { headers: { ...strange, host: 'evil.example' } })).status,
    ).toBe(403);
  });

  it('cannot send forms or plain text', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const options = { method: 'POST', headers: { 'content-type': type }, payload: '{}' } as const;
      expect([404, 415]).toContain((await studio.ask('/api/studio', options)).status);
    }
  });
});

describe('answers', () => {
  it('forbid everything that the page does not need', async () => {
    const { headers } = await studio.app.inject({
      url: `/?token=${studio.token}`,
      headers: { host: 'localhost:4321' },
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict$/);
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('take the token from a header too, for programs', async () => {
    const { status } = await studio.ask('/api/studio', { headers: { cookie: '', 'x-studio-token': studio.token } });
    expect(status).toBe(200);
    expect((await studio.json<StudioInfo>('/api/studio')).folder).toBe(root);
  });
});

describe('paths', () => {
  it.each([
    ['../secret', 403, 'outside'],
    ['runs/../../secret', 403, 'outside'],
    ['/etc', 403, 'outside'],
    ['runs\\..\\..\\secret', 403, 'outside'],
    ['runs//half', 403, 'outside'],
    ['runs/half\0', 403, 'outside'],
    ['runs/link', 403, 'link'],
    ['runs/none', 404, 'gone'],
    ['runs/half', 422, 'input'],
    ['runs/newer', 422, 'input'],
  ])('%s is refused', async (name, status, code) => {
    const { status: got, body } = await studio.ask(`/api/run?run=${encodeURIComponent(name)}`);
    expect([got, JSON.parse(body).code]).toEqual([status, code]);
    expect(body).not.toContain(`${folder}/secret`);
  });

  it('of links are not listed; half written runs and those of a newer version are named', async () => {
    const { runs, broken } = await studio.json<RunList>('/api/runs');
    expect(runs).toEqual([]);
    expect(broken.map(({ name }) => name).sort()).toEqual(['runs/half', 'runs/newer']);
    expect(broken.find(({ name }) => name === 'runs/newer')?.problem).toContain('another version of Fovea');
  });

  it('of a folder that vanishes are answered with a clear error, and again once it is back', async () => {
    const other = join(folder, 'vanishing');
    mkdirSync(other);
    const { ask } = await testStudio(other);
    renameSync(other, `${other}.moved`);
    const { status, body } = await ask('/api/runs');
    expect([status, JSON.parse(body).code]).toEqual([404, 'gone']);
    renameSync(`${other}.moved`, other);
    expect((await ask('/api/runs')).status).toBe(200);
  });
});

describe('a studio that listens', () => {
  const start = (at: string, port?: number) => startStudio(at, { port, program: ['none'], page: `${root}.page` });

  it('is the only one on its folder, and ends', async () => {
    const first = await start(root);
    const { hostname, port } = new URL(first.address);
    expect(hostname).toBe('127.0.0.1');
    expect((await fetch(first.address)).status).toBe(200);
    await expect(start(root)).rejects.toThrow(
      new RegExp(`no other studio on this folder, got process ${process.pid} at http://127.0.0.1:${port}/;`),
    );
    await first.close();
    await expect(fetch(first.address)).rejects.toThrow();
    const second = await start(root);
    expect((await fetch(second.address)).status).toBe(200);
    // A tab of the first one has the token of the first one.
    const stale = new URL(first.address).searchParams.get('token') ?? '';
    const answer = await fetch(new URL('/api/studio', second.address), { headers: { 'x-studio-token': stale } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, 'token']);
    await second.close();
  });

  it('names a port in use, and leaves the folder free', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await expect(start(root, port)).rejects.toThrow(
      `[studio] port ${port}: expected a free port, got one that another program uses`,
    );
    server.close();
    await (await start(root)).close();
  });

  it('needs a folder, and its built page', async () => {
    await expect(start(join(folder, 'none'))).rejects.toThrow(/expected a folder, got ENOENT/);
    await expect(start(join(root, 'runs/half/config.json'))).rejects.toThrow(/expected a folder, got a file/);
    rmSync(`${root}.page`, { recursive: true });
    await expect(start(root)).rejects.toThrow(/expected the built page/);
  });
});
