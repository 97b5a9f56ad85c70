/**
 * Measures Fovea beside PyTorch, PaddlePaddle, onnxruntime-node, TensorFlow.js and jax-js in one run: training steps and
 * inference, same networks, batch and threads. After a screening the best modes take turns, each in a process of its own
 * that waits for its turn, so that drift of the machine affects all alike. Measurements are stored in runs/peers, where an
 * interrupted run continues.
 *
 * usage: npm run bench:peers -- [--networks=a,b|zoo] [--peers=a,b] [--modes=train,infer] [--rounds=3] [--threads=2] [--quick]
 *        [--isa=avx2] [--uncompiled=a,b] [--out=FILE] [--python=python3] [--fresh]
 *
 * `--peers=portable,onnxruntimeWeb,tfjs,jaxjs` compares the portable engine with others in WebAssembly.
 * Without `--networks` these are the course's networks. `zoo` are the other families, in float32 beside PyTorch alone.
 *
 * `--uncompiled=a,b:infer` names networks, or modes of them, without torch.compile: it takes minutes for each, once.
 *
 * `--isa=avx2` holds all to AVX2, as on a processor without AVX-512: float32 of the peers that can be held.
 *
 * The tables go to the given file; those of a complete run to the machine's page in docs/measured, or to zoo.md there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { here, installNode, installPython, peersFolder } from '../bench/peers/install.mjs';
import * as plan from '../bench/peers/plan.mjs';
import { maxLoad, missesOf, pageOfMachine, report } from '../bench/peers/report.mjs';
import { revisionOf } from '../bench/peers/revision.mjs';
import { reasonOf, startSession } from '../bench/peers/session.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { networks, titles, usualPeers, zoo } = plan;

const { values: options } = parseArgs({
  options: {
    networks: { type: 'string', default: networks.join() },
    peers: { type: 'string' },
    modes: { type: 'string', default: 'train,infer' },
    rounds: { type: 'string' },
    threads: { type: 'string', default: '2' },
    isa: { type: 'string' },
    uncompiled: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    fresh: { type: 'boolean', default: false },
  },
});

const held = plan.heldTo(options.isa);
if (options.isa !== undefined && held === null) throw new Error(`--isa: expected avx2, got '${options.isa}'`);

function chosen(name, known, usual = known) {
  const list = options[name]?.split(',') ?? usual;
  const unknown = list.find((item) => !known.includes(item));
  if (unknown !== undefined) throw new Error(`--${name}: expected some of ${known.join(', ')}; got '${unknown}'`);
  return known.filter((item) => list.includes(item));
}

const threads = Number(options.threads);
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
if (!(Number.isInteger(threads) && threads > 0 && Number.isInteger(rounds) && rounds > 0)) {
  throw new Error('--threads and --rounds: expected positive integers');
}

/** Files that change the measurements. */
const measured = ['src', 'bench/peers', 'bench/shared', 'bench/floor.ts', ':(exclude)bench/peers/report.mjs'];
const revision = revisionOf(root, measured);
const folder = join(
  root,
  'runs/peers',
  [revision, `${threads}t`, ...(held === null ? [] : [options.isa]), ...(options.quick ? ['quick'] : [])].join('-'),
);

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

/** Program and arguments of a worker. */
function commandOf(entry, { peer, variant }, python) {
  const { model = entry.network, input } = plan.foveaModels[entry.network] ?? {};
  const ownInput = input === undefined ? [] : [`--input=${input}`];
  const flags = Object.entries({ ...entry, variant, threads }).map(([name, value]) => `--${name}=${value}`);
  const compiled = join(root, '.setup/bench/bench');
  switch (peer) {
    case 'floor': {
      const forward = entry.mode === 'infer' ? ['--forward'] : [];
      const seconds = options.quick ? ['--seconds=0'] : [];
      const args = [
        model,
        String(entry.batch),
        String(threads),
        `--precision=${entry.precision}`,
        '--json',
        ...ownInput,
      ];
      return [process.execPath, [join(compiled, 'floor.js'), ...args, ...forward, ...seconds]];
    }
    case 'fovea':
    case 'portable': {
      const own = [`--network=${model}`, `--engine=${peer === 'fovea' ? 'onednn' : peer}`, ...ownInput];
      return [process.execPath, [join(compiled, 'peers/fovea.js'), ...flags, ...own]];
    }
    case 'torch':
    case 'paddle':
      return [python, [join(here, `${peer}_worker.py`), ...flags]];
    case 'onnxruntime':
    case 'onnxruntimeWeb':
      flags.push(`--model=${onnxModel(python, entry)}`);
  }
  return [process.execPath, [join(here, `${peer}Worker.mjs`), ...flags]];
}

