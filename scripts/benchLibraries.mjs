/**
 * Measures the training steps of the course's networks on several releases of oneDNN, on the library in use held to the
 * instructions of other processors, and on the portable engine. All take turns. The first row is the one that the others are
 * compared with; the second has no Winograd kernels.
 * A measurement is the least processor time of a step on one thread, which other processes hardly change.
 *
 * usage: npm run bench:libraries -- [--networks=a,b] [--rounds=2] [--library=NAME=FILE …] [--rows=text,text] [--fresh] [--write]
 *
 * By default the releases are that in use, and 2.6.0, 3.1.0 and 3.2.0 from PyPI; `--library` adds others. `--rows` measures only
 * the rows that have one of the texts in their names. Measurements are stored; a later call adds networks, rows and rounds
 * unless it says `--fresh`. `--write` puts the table into docs/measured/libraries.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneDnnFromWheel, wheels } from './oneDnnWheels.mjs';

const page = 'docs/measured/libraries.md';
const work = resolve('.setup/matrix');
const store = join(work, 'libraries.json');
const batch = 10;

/** The networks, with the number of measured steps. */
const steps = { lenet: 4000, alexnet: 3, googlenet: 2, resnet50: 2, vgg16: 2 };

const { values: options } = parseArgs({
  options: {
    networks: { type: 'string', default: Object.keys(steps).join() },
    rounds: { type: 'string', default: '2' },
    library: { type: 'string', multiple: true, default: [] },
    rows: { type: 'string', default: '' },
    fresh: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    measure: { type: 'string' },
    direct: { type: 'boolean', default: false },
    engine: { type: 'string' },
  },
});

function processorTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Measures a network in this process, on the library that the environment names. */
async function measure(network) {
  const { engineInfo, F, optimizer, seed, setConvolution, setEngine, setThreads, Tensor, vision } = await import(
    '../dist/index.js'
  );
  if (options.engine !== undefined) setEngine(options.engine);
  const { AlexNet, GoogLeNet, LeNet, ResNet, VGG16 } = vision.models.course;
  const makers = {
    lenet: () => new LeNet({ numClasses: 10 }),
    alexnet: () => new AlexNet({ numClasses: 10 }),
    googlenet: () => new GoogLeNet({ numClasses: 10 }),
    resnet50: () => new ResNet({ numClasses: 10, layers: 50 }),
    vgg16: () => new VGG16({ numClasses: 10 }),
  };
  setThreads(1);
  if (options.direct) setConvolution('direct');
  seed(1);
  const net = makers[network]();
  const momentum = new optimizer.Momentum({ learningRate: 0.001, parameters: net.parameters() });
  const shape = network === 'lenet' ? [batch, 1, 28, 28] : [batch, 3, 224, 224];
  const size = shape.reduce((product, n) => product * n, 1);
  const images = Tensor.fromData(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
    shape,
  );
  const labels = Tensor.fromData(
    Int32Array.from({ length: batch }, (_, i) => i),
    [batch],
  );
  // A step of LeNet is shorter than the unit of processor time, and than the time that the system gives a process at once.
  const clock = network === 'lenet' ? () => performance.now() : processorTime;
  const step = async () => {
    const begin = clock();
    F.crossEntropy(net.forward(images), labels).backward();
    await momentum.step();
    momentum.clearGrad();
    return clock() - begin;
  };
  await step();
  await step();
  const times = [];
  for (let i = 0; i < steps[network]; i++) times.push(await step());
  const ms = Math.min(...times);
  console.log(JSON.stringify({ engine: engineInfo().description, ms }));
}

if (options.measure !== undefined) {
  await measure(options.measure);
  process.exit(0);
}

const networks = options.networks.split(',');
const unknown = networks.find((network) => !Object.hasOwn(steps, network));
const rounds = Number(options.rounds);
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 0) {
  console.error(`expected networks of ${Object.keys(steps).join(', ')} and a number of rounds`);
  process.exit(2);
}

