/**
 * Measures Fovea beside PyTorch, PaddlePaddle, onnxruntime-node, TensorFlow.js and jax-js in one run: training steps and
 * inference, same networks, batch and threads. Each measurement is a process of its own; they take turns, so that drift of the
 * machine hits all alike. What has been measured is kept in runs/peers, and an interrupted run goes on there.
 *
 * usage: npm run bench:peers -- [--networks=a,b] [--peers=a,b] [--modes=train,infer] [--rounds=3] [--threads=2] [--quick]
 *        [--out=FILE] [--python=python3] [--fresh]
 *
 * The tables go to the given file; those of a complete run to docs/peers.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { here, installNode, installPython, peersFolder } from '../bench/peers/install.mjs';
import { contendersOf, entriesOf, foveaModels, nameOf, networks, titles } from '../bench/peers/plan.mjs';
import { bestOf, median, report } from '../bench/peers/report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Variants that take longer than the best of their peer by more than this are not measured again. */
const nearlyBest = 1.1;
const minutesAtMost = 30;

const allPeers = Object.keys(titles);

const { values: options } = parseArgs({
  options: {
    networks: { type: 'string', default: networks.join() },
    peers: { type: 'string', default: allPeers.join() },
    modes: { type: 'string', default: 'train,infer' },
    rounds: { type: 'string' },
    threads: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    fresh: { type: 'boolean', default: false },
  },
});

function chosen(name, known) {
  const list = options[name].split(',');
  const unknown = list.find((item) => !known.includes(item));
  if (unknown !== undefined) throw new Error(`--${name}: expected some of ${known.join(', ')}; got '${unknown}'`);
  return known.filter((item) => list.includes(item));
}

const threads = Number(options.threads);
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
if (!(Number.isInteger(threads) && threads > 0 && Number.isInteger(rounds) && rounds > 0)) {
  throw new Error('--threads and --rounds: expected positive integers');
}
const length = options.quick
  ? { warmup: 1, steps: 2, seconds: 0 } // to see that all of it works
  : { warmup: 3, steps: 5, seconds: 2 };

const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
/** What the figures depend on. */
const measured = ['src', 'bench/peers', 'bench/shared', 'bench/floor.ts'];
const commit = git('log', '-1', '--format=%h', '--', ...measured) || 'unknown';
const revision = `${commit}${git('status', '--porcelain', '--', ...measured) ? '-changed' : ''}`;
const folder = join(root, 'runs/peers', [revision, `${threads}t`, ...(options.quick ? ['quick'] : [])].join('-'));

function build() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.bench.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('the sources do not compile');
}

/** The file of a network for onnxruntime, made again if the networks have changed. */
function onnxModel(python, { network, batch }) {
  const file = join(peersFolder, 'onnx', `${network}-${batch}.onnx`);
  if (!existsSync(file) || statSync(file).mtimeMs < statSync(join(here, 'networks.py')).mtimeMs) {
    mkdirSync(join(peersFolder, 'onnx'), { recursive: true });
    const made = spawnSync(python, [join(here, 'export_onnx.py'), network, String(batch), `${file}.new`], {
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`export of ${network} failed: ${reasonOf(made.stderr)}`);
    renameSync(`${file}.new`, file);
  }
  return file;
}

const lastLine = (text) => text.trim().split('\n').at(-1);
/** Node ends with its version, Python with the message. */
const reasonOf = (text) => text.match(/\w*(Error|Exception)\b.*/g)?.at(-1) ?? lastLine(text);

/** Program and arguments of a measurement. */
function commandOf(entry, { peer, variant }, python) {
  const { model = entry.network, input } = foveaModels[entry.network] ?? {};
  const ownInput = input === undefined ? [] : [`--input=${input}`];
  const flags = Object.entries({ ...entry, variant, threads, ...length }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const compiled = join(root, '.setup/bench/bench');
  switch (peer) {
    case 'floor': {
      const { batch, precision, mode } = entry;
      const forward = mode === 'infer' ? ['--forward'] : [];
      const seconds = options.quick ? ['--seconds=0'] : [];
      const args = [model, String(batch), String(threads), `--precision=${precision}`, '--json', ...ownInput];
      return [process.execPath, [join(compiled, 'floor.js'), ...args, ...forward, ...seconds]];
    }
    case 'fovea':
      return [process.execPath, [join(compiled, 'peers/fovea.js'), ...flags, `--network=${model}`, ...ownInput]];
    case 'torch':
    case 'paddle':
      return [python, [join(here, `${peer}_worker.py`), ...flags]];
    case 'onnxruntime':
      flags.push('--model', onnxModel(python, entry));
  }
  return [process.execPath, [join(here, `${peer}Worker.mjs`), ...flags]];
}

function execute(command, args) {
  return new Promise((done) => {
    const env = {
      ...process.env,
      OMP_NUM_THREADS: String(threads),
      PYTHONDONTWRITEBYTECODE: '1',
      TORCHINDUCTOR_CACHE_DIR: join(peersFolder, 'inductor'),
    };
    const child = spawn(command, args, {
      env,
      cwd: root,
      timeout: 60_000 * minutesAtMost,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of Object.keys(output)) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
      });
    }
    child.on('error', ({ message }) => done({ status: message, ...output }));
    child.on('close', (code, signal) => done({ status: signal ?? code, ...output }));
  });
}

