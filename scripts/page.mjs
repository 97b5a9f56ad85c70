/**
 * `npm run page`: builds the page that trains LeNet in the browser into `.setup/page`, and serves it on this
 * machine. `npm run page -- --build FOLDER` only builds it, for another web server.
 */
import { parseArgs } from 'node:util';
import { buildPage } from './buildPage.mjs';
import { servePage } from './servePage.mjs';

try {
  const { values } = parseArgs({ options: { build: { type: 'string' }, port: { type: 'string', default: '8080' } } });
  const folder = values.build ?? '.setup/page';
  await buildPage(folder);
  if (values.build !== undefined) console.log(`The page is in ${folder}. Any web server can serve it.`);
  else {
    const { address } = await servePage(folder, { port: Number(values.port) });
    console.log(`The page is at ${address}\nCtrl-C ends the server.`);
  }
} catch (error) {
  const todo = error.code === 'EADDRINUSE' ? '; choose another --port' : '';
  console.error(`page: ${error.message}${todo}`);
  process.exitCode = 2;
}
