/**
 * The portable engine beside oneDNN on the same processors: training steps of ten images, memory, the second thread, the
 * time to the first step, and its convolution kernels. Each measurement is a process of its own; all take turns, and the
 * least counts. `--processor` measures one thread alone, by processor time, on machines that do other things too.
 *
 * usage: npm run bench -- portable [--networks=a,b] [--threads=2] [--rounds=2] [--processor] [--write]
 *        npm run bench -- portable kernels [images,in,out,size,kernel,stride,padding …]
 *
 * `--write` puts the tables into docs/measured/portable.md. With another Node: `node .setup/bench/bench/portable.js …`.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EngineName } from '../src/engine/engines.js';
import { engineInfo, setEngine, setThreads } from '../src/engine/select.js';
import { F, optimizer, seed, Tensor, vision } from '../src/index.js';
import { type BenchmarkResult, benchmark } from '../src/measure/benchmark.js';

const page = 'docs/measured/portable.md';
const batch = 10;
/** Measured steps of a process; LeNet's take two seconds. */
const steps: Readonly<Record<string, number>> = { alexnet: 6, googlenet: 3, resnet50: 3, vgg16: 3 };

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    networks: { type: 'string', default: ['lenet', ...Object.keys(steps)].join() },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '2' },
    processor: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    child: { type: 'string' },
  },
});

/** One measurement, in a process of its own. */
interface Task {
  readonly network: string;
  readonly engine: EngineName;
  readonly threads: number;
}

interface Measured extends Pick<BenchmarkResult, 'minMs' | 'compileMs' | 'firstMs' | 'peakRssMiB'> {
  readonly engine: string;
}

async function measureHere({ network, engine, threads }: Task): Promise<Measured> {
  if (options.processor) {
    performance.now = () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
  }
  setEngine(engine);
  setThreads(threads);
  const count = network === 'lenet' ? {} : { steps: steps[network] ?? 1, warmup: 2 };
  const { result } = await benchmark({ model: network, batch, ...count });
  const { minMs, compileMs, firstMs, peakRssMiB } = result;
  return { minMs, compileMs, firstMs, peakRssMiB, engine: engineInfo().description };
}

/** Milliseconds from the start of the process to the end of LeNet's first step. */
async function firstStepHere(): Promise<number> {
  setEngine('portable');
  seed(1);
  const network = new vision.models.course.LeNet({ numClasses: 10 });
  const momentum = new optimizer.Momentum({ learningRate: 0.001, parameters: network.parameters() });
  const images = Tensor.fromData(new Float32Array(batch * 28 * 28).fill(0.5), [batch, 1, 28, 28]);
  const loss = F.crossEntropy(network.forward(images), Tensor.fromData(new Int32Array(batch), [batch]));
  loss.backward();
  await momentum.step();
  await loss.item();
  if (!options.processor) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function inChild<T>(task: Task | 'first', env: Readonly<Record<string, string>> = {}): T {
  const args = [fileURLToPath(import.meta.url), `--child=${JSON.stringify(task)}`];
  if (options.processor) args.push('--processor');
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr.trim()}`);
  return JSON.parse(stdout) as T;
}

const kinds = {
  portable: { engine: 'portable', env: {} },
  oneDNN: { engine: 'onednn', env: {} },
  'oneDNN, AVX2': { engine: 'onednn', env: { ONEDNN_MAX_CPU_ISA: 'AVX2' } },
} as const;
type Kind = keyof typeof kinds;

const ms = (x: number) => (x < 10 ? x.toFixed(3) : x.toFixed(0));

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

function networksTable(networks: readonly string[], threads: number, descriptions: Map<string, string>): string {
  const rounds = Number(options.rounds);
  const rows = networks.map((network) => {
    const best = new Map<string, Measured>();
    const take = (name: string, task: Task, env: Readonly<Record<string, string>>) => {
      const found = inChild<Measured>(task, env);
      const before = best.get(name);
      best.set(name, before === undefined || found.minMs < before.minMs ? found : before);
      return found;
    };
    for (let round = 0; round < rounds; round++) {
      for (const [name, { engine, env }] of Object.entries(kinds)) {
        descriptions.set(name, take(name, { network, engine, threads }, env).engine);
      }
      if (threads > 1) take('one thread', { network, engine: 'portable', threads: 1 }, {});
    }
    const of = (name: Kind | 'one thread') => best.get(name) as Measured;
    const [own, library, avx2] = [of('portable'), of('oneDNN'), of('oneDNN, AVX2')];
    return [
      network,
      ...[own, library, avx2].map(({ minMs }) => ms(minMs)),
      ...[library, avx2].map(({ minMs }) => (own.minMs / minMs).toFixed(2)),
      threads > 1 ? (of('one thread').minMs / own.minMs).toFixed(2) : '',
      `${own.peakRssMiB.toFixed(0)} / ${library.peakRssMiB.toFixed(0)}`,
      (own.peakRssMiB / library.peakRssMiB).toFixed(2),
      ms(own.firstMs),
    ];
  });
  const header = ['network', ...Object.keys(kinds), '/ oneDNN', '/ AVX2', `${threads} threads gain`];
  return markdown([...header, 'peak memory, MiB', 'ratio', 'first step'], rows);
}

async function kernelsTable(layers: readonly string[]): Promise<string> {
  const { kernelSpeeds, usualLayers } = await import('./shared/portableKernels.js');
  const speeds = (layers.length > 0 ? layers : usualLayers).map((layer) => [layer, kernelSpeeds(layer)] as const);
  const names = [...new Set(speeds.flatMap(([, ofLayer]) => Object.keys(ofLayer)))];
  const rows = speeds.map(([layer, ofLayer]) => [layer, ...names.map((name) => ofLayer[name]?.toFixed(1) ?? '')]);
  return markdown(['images,in,out,size,kernel,stride,padding', ...names], rows);
}

async function report(): Promise<string> {
  const threads = options.processor ? 1 : Number(options.threads);
  const descriptions = new Map<string, string>();
  const networks = networksTable(options.networks.split(','), threads, descriptions);
  const starts = Array.from({ length: 5 }, () => inChild<number>('first'));
  const deep: Task = { network: 'resnet152', engine: 'portable', threads: 1 };
  const { compileMs } = inChild<Measured>(deep);
  const clock = options.processor ? 'processor time on one thread' : `time on the clock on ${threads} threads`;
  return `# The portable engine

\`npm run bench -- portable ${process.argv.slice(2).join(' ')}\` on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0].model}, Node ${process.version}.
Training steps of ten images in float32: the least milliseconds of a step, ${clock}.
Peak memory is that of the whole process.

${[...descriptions].map(([name, text]) => `- ${name}: ${text}`).join('\n')}

${networks}

From the start of Node to the end of LeNet's first step: ${ms(Math.min(...starts))} ms. Compilation of ResNet-152: ${ms(compileMs)} ms.

Kernels on one thread by processor time, GFLOP/s. Those of Winograd count the operations of the plain algorithm.

${await kernelsTable([])}
`;
}

if (options.child !== undefined) {
  const task = JSON.parse(options.child) as Task | 'first';
  console.log(JSON.stringify(task === 'first' ? await firstStepHere() : await measureHere(task)));
} else if (positionals[0] === 'kernels') console.log(await kernelsTable(positionals.slice(1)));
else {
  const text = await report();
  console.log(text);
  if (options.write) writeFileSync(page, text);
}
