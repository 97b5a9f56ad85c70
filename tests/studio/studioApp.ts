import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { makeStudioApp } from '../../src/studio/server.js';
import { Workspace } from '../../src/studio/workspace.js';

const port = 4321;

/** A studio without a port, and requests as its page sends them. */
export interface TestStudio {
  readonly app: FastifyInstance;
  readonly token: string;
  /** Sends a request of the page; headers may be replaced. */
  ask(url: string, options?: InjectOptions): Promise<{ readonly status: number; readonly body: string }>;
  /** The object in the answer to a request that succeeds. */
  json<T>(url: string, options?: InjectOptions): Promise<T>;
  post<T>(url: string, payload: object): Promise<T>;
}

/** @param root folder of the studio; its page is put beside it */
export async function testStudio(root: string, program: readonly string[] = ['none']): Promise<TestStudio> {
  const page = `${root}.page`;
  mkdirSync(page, { recursive: true });
  writeFileSync(join(page, 'index.html'), '<title>page</title>');
  writeFileSync(join(page, 'main.js'), 'export {};');
  const workspace = await Workspace.open(root);
  const context = { workspace, program, signal: new AbortController().signal };
  const { app, token } = await makeStudioApp(context, () => port, page);
  const ask = async (url: string, options: InjectOptions = {}) => {
    const own = { host: `127.0.0.1:${port}`, cookie: `fovea-studio-${port}=${token}`, 'sec-fetch-site': 'same-origin' };
    const { statusCode, body } = await app.inject({ url, ...options, headers: { ...own, ...options.headers } });
    return { status: statusCode, body };
  };
  const json = async <T>(url: string, options: InjectOptions = {}): Promise<T> => {
    const { status, body } = await ask(url, options);
    if (status !== 200) throw new Error(`${status} ${body}`);
    return JSON.parse(body) as T;
  };
  const post = <T>(url: string, payload: object) => json<T>(url, { method: 'POST', payload });
  return { app, token, ask, json, post };
}
