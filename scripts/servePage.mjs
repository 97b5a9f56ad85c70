import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.gz': 'application/gzip',
};

/** Headers that isolate a page, so that its workers can share memory. */
const isolating = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Serves the files of a folder on this machine.
 *
 * @param {string} folder
 * @param {{ port?: number, isolated?: boolean }} options port 0, the default, takes a free one
 */
export async function servePage(folder, { port = 0, isolated = true } = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    // `normalize` of an absolute path leaves no `..` in it.
    const name = normalize(decodeURIComponent(pathname));
    const path = join(folder, name.endsWith('/') ? `${name}index.html` : name);
    const size = statSync(path, { throwIfNoEntry: false })?.isFile() ? statSync(path).size : null;
    if (size === null) {
      response.writeHead(404).end('not found');
      return;
    }
    response.writeHead(200, {
      'Content-Type': types[extname(path)] ?? 'application/octet-stream',
      'Content-Length': size,
      'Cache-Control': 'no-cache',
      ...(isolated && isolating),
    });
    createReadStream(path).pipe(response);
  });
  await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${server.address().port}/`, close };
}