const env = {
  ...process.env,
  ...held?.env,
  OMP_NUM_THREADS: String(threads),
  PYTHONDONTWRITEBYTECODE: '1',
  TORCHINDUCTOR_CACHE_DIR: join(peersFolder, 'inductor'),
};

function writeAtomic(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const labelOf = ({ peer, variant }) => `${peer}-${variant}`;

/** Measurements of an entry, each stored in a file of its own and made only if it is not there; failed ones are made again. */
class Measurements {
  /** By label, those that wait for their next turn. */
  #sessions = new Map();

  constructor(entry, python, progress) {
    Object.assign(this, { entry, python, progress });
  }

  /** @param round 0 is the screening */
  async get(contender, round) {
    const old = this.#stored(contender, round);
    if (old !== null) return old;
    const start = performance.now();
    const measured = await this.#measure(contender, round).catch(({ message }) => ({ error: message }));
    const result = this.#store(this.entry, contender, round, measured);
    const what = result.error ?? `${plan.median(result.times).toFixed(3)} ms`;
    const took = ((performance.now() - start) / 1000).toFixed(0);
    const when = round === 0 ? 'screening' : `round ${round}/${rounds}`;
    console.error(
      `[${this.progress}, ${when}] ${plan.nameOf(this.entry)} ${labelOf(contender)}: ${what} (took ${took} s)`,
    );
    return result;
  }

  /** Starts those that are to be measured first, together: nothing is timed meanwhile. */
  async prepare(contenders) {
    const start = performance.now();
    const firstRound = (one) => (plan.hasChoice(contenders, one) ? 0 : 1);
    const missing = contenders.filter((one) => one.peer !== 'floor' && this.#stored(one, firstRound(one)) === null);
    await Promise.allSettled(missing.map(async (one) => this.#session(one).ready));
    const took = ((performance.now() - start) / 1000).toFixed(0);
    if (missing.length > 0) console.error(`[${this.progress}] ${plan.nameOf(this.entry)}: all ready (took ${took} s)`);
  }

  /** Ends the processes of all but these. */
  async keep(contenders) {
    const kept = contenders.map(labelOf);
    for (const label of this.#sessions.keys()) if (!kept.includes(label)) await this.#stop(label);
  }

  #fileOf(entry, contender, round) {
    return join(folder, `${plan.nameOf(entry)}-${labelOf(contender)}-${round}.json`);
  }

  #stored(contender, round) {
    const file = this.#fileOf(this.entry, contender, round);
    const old = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
    return old?.times === undefined ? null : old;
  }

  #store(entry, contender, round, measured) {
    const circumstances = { time: new Date().toISOString(), cpu: cpus()[0].model.trim(), load: loadavg()[0] };
    const result = { ...entry, ...contender, round, ...circumstances, ...measured };
    writeAtomic(this.#fileOf(entry, contender, round), `${JSON.stringify(result)}\n`);
    return result;
  }

  async #measure(contender, round) {
    // Threads of the one before spin for a while.
    await pause(250);
    if (contender.peer === 'floor') return this.#measureFloor(contender, round);
    const session = this.#session(contender);
    const label = labelOf(contender);
    try {
      const result = await session.turn(plan.turnOf(round, session.ms, options.quick));
      session.ms = plan.median(result.times);
      return result;
    } catch (error) {
      await this.#stop(label);
      throw error;
    } finally {
      // The others need room; this one starts again for its next turn.
      if (freemem() < 0.4 * totalmem()) await this.#stop(label);
    }
  }

  #session(contender) {
    const label = labelOf(contender);
    if (!this.#sessions.has(label)) {
      const command = commandOf(this.entry, contender, this.python);
      this.#sessions.set(label, startSession(...command, { env, cwd: root }));
    }
    return this.#sessions.get(label);
  }

  /** One measurement of a training step also gives the floor of inference. */
  #measureFloor(contender, round) {
    const [command, args] = commandOf(this.entry, contender, this.python);
    const { status, stdout, stderr } = spawnSync(command, args, { env, cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${reasonOf(stderr)} (${status})`);
    const { train, infer } = JSON.parse(stdout);
    if (this.entry.mode === 'infer') return { times: [infer] };
    this.#store({ ...this.entry, mode: 'infer' }, contender, round, { times: [infer] });
    return { times: [train] };
  }

  async #stop(label) {
    await this.#sessions.get(label)?.stop();
    this.#sessions.delete(label);
  }
}

/** Networks for which PyTorch takes part without its compiler. */
const uncompiled = options.uncompiled.split(',').filter((name) => name !== '');

function contendersOf(entry, peers) {
  const all = plan.contendersOf(entry, peers);
  const isLeftOut = [entry.network, `${entry.network}:${entry.mode}`].some((name) => uncompiled.includes(name));
  return isLeftOut ? all.filter(({ variant }) => !variant.startsWith('compile')) : all;
}

/** Kernels of Fovea that hold an entry in which PyTorch takes less than this much longer. */
const aim = 1.1;

/** The kernels that take longest, of the entries in which Fovea is not much faster than PyTorch. */
function profilesOf(results) {
  const misses = missesOf(results, aim);
  return misses.map(({ network, mode, batch }) => {
    const { model = network } = plan.foveaModels[network] ?? {};
    const args = ['bench', model, '--batch', String(batch), ...(mode === 'infer' ? ['--inference'] : [])];
    const command = [...args, '--threads', String(threads), '--profile'];
    const main = join(root, '.setup/bench/src/cli/main.js');
    const { stdout } = spawnSync(process.execPath, [main, ...command, '--json'], { env, cwd: root, encoding: 'utf8' });
    return { network, mode, batch, command, profile: JSON.parse(stdout).profile };
  });
}

async function measureEntry(entry, peers, python, progress) {
  const contenders = contendersOf(entry, peers);
  const measurements = new Measurements(entry, python, progress);
  await measurements.prepare(contenders);
  const screened = [];
  const waiting = new Set(contenders.filter((one) => plan.hasChoice(contenders, one)));
  for (const contender of waiting) {
    screened.push(await measurements.get(contender, 0));
    waiting.delete(contender);
    await measurements.keep([...waiting, ...plan.finalistsOf(contenders, screened)]);
  }
  const results = [...screened];
  const failed = new Set();
  for (let round = 1; round <= rounds; round++) {
    for (const contender of plan.inTurn(plan.finalistsOf(contenders, screened), round)) {
      // The floor, a minimum, does with two of three rounds.
      if (failed.has(contender) || (contender.peer === 'floor' && round % 2 === 0)) continue;
      const result = await measurements.get(contender, round);
      if (result.error !== undefined) failed.add(contender);
      results.push(result);
    }
  }
  await measurements.keep([]);
  return results;
}

/** The load of the last minute, when what the set-up has done itself has gone out of it. */
async function calmLoad() {
  const end = performance.now() + (options.quick ? 0 : 150_000);
  while (loadavg()[0] > maxLoad && performance.now() < end) await pause(5000);
  return loadavg()[0];
}

async function main() {
  const isZoo = options.networks === 'zoo';
  const takePart = held?.peers ?? (isZoo ? plan.peersOfZoo : usualPeers);
  const peers = chosen('peers', held?.peers ?? Object.keys(titles), takePart);
  const modes = chosen('modes', ['train', 'infer']);
  const possible = (entry) => held === null || entry.precision === 'float32';
  const compares = (entry) => contendersOf(entry, peers).length >= Math.min(2, peers.length);
  const named = isZoo ? zoo : chosen('networks', [...networks, ...zoo]);
  const entries = plan.entriesOf(named, modes).filter(possible).filter(compares);
  const needsPython = ['torch', 'paddle', 'onnxruntime', 'onnxruntimeWeb'].some((peer) => peers.includes(peer));
  const python = needsPython ? installPython(options.python) : null;
  if (['onnxruntime', 'onnxruntimeWeb', 'tfjs', 'jaxjs'].some((peer) => peers.includes(peer))) installNode();
  build();
  const load = await calmLoad();
  if (load > maxLoad) console.error(`peers: the machine is busy (load ${load.toFixed(2)}): times will be too long`);
  if (options.fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const all = plan.entriesOf(isZoo ? zoo : networks, ['train', 'infer']);
  const complete = !options.quick && held === null && entries.length === all.length && peers.join() === takePart.join();
  const out = options.out ?? (complete ? join(root, isZoo ? 'docs/measured/zoo.md' : pageOfMachine()) : undefined);
  const start = performance.now();
  const results = [];
  let text = '';
  const args = process.argv.slice(2);
  const about = { threads, rounds, revision, quick: options.quick, peers, load, held, isZoo, uncompiled, args };
  for (const [i, entry] of entries.entries()) {
    results.push(...(await measureEntry(entry, peers, python, `${i + 1}/${entries.length}`)));
    text = report(results, about);
    writeAtomic(join(folder, 'report.md'), text);
  }
  if (isZoo) {
    text = report(results, { ...about, profiles: profilesOf(results) });
    writeAtomic(join(folder, 'report.md'), text);
  }
  const minutes = ((performance.now() - start) / 60_000).toFixed(0);
  console.log(text);
  if (out !== undefined) writeAtomic(resolve(out), text);
  console.error(`peers: took ${minutes} min; measurements and report.md are in ${folder}`);
}

main().catch(({ message }) => {
  console.error(`peers: ${message}`);
  process.exit(1); // ends the waiting workers too
});