mkdirSync(work, { recursive: true });
/** Processors with fewer instructions, and machines without the library. */
const poorer = [
  { name: 'in use, held to AVX2', env: { ONEDNN_MAX_CPU_ISA: 'AVX2' }, flags: [] },
  { name: 'in use, held to SSE4.1', env: { ONEDNN_MAX_CPU_ISA: 'SSE41' }, flags: [] },
  { name: 'portable engine', env: {}, flags: ['--engine=portable'] },
];
const libraries = [
  { name: 'in use', env: {}, flags: [] },
  { name: 'in use, direct kernels', env: {}, flags: ['--direct'] },
  ...Object.keys(wheels).map((release) => ({
    name: `${release} from PyPI`,
    env: { FOVEA_ONEDNN: oneDnnFromWheel(release, work) },
    flags: [],
  })),
  ...options.library.map((entry) => {
    const [name, file] = entry.split('=');
    return { name, env: { FOVEA_ONEDNN: resolve(file) }, flags: [] };
  }),
  ...poorer,
];
const isWanted = ({ name }) => options.rows.split(',').some((text) => name.includes(text));

function measured(network, { env, flags }) {
  const args = [fileURLToPath(import.meta.url), `--measure=${network}`, ...flags];
  const result = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', ...env },
  });
  if (result.status !== 0) throw new Error(`${args.join(' ')}: ${result.stderr.trim()}`);
  return JSON.parse(result.stdout);
}

/** All measurements: network, name of the library, values. */
const stored = () => (existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {});

function add(network, name, value) {
  const all = stored();
  all[network] ??= {};
  all[network][name] ??= [];
  all[network][name].push(value);
  writeFileSync(`${store}.new`, JSON.stringify(all));
  renameSync(`${store}.new`, store);
}

if (options.fresh) writeFileSync(store, '{}');
for (let round = 0; round < rounds; round++) {
  for (const network of networks) {
    // Every second round goes the other way.
    for (const library of (round % 2 === 0 ? libraries : libraries.toReversed()).filter(isWanted)) {
      const value = measured(network, library);
      add(network, library.name, value);
      console.log(`${network} ${library.name}: ${value.ms.toFixed(3)} ms`);
    }
  }
}

const all = stored();
const has = (network, { name }) => all[network]?.[name] !== undefined;
const columns = Object.keys(steps).filter((network) => libraries.slice(0, 2).every((library) => has(network, library)));
const measuredRows = libraries.filter((library) => columns.some((network) => has(network, library)));
const leastOf = (network, name) => Math.min(...all[network][name].map(({ ms }) => ms));
const shown = (ms) => (ms < 10 ? ms.toFixed(3) : ms.toFixed(0));

/** One row a library; each network has its time, and in brackets its ratio to the first row. */
function table() {
  const cell = (library) => (network) => {
    if (!has(network, library)) return '–';
    const { name } = library;
    const ms = leastOf(network, name);
    return `${shown(ms)} (${(ms / leastOf(network, libraries[0].name)).toFixed(2)})`;
  };
  const line = (row) => `| ${row.join(' | ')} |`;
  const rows = measuredRows.map((library) => [library.name, ...columns.map(cell(library))]);
  return [line(['library', ...columns]), line(['---', ...columns.map(() => '--:')]), ...rows.map(line)].join('\n');
}

const system = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
const engineOf = (library) => {
  const network = columns.find((column) => has(column, library));
  return all[network][library.name][0].engine;
};
const text = `# Libraries and instruction sets

\`npm run bench:libraries -- --write\` on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0].model}, ${system}, Node ${process.version}.
Milliseconds of processor time of a training step of ten images in float32 on one thread: the least of all steps, in rounds in which all
rows took turns. Rows that are held to an instruction set have, in library and machine code of Fovea's own, the kernels of a processor
without newer instructions. LeNet's steps are so short that their time on the clock is taken.

${measuredRows.map((library) => `- ${library.name}: ${engineOf(library)}`).join('\n')}

In brackets: as a multiple of the first row.

${table()}
`;
console.log(text);
if (options.write) {
  writeFileSync(`${page}.new`, text);
  renameSync(`${page}.new`, page);
}
