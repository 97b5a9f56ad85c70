import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { FileError } from '../errors.js';
import { reasonOf } from '../io/files/atomic.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The folder of the page, which the build makes. */
const built = fileURLToPath(new URL('./page/', import.meta.url));

/**
 * Serves the files of the page. They are read once, so that an update of the package does not mix versions.
 *
 * @throws {FileError} if the page was not built
 */
export async function addAssets(app: FastifyInstance, folder = built): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new FileError(
      `[studio] ${folder}: expected the built page, got ${reasonOf(error)}; run npm run build, or install fovea again`,
      { cause: error },
    );
  });
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const bytes = await readFile(join(folder, name));
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    app.get(name === 'index.html' ? '/' : `/${name}`, (request, reply) => {
      reply.header('cache-control', 'no-cache').header('etag', tag);
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return reply.type(type).send(bytes);
    });
  }
}
