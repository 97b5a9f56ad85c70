import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { servePage } from '../../scripts/servePage.mjs';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();

it('serves the files of its folder and no others, isolated', async () => {
  const site = join(folder, 'site');
  mkdirSync(site);
  writeFileSync(join(site, 'index.html'), 'page');
  writeFileSync(join(folder, 'secret'), 'secret');
  const { address, close } = await servePage(site);
  // `fetch` would resolve the dots itself.
  const answerOf = (path: string) =>
    new Promise<[status: number | undefined, isolation: unknown, text: string]>((resolve, reject) => {
      const { hostname, port } = new URL(address);
      const asked = request({ hostname, port, path }, (response) => {
        let text = '';
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => {
          resolve([response.statusCode, response.headers['cross-origin-embedder-policy'], text]);
        });
      });
      asked.on('error', reject).end();
    });
  expect(await answerOf('/')).toEqual([200, 'require-corp', 'page']);
  for (const path of ['/../secret', '/..%2fsecret', '/%2e%2e/secret', '/%', '/%00', '/none']) {
    expect([path, ...(await answerOf(path))]).toEqual([path, 404, undefined, 'not found']);
  }
  await close();
});
