/**
 * The portable engine in Chromium and Firefox beside Node: training steps, and the time from the address of a page to the
 * end of LeNet's first step. Each measurement is a process of its own; all take turns, and the least counts.
 *
 * usage: npm run bench -- browser [--networks=lenet:10,resnet50:2] [--threads=2] [--rounds=2] [--seconds=15,5] [--write]
 *
 * `--networks` has the images of a step behind each name, `--seconds` those of warm-up and measurement. `--write` puts the
 * table into docs/measured/browser.md. Browsers that are not in the search path are left out.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { type Answer, networks, type Request, timeSteps } from './shared/browserSteps.js';

const page = 'docs/measured/browser.md';
const { values: options } = parseArgs({
  options: {
    networks: { type: 'string', default: 'lenet:10,resnet50:2' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '15,5' },
    write: { type: 'boolean', default: false },
    child: { type: 'string' },
  },
});

/** An answer of a page, with the time at which it was opened. */
interface PageAnswer extends Answer {
  /** In milliseconds since 1970; of Node, the start of the process. */
  readonly opened: number;
}

const browsers: Readonly<Record<string, (profile: string, address: string) => readonly string[]>> = {
  chromium: (profile, address) => [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
    ...['--disable-background-networking', `--user-data-dir=${profile}`, address],
  ],
  'firefox-esr': (profile, address) => ['--headless', '--no-remote', '--profile', profile, address],
};

const versionOf = (browser: string) => spawnSync(browser, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';

const html = `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module">
const worker = new Worker('worker.js', { type: 'module' });
const send = (body) => fetch('answer', { method: 'POST', body: JSON.stringify(body) });
worker.onerror = ({ message }) => send({ error: message });
worker.onmessage = ({ data }) => send({ ...data, opened: performance.timeOrigin });
worker.postMessage(JSON.parse(decodeURIComponent(location.hash.slice(1))));
</script>`;

const workerSource = `import { timeSteps } from './bench/shared/browserSteps.ts';
onmessage = ({ data }) => timeSteps(data).then(postMessage, (error) => postMessage({ error: String(error) }));`;

/** Serves the page to one browser after the other, and hands on their answers. */
async function serve() {
  const bundled = await build({
    stdin: { contents: workerSource, resolveDir: fileURLToPath(new URL('../../..', import.meta.url)), loader: 'ts' },
    ...({ bundle: true, format: 'esm', target: 'es2023', platform: 'browser', minify: true, write: false } as const),
    conditions: ['fovea-source'],
  });
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/': ['text/html', html],
    '/worker.js': ['text/javascript', bundled.outputFiles[0].text],
  };
  let answered: (answer: PageAnswer) => void = () => {};
  const takeAnswer = async (request: IncomingMessage) => {
    const answer = JSON.parse(await text(request)) as PageAnswer & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    answered(answer);
  };
  const server = createServer((request, response) => {
    if (request.method === 'POST') void takeAnswer(request);
    const [type, body] = files[request.url ?? '/'] ?? ['text/plain', ''];
    response.writeHead(200, {
      'Content-Type': type,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: (request: Request) => `http://127.0.0.1:${port}/#${encodeURIComponent(JSON.stringify(request))}`,
    nextAnswer: () => new Promise<PageAnswer>((resolve) => (answered = resolve)),
    close: () => server.close(),
  };
}

async function end(browser: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => browser.on('close', resolve));
  // The whole group: a browser has many processes.
  if (browser.exitCode === null && browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL');
  await ended;
}

async function inBrowser(name: string, server: Awaited<ReturnType<typeof serve>>, request: Request) {
  const profile = mkdtempSync(join(tmpdir(), 'fovea-browser-'));
  const answer = server.nextAnswer();
  const args = browsers[name](profile, server.address(request));
  const browser = spawn(name, args, { stdio: 'ignore', detached: true });
  const ended = new Promise<never>((_, reject) => {
    browser.on('error', reject);
    browser.on('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  ended.catch(() => {});
  try {
    return await Promise.race([answer, ended]);
  } finally {
    await end(browser);
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

function inNode(request: Request): PageAnswer {
  const args = [fileURLToPath(import.meta.url), `--child=${JSON.stringify(request)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr.trim()}`);
  return JSON.parse(stdout) as PageAnswer;
}

const number = (ms: number) => (ms < 10 ? ms.toFixed(3) : ms.toFixed(0));

async function report(): Promise<string> {
  const found = Object.keys(browsers).filter((name) => versionOf(name) !== '');
  const places = ['node', ...found];
  const server = await serve();
  const [warmup, measured] = options.seconds.split(',').map(Number);
  const rows: string[] = [];
  const engines = new Map<string, string>();
  for (const one of options.networks.split(',')) {
    const [network, batch] = one.split(':');
    if (!Object.hasOwn(networks, network)) throw new Error(`--networks: expected ${Object.keys(networks)}, got ${one}`);
    const request = {
      network,
      batch: Number(batch),
      threads: Number(options.threads),
      seconds: [warmup, measured],
    } as const;
    const least = new Map<string, { ms: number; first: number }>();
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const place of places) {
        const { ms, firstEnd, opened, engine } =
          place === 'node' ? inNode(request) : await inBrowser(place, server, request);
        const before = least.get(place) ?? { ms, first: firstEnd - opened };
        least.set(place, { ms: Math.min(ms, before.ms), first: Math.min(firstEnd - opened, before.first) });
        engines.set(place, engine);
      }
    }
    const node = least.get('node')?.ms as number;
    for (const [place, { ms, first }] of least) {
      const cells = [`${network}, batch ${batch}`, place, number(ms), (ms / node).toFixed(2), first.toFixed(0)];
      rows.push(`| ${cells.join(' | ')} |`);
    }
  }
  server.close();
  const systems = [`Node ${process.version}`, ...found.map(versionOf)];
  return `# The portable engine in browsers

\`npm run bench -- browser ${process.argv.slice(2).join(' ')}\` on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0].model}; ${systems.join(', ')}.
Training steps in the worker of an isolated page, and in Node, in turns: the least milliseconds of a step. The first step ends
so many milliseconds after the page was asked for; in Node, after the start of the process.

${[...engines].map(([place, engine]) => `- ${place}: ${engine}`).join('\n')}

| network | in | step, ms | / Node | to the end of the first step, ms |
| --- | --- | --: | --: | --: |
${rows.join('\n')}
`;
}

if (options.child !== undefined) {
  const answer = await timeSteps(JSON.parse(options.child) as Request);
  console.log(JSON.stringify({ ...answer, opened: performance.timeOrigin }));
} else {
  const table = await report();
  console.log(table);
  if (options.write) writeFileSync(page, table);
}
