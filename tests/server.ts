import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, vi } from 'vitest';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server on this machine while the tests of the file run. */
export class LocalServer {
  #handle: Handler = (_, response) => response.writeHead(404).end();
  /** Requests since the last `serve()`, as `GET /path` with the range asked for. */
  readonly requests: string[] = [];
  url = '';

  constructor() {
    const server = createServer((request, response) => {
      const { range } = request.headers;
      this.requests.push(`${request.method} ${request.url}${range === undefined ? '' : ` ${range}`}`);
      this.#handle(request, response);
    });
    beforeAll(async () => {
      // A proxy of the environment is meant for other hosts.
      for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY']) vi.stubEnv(name, '');
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  /** Answers with `handle` from now on and forgets the requests so far. */
  serve(handle: Handler): void {
    this.#handle = handle;
    this.requests.length = 0;
  }
}
