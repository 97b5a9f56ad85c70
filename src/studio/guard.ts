import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from './refusal.js';

/** Only the page itself may run, be loaded and be spoken with. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(self), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};

/** A secret that cannot be guessed. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Name of the header with the token, for programs; browsers send the cookie. */
const tokenHeader = 'x-studio-token';

/** Browsers send a cookie to every port of a host. */
const cookieName = (port: number) => `fovea-studio-${port}`;

/**
 * Lets requests of the page in, and no others: each must have the token, name this server as its host, and
 * come from this page. So other users of the machine, other pages in the browser, and names that lead here do
 * not reach it.
 *
 * @param port of the server, known once it listens
 */
export function addGuard(app: FastifyInstance, token: string, port: () => number): void {
  app.addHook('onRequest', async (request, reply) => {
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    requireHost(request, port());
    if (request.method === 'GET' && request.url.startsWith('/?') && isEqual(queryToken(request), token)) {
      reply.header('set-cookie', `${cookieName(port())}=${token}; Path=/; HttpOnly; SameSite=Strict`);
      return;
    }
    requireOrigin(request);
    const given = request.headers[tokenHeader] ?? cookieOf(request, cookieName(port()));
    if (isEqual(given, token)) return;
    throw new Refusal(
      'token',
      'token: expected the one of this studio, got none or another; open the address that fovea studio printed',
    );
  });
}

function requireHost({ headers: { host } }: FastifyRequest, port: number): void {
  if ([`127.0.0.1:${port}`, `localhost:${port}`].includes(host ?? '')) return;
  throw new Refusal('host', `Host: expected 127.0.0.1:${port}, got ${host ?? 'none'}`);
}

function requireOrigin({ headers: { host, origin, 'sec-fetch-site': site } }: FastifyRequest): void {
  const isOwn = origin === undefined || origin === `http://${host}`;
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return;
  throw new Refusal('origin', `Origin: expected the page of the studio, got ${origin ?? site}`);
}

function queryToken({ query }: FastifyRequest): unknown {
  return (query as { readonly token?: unknown }).token;
}

function cookieOf({ headers: { cookie = '' } }: FastifyRequest, name: string): string | undefined {
  const own = cookie.split(';').map((pair) => pair.trim().split('='));
  return own.find(([key]) => key === name)?.[1];
}

/** Takes the same time wherever the texts differ. */
function isEqual(given: unknown, token: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a, b);
}

/** Answers errors as JSON, so that the page can show them. */
export function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  const { status, code, message } = describeError(error);
  return reply.code(status).send({ error: message, code });
}

function describeError(error: unknown): { readonly status: number; readonly code: string; readonly message: string } {
  const { statusCode, message, validation } = error as Error & { statusCode?: number; validation?: unknown };
  if (error instanceof Refusal) return { status: error.statusCode, code: error.code, message };
  if (validation !== undefined) return { status: 400, code: 'input', message };
  if (typeof statusCode === 'number' && statusCode < 500) return { status: statusCode, code: 'input', message };
  const kind = (error as { constructor: { kind?: unknown } }).constructor.kind;
  return typeof kind === 'string'
    ? { status: 422, code: 'input', message }
    : { status: 500, code: 'internal', message: `[studio] internal error: ${message}` };
}
