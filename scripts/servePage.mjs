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

/** The file of an address; null for an address that names none. */
function pathOf(folder, address) {
  try {
    const { pathname } = new URL(address, 'http://localhost');
    const name = decodeURIComponent(pathname);
    if (name.includes('\0')) return null;
    // `normalize` of an absolute path leaves no `..` in it.
    return join(folder, normalize(name.endsWith('/') ? `${name}index.html` : name));
  } catch {
    return null;
  }
}

/**
 * Serves the files of a folder on this machine.
 *
 * @param {string} folder
 * @param {{ port?: number, isolated?: boolean }} options port 0, the default, takes a free one
 */
export async function servePage(folder, { port = 0, isolated = true } = {}) {
  const server = createServer((request, response) => {
    const path = pathOf(folder, request.url ?? '/');
    const info = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
    if (path === null || !info?.isFile()) {
      response.writeHead(404).end('not found');
      return;
    }
    response.writeHead(200, {
      'Content-Type': types[extname(path)] ?? 'application/octet-stream',
      'Content-Length': info.size,
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
