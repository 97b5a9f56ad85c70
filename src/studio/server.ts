import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { InputError } from '../errors.js';
import { reasonOf } from '../io/files/atomic.js';
import { version } from '../version.js';
import type { StudioInfo } from './api.js';
import { addAssets } from './assets.js';
import { claimStudio } from './claim.js';
import type { StudioContext } from './context.js';
import { addGuard, answerError, newToken } from './guard.js';
import { pageRoutes } from './pages/index.js';
import { Refusal } from './refusal.js';
import { Workspace } from './workspace.js';

export interface StudioOptions {
  /** Port on this machine; 0 (default) for any that is free. */
  readonly port?: number | undefined;
  /** Program and first arguments of the command line, which carries out trainings. */
  readonly program: readonly string[];
  /** Folder of the built page. Default: that of the package. */
  readonly page?: string | undefined;
}

/** A studio that listens. */
export interface Studio {
  /** With the token. */
  readonly address: string;
  readonly folder: string;
  /** Ends it; trainings save their state and end too. */
  close(): Promise<void>;
}

/** Longest body of a request, in bytes: a picture of a camera. */
const mostBytes = 32 * 2 ** 20;
/** Longest name in an address. */
const mostName = 4096;

/** A server that is not listening yet, with its token. */
export interface StudioApp {
  readonly app: FastifyInstance;
  readonly token: string;
}

/**
 * Makes the server with all routes.
 *
 * @param port that requests must name as their host
 */
export async function makeStudioApp(
  context: StudioContext,
  port: () => number,
  page?: string | undefined,
): Promise<StudioApp> {
  const { fastify } = await import('fastify');
  const app: FastifyInstance = fastify({
    bodyLimit: mostBytes,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: mostName },
  });
  // A page elsewhere may send plain text without asking.
  app.removeContentTypeParser('text/plain');
  const token = newToken();
  app.setErrorHandler((error, _request, reply) => answerError(error, reply));
  app.setNotFoundHandler((request, reply) =>
    answerError(
      new Refusal(
        'unknown',
        `${request.method} ${request.url.split('?')[0]}: expected an address of the studio, got none`,
      ),
      reply,
    ),
  );
  addGuard(app, token, port);
  await addAssets(app, page);
  app.get('/api/studio', (): StudioInfo => ({ version, folder: context.workspace.root }));
  for (const add of Object.values(pageRoutes)) await add(app, context);
  return { app, token };
}

/**
 * Starts a studio on a folder. It listens on this machine alone.
 *
 * @throws {InputError} for a folder that does not exist or has a studio already, and for a port in use
 */
export async function startStudio(folder: string, options: StudioOptions): Promise<Studio> {
  const { port = 0, program, page } = options;
  const workspace = await Workspace.open(folder);
  const claim = await claimStudio(workspace);
  const end = new AbortController();
  let listening = 0;
  try {
    const { app, token } = await makeStudioApp({ workspace, program, signal: end.signal }, () => listening, page);
    await listen(app, port);
    listening = (app.server.address() as AddressInfo).port;
    const place = `http://127.0.0.1:${listening}/`;
    await claim.announce(place);
    return {
      address: `${place}?token=${token}`,
      folder: workspace.root,
      async close() {
        end.abort();
        await app.close();
        await claim.release();
      },
    };
  } catch (error) {
    await claim.release();
    throw error;
  }
}

async function listen(app: FastifyInstance, port: number): Promise<void> {
  try {
    await app.listen({ port, host: '127.0.0.1' });
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const got = code === 'EADDRINUSE' ? 'one that another program uses' : reasonOf(error);
    throw new InputError(`[studio] port ${port}: expected a free port, got ${got}; choose another, or leave it out`, {
      cause: error,
    });
  }
}
