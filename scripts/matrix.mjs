/**
 * Runs the tests in the configurations of other machines: instruction sets, releases of Node and oneDNN, numbers of
 * threads, few or busy processors. `npm run matrix` runs all of them; `npm run matrix -- avx2 node24` some;
 * `npm run matrix -- --list` names them; `--library=FILE` adds a library from a file. `--write` puts the table
 * into the page of this kind of machine, docs/measured/platforms-avx512.md and so on.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { oneDnnFromWheel, wheels } from './oneDnnWheels.mjs';

const work = resolve('.setup/matrix');

/** Everything that computes: what a processor or a library can change. */
const numeric = [
  'tests/engine',
  'tests/compiler',
  'tests/ops',
  'tests/optimizer',
  'tests/nn',
  'tests/tensor',
  'tests/goldens',
  'tests/model/fit.test.ts',
  'tests/train/train.test.ts',
  'tests/vision/models/course.test.ts',
];
/** Everything that computes in WebAssembly. */
const portable = [
  'tests/engine/portable',
  'tests/engine/planned',
  'tests/ops',
  'tests/compiler',
  'tests/browser/browser.test.ts',
];
/** All tests. */
const all = ['tests'];
const groupOf = (tests) => (tests === all ? 'all' : tests === portable ? 'portable' : 'numeric');

const env = (variables) => async () => ({ env: variables });

/** A library that is given by its file: `--library=PATH`, a release that no wheel has. */
const given = process.argv.find((argument) => argument.startsWith('--library='))?.slice('--library='.length);

