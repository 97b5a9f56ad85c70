/**
 * Measures the training steps of the course's networks on several releases of oneDNN in one run. In every round all
 * libraries take turns, so that drift of the machine affects all alike. The first library is the one that the others are
 * compared with; its own second row has no Winograd kernels, which 3.2 and later do not have either.
 *
 * usage: npm run bench:libraries -- [--networks=a,b] [--rounds=3] [--library=NAME=FILE …] [--write] [--quick]
 *
 * By default these are the system's library, and 2.6.0, 3.1.0 and 3.2.0 from PyPI; `--library` adds others. With `--write`
 * the table goes to docs/measured/libraries.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { oneDnnFromWheel, wheels } from './oneDnnWheels.mjs';

const page = 'docs/measured/libraries.md';
const work = resolve('.setup/matrix');

/** Warm-up and measured steps of each network: about half a second and two seconds. */
const steps = { lenet: [1000, 4000], alexnet: [3, 10], googlenet: [1, 4], resnet50: [1, 4], vgg16: [1, 3] };

const { values: options } = parseArgs({
  options: {
    networks: { type: 'string', default: Object.keys(steps).join() },
    rounds: { type: 'string', default: '3' },
    library: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});

const networks = options.networks.split(',');
const unknown = networks.find((network) => !Object.hasOwn(steps, network));
const rounds = Number(options.rounds);
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`expected networks of ${Object.keys(steps).join(', ')} and a positive number of rounds`);
  process.exit(2);
}

mkdirSync(work, { recursive: true });
const libraries = [
  { name: 'system', env: {}, flags: [] },
  { name: 'system, direct kernels', env: {}, flags: ['--conv', 'direct'] },
  ...Object.keys(wheels).map((release) => ({
    name: `${release} from PyPI`,
    env: { FOVEA_ONEDNN: oneDnnFromWheel(release, work) },
    flags: [],
  })),
  ...options.library.map((entry) => {
    const [name, file] = entry.split('=');
    return { name, env: { FOVEA_ONEDNN: resolve(file) }, flags: [] };
  }),
];

function fovea(args, env) {
  const result = spawnSync(process.execPath, ['dist/cli/main.js', ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (result.status !== 0) throw new Error(`fovea ${args.join(' ')}: ${result.stderr.trim()}`);
  return result.stdout;
}

/** Milliseconds of one training step. */
function step(network, { env, flags }) {
  const [warmup, count] = options.quick ? [1, 2] : steps[network];
  const counts = ['--warmup', String(warmup), '--steps', String(count)];
  const out = fovea(['bench', network, '--batch', '10', '--json', ...counts, ...flags], env);
  const { medianMs, compileMs } = JSON.parse(out);
  return { medianMs, compileMs };
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

for (const library of libraries) {
  const found = fovea(['doctor'], library.env);
  library.engine = /oneDNN \d+\.\d+\.\d+[^\n;]*/.exec(found)?.[0] ?? 'no oneDNN';
  if (library.name.startsWith('system'))
    library.name = library.name.replace('system', `${/\d+\.\d+\.\d+/.exec(library.engine)?.[0]} of the system`);
}

const times = new Map(libraries.map(({ name }) => [name, new Map(networks.map((network) => [network, []]))]));
const begin = new Date();
for (const network of networks) {
  for (let round = 0; round < rounds; round++) {
    // Every second round goes the other way.
    const order = round % 2 === 0 ? libraries : [...libraries].reverse();
    for (const library of order) {
      const measured = step(network, library);
      times.get(library.name).get(network).push(measured);
      console.log(`${network} round ${round + 1} ${library.name}: ${measured.medianMs.toFixed(3)} ms`);
    }
  }
}

const stepOf = (name, network) =>
  median(
    times
      .get(name)
      .get(network)
      .map(({ medianMs }) => medianMs),
  );
const shown = (ms) => (ms < 10 ? ms.toFixed(3) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0));

/** One row a library; each network has its time, and its ratio to the row of that number. */
function table(base) {
  const header = ['library', ...networks];
  const rows = libraries.map(({ name }) => [
    name,
    ...networks.map((network) => {
      const ms = stepOf(name, network);
      return `${shown(ms)} (${(ms / stepOf(libraries[base].name, network)).toFixed(2)})`;
    }),
  ]);
  const line = (row) => `| ${row.join(' | ')} |`;
  return [line(header), line(['---', ...networks.map(() => '--:')]), ...rows.map(line)].join('\n');
}

const system = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
const text = `# Releases of oneDNN

\`npm run bench:libraries -- --write\` on ${begin.toISOString().slice(0, 10)}: ${cpus()[0].model}, ${cpus().length} processors, ${system},
Node ${process.version}. Median milliseconds of a training step of ten images in float32, over ${rounds} rounds in which all libraries took turns.

${libraries.map(({ name, engine, flags }) => `- ${name}: ${engine}${flags.length > 0 ? `, \`${flags.join(' ')}\`` : ''}`).join('\n')}

In brackets: as a multiple of the first row.

${table(0)}

In brackets: as a multiple of the second row, without Winograd's kernels.

${table(1)}
`;
console.log(text);
if (options.write) {
  writeFileSync(`${page}.new`, text);
  renameSync(`${page}.new`, page);
}