/** `{ version, peakRssMiB, times }`, or `{ error }`. */
async function measure(entry, contender, python) {
  try {
    const { status, stdout, stderr } = await execute(...commandOf(entry, contender, python));
    if (status !== 0) return { error: `${reasonOf(stderr)} (${status})` };
    const result = JSON.parse(lastLine(stdout));
    if (contender.peer !== 'floor') return result;
    return { version: null, peakRssMiB: null, times: [result[entry.mode]] };
  } catch (error) {
    return { error: error.message };
  }
}

function writeAtomic(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** The stored measurement, or a new one; failed ones are tried again. */
async function stored(entry, contender, round, python, progress) {
  const label = [contender.peer, contender.variant].join('-');
  const file = join(folder, `${nameOf(entry)}-${label}-${round}.json`);
  const old = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  if (old?.times !== undefined) return old;
  const start = performance.now();
  const result = { ...entry, ...contender, round, ...(await measure(entry, contender, python)) };
  writeAtomic(file, `${JSON.stringify(result)}\n`);
  const what = result.error ?? `${median(result.times).toFixed(3)} ms`;
  const took = ((performance.now() - start) / 1000).toFixed(0);
  console.error(`${progress} ${nameOf(entry)} ${label}: ${what} (took ${took} s)`);
  return result;
}

async function measureEntry(entry, peers, python, progress) {
  let contenders = contendersOf(entry, peers);
  const results = [];
  for (let round = 1; round <= rounds; round++) {
    const turn = [];
    for (const contender of contenders) {
      turn.push(await stored(entry, contender, round, python, `[${progress}, round ${round}/${rounds}]`));
    }
    results.push(...turn);
    if (round > 1) continue;
    contenders = contenders.filter(({ peer, variant }) => {
      const own = turn.find((result) => result.peer === peer && result.variant === variant);
      const best = bestOf(turn, peer);
      return own.times !== undefined && median(own.times) <= nearlyBest * best.ms;
    });
  }
  return results;
}

async function main() {
  const peers = chosen('peers', allPeers);
  const modes = chosen('modes', ['train', 'infer']);
  const entries = entriesOf(chosen('networks', networks)).filter(({ mode }) => modes.includes(mode));
  const needsPython = ['torch', 'paddle', 'onnxruntime'].some((peer) => peers.includes(peer));
  const python = needsPython ? installPython(options.python) : null;
  if (['onnxruntime', 'tfjs', 'jaxjs'].some((peer) => peers.includes(peer))) installNode();
  build();
  if (options.fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const complete = !options.quick && entries.length === entriesOf(networks).length && peers.length === allPeers.length;
  const out = options.out ?? (complete ? join(root, 'docs/peers.md') : undefined);
  const start = performance.now();
  const results = [];
  for (const [i, entry] of entries.entries()) {
    results.push(...(await measureEntry(entry, peers, python, `${i + 1}/${entries.length}`)));
  }
  const minutes = ((performance.now() - start) / 60_000).toFixed(0);
  const text = report(results, { threads, rounds, revision, quick: options.quick, peers });
  writeAtomic(join(folder, 'report.md'), text);
  console.log(text);
  if (out !== undefined) writeAtomic(resolve(out), text);
  console.error(`peers: took ${minutes} min; figures and report.md are in ${folder}`);
}

main().catch(({ message }) => {
  console.error(`peers: ${message}`);
  process.exitCode = 1;
});