const configurations = [
  { name: 'default', title: 'as it is, with every golden', tests: all, prepare: env({ FOVEA_TEST_ALL: '1' }) },
  { name: 'sse41', title: 'oneDNN held to SSE4.1', tests: numeric, prepare: env({ ONEDNN_MAX_CPU_ISA: 'SSE41' }) },
  { name: 'avx2', title: 'oneDNN held to AVX2', tests: numeric, prepare: env({ ONEDNN_MAX_CPU_ISA: 'AVX2' }) },
  {
    name: 'avx512',
    title: 'oneDNN held to AVX-512 without BF16',
    tests: numeric,
    prepare: env({ ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' }),
  },
  { name: 'code-off', title: 'machine code of the project off', tests: numeric, prepare: env({ FOVEA_CODE: '0' }) },
  ...[1, 2, 4].map((count) => ({
    name: `threads${count}`,
    title: `OMP_NUM_THREADS=${count}`,
    tests: numeric,
    prepare: env({ OMP_NUM_THREADS: String(count) }),
  })),
  {
    name: 'pinned',
    title: 'pinned to one processor',
    tests: all,
    prepare: async () => ({ prefix: ['taskset', '-c', '0'] }),
  },
  { name: 'busy', title: 'beside four busy processes', tests: all, prepare: async () => ({ busy: 4 }) },
  ...[20, 22, 24, 26].map((major) => ({
    name: `node${major}`,
    title: `Node ${major}`,
    tests: all,
    prepare: async () => ({ node: nodeOf(major) }),
  })),
  ...[22, 24, 26].map((major) => ({
    name: `portable${major}`,
    title: `portable engine, Node ${major}`,
    tests: portable,
    prepare: async () => ({ node: nodeOf(major) }),
  })),
  {
    name: 'portable-gib',
    title: 'portable engine, Node 24, 1 GiB of WebAssembly',
    tests: portable,
    prepare: async () => ({ node: nodeOf(24), flags: ['--wasm-max-mem-pages=16384'] }),
  },
  {
    name: 'portable-fma',
    title: 'portable engine, Node 24, a processor without fused multiply-add',
    tests: portable,
    prepare: async () => ({ node: nodeOf(24), flags: ['--no-enable-fma3'] }),
  },
  ...Object.keys(wheels).map((release) => ({
    name: `onednn${release.replaceAll('.', '')}`,
    title: `oneDNN ${release} from PyPI`,
    tests: numeric,
    prepare: async () => ({ env: { FOVEA_ONEDNN: oneDnnFromWheel(release, work) } }),
  })),
  ...(given === undefined
    ? []
    : [
        {
          name: 'library',
          title: `oneDNN ${releaseOf(given)} from a file`,
          tests: numeric,
          prepare: env({ FOVEA_ONEDNN: given }),
        },
      ]),
];

function must(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (result.status === 0) return result.stdout;
  throw new Error(`${[command, ...args].join(' ')}: ${result.error?.message ?? result.stderr.trim().slice(-2000)}`);
}

/** Newest release of a major version, from the npm package `node`. */
function nodeOf(major) {
  const folder = join(work, `node${major}`);
  const binary = join(folder, 'node_modules/node/bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    must('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', `node@${major}`]);
  }
  return binary;
}

/** The release of a library, as the engine reports it. */
function releaseOf(library) {
  const found = must(process.execPath, ['dist/cli/main.js', 'doctor'], {
    env: { ...process.env, FOVEA_ONEDNN: library },
  });
  return /oneDNN (\d+\.\d+\.\d+)/.exec(found)?.[1] ?? 'of an unknown release';
}

const children = new Set();

function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

async function test({ name, tests, prepare }) {
  const { env: variables = {}, node = process.execPath, flags = [], prefix = [], busy = 0 } = await prepare();
  const others = Array.from({ length: busy }, () => start(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  const report = join(work, `${name}.json`);
  rmSync(report, { force: true });
  const [command, ...args] = [
    ...prefix,
    node,
    ...flags,
    ...['node_modules/vitest/vitest.mjs', 'run', ...tests],
    ...['--reporter=json', `--outputFile.json=${report}`],
  ];
  const begin = Date.now();
  try {
    // The tests start processes by the name of this one, so that a release of Node is tested as a whole.
    const child = start(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...variables },
    });
    await new Promise((done) => child.on('close', done));
  } finally {
    for (const other of others) other.kill('SIGKILL');
  }
  const minutes = (Date.now() - begin) / 60_000;
  if (!existsSync(report)) return { passed: 0, failed: ['no report was written'], skipped: 0, minutes };
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const assertions = testResults.flatMap((file) => file.assertionResults);
  const failed = assertions.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  const unloaded = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const skipped = assertions.length - numPassedTests - failed.length;
  return { passed: numPassedTests, failed: [...failed, ...unloaded.map((file) => file.name)], skipped, minutes };
}

const processor = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
const flag = (name) => (new RegExp(`^flags.*\\b${name}\\b`, 'm').test(processor) ? 'yes' : 'no');

/** Each kind of processor has a page of its own. */
const kind = [
  ['amx_tile', 'amx'],
  ['avx512f', 'avx512'],
  ['avx2', 'avx2'],
].find(([name]) => flag(name) === 'yes');
const page = `docs/measured/platforms-${kind?.[1] ?? 'other'}.md`;

/** Rows of the page for configurations that were not run now, if they were run on such a machine. */
function earlierRows(machine) {
  if (!existsSync(page)) return new Map();
  const text = readFileSync(page, 'utf8');
  if (!text.includes(machine)) return new Map();
  const rows = text.split('\n').filter((line) => /^\| (?!configuration|-)/.test(line));
  return new Map(
    rows
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      )
      .map((row) => [row[0], row]),
  );
}

function pageOf(rows) {
  const version = must(process.execPath, ['dist/cli/main.js', 'doctor']).split('\n');
  const engine = version.find((line) => /oneDNN \d/.test(line))?.trim() ?? 'no oneDNN';
  const today = new Date().toISOString().slice(0, 10);
  const machine = `- processor: ${cpus()[0].model}, ${cpus().length} visible; AVX-512 ${flag('avx512f')}, BF16 ${flag('avx512_bf16')}, AMX ${flag('amx_tile')}`;
  const earlier = earlierRows(machine);
  const results = new Map(rows.map(({ title, result }) => [title, result]));
  const cells = configurations.flatMap(({ title, tests }) => {
    const result = results.get(title);
    if (result === undefined) return earlier.has(title) ? [earlier.get(title)] : [];
    const { passed, failed, skipped, minutes } = result;
    const counts = [passed, failed.length, skipped].map(String);
    return [[title, groupOf(tests), ...counts, minutes.toFixed(1), today]];
  });
  const titles = new Set(configurations.map(({ title }) => title));
  cells.push(...[...earlier.values()].filter(([title]) => title.endsWith('from a file') && !titles.has(title)));
  const header = ['configuration', 'tests', 'passed', 'failed', 'skipped', 'minutes', 'date'];
  const widths = header.map((cell, i) => Math.max(cell.length, ...cells.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const table = [line(header), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
  return `# Platforms

\`npm run matrix -- --write\` runs the tests in the configurations below and writes this page. \`numeric\` are the tests of
engines, compiler, ops, optimizers, networks and goldens, \`portable\` those of the portable engine, compiler, ops and browsers.
\`npm run matrix -- --list\` names all configurations; one that is not in the table was not run. Rows of earlier runs on such a machine stay. A skipped test needs something that the configuration lacks; \`npm test\`
names each.

${machine}
- system: ${/PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform}
- library: ${engine.replace(/^.*?(?=oneDNN)/, '')}

${table}
`;
}

const names = process.argv.slice(2);
if (names.includes('--list')) {
  for (const { name, title } of configurations) console.log(`${name.padEnd(14)}${title}`);
  process.exit(0);
}
const wanted = names.filter((name) => !name.startsWith('--'));
const unknown = wanted.find((name) => !configurations.some((configuration) => configuration.name === name));
if (unknown !== undefined) {
  console.error(`no configuration '${unknown}': see npm run matrix -- --list`);
  process.exit(2);
}
process.on('SIGINT', () => {
  for (const child of children) child.kill('SIGKILL');
  process.exit(130);
});
mkdirSync(work, { recursive: true });
const rows = [];
for (const configuration of configurations) {
  if (wanted.length > 0 && !wanted.includes(configuration.name)) continue;
  const result = await test(configuration);
  rows.push({ ...configuration, result });
  const { passed, failed, skipped, minutes } = result;
  console.log(
    `${failed.length === 0 ? 'ok    ' : 'FAILED'}  ${configuration.title}: ${passed} passed, ${failed.length} failed, ` +
      `${skipped} skipped  (${minutes.toFixed(1)} min)`,
  );
  for (const name of failed) console.log(`        ${name}`);
  // A run of all configurations takes an hour; an end before that keeps the rows so far.
  if (names.includes('--write')) {
    writeFileSync(`${page}.new`, pageOf(rows));
    renameSync(`${page}.new`, page);
  }
}
process.exitCode = rows.every(({ result }) => result.failed.length === 0) ? 0 : 1;
