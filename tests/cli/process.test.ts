import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { buildProgram } from '../compiled.js';
import { itWith } from '../needs.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder, writeInto } from '../temporary.js';

const root = temporaryFolder();
let script = '';
let dataDir = '';

beforeAll(async () => {
  script = buildProgram(join(root));
  dataDir = await smallMnist(root, { train: 100, test: 50 });
});

const path = (name: string) => join(root, name);

interface Running {
  readonly child: ChildProcess;
  readonly output: { out: string; err: string };
  /** Exit code, or the signal that ended the process. */
  readonly ended: Promise<number | string>;
  /** Waits until stdout holds a text. */
  says(text: string): Promise<void>;
}

function start(command: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(command, args, {
    env: { ...process.env, OMP_NUM_THREADS: '1', FOVEA_DEBUG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.err += text;
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => output.out.includes(text) && resolve();
      child.stdout.on('data', look);
      child.on('close', () => reject(new Error(`ended without '${text}': ${output.out}${output.err}`)));
      look();
    });
  return { child, output, ended, says };
}

const fovea = (args: readonly string[], env?: Record<string, string>) =>
  start(process.execPath, [script, ...args], env);
const trainArgs = (out: string, ...args: string[]) => [
  'train',
  'lenet',
  '--data-dir',
  dataDir,
  '--out',
  path(out),
  ...args,
];

describe('Ctrl-C', () => {
  it.each([
    ['SIGINT', 130, 'Ctrl-C'],
    ['SIGHUP', 129, 'SIGHUP'],
  ] as const)('%s in the middle of a training saves the state and ends with %i', async (signal, code, name) => {
    const { child, output, ended, says } = fovea(trainArgs(signal, '--epochs', '100000', '--json', '--log-every', '1'));
    await says('"event":"epoch"');
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(output.err).toBe(`fovea: ${name}: saving the state; once more ends at once\n`);
    const end = JSON.parse(output.out.trimEnd().split('\n').at(-1) as string);
    expect(end).toMatchObject({ event: 'end', completed: false });
    expect(readdirSync(path(signal)).filter((file) => !/^[a-z]+\.(json|jsonl|html|safetensors)$/.test(file))).toEqual(
      [],
    );
    const { training } = JSON.parse(readFileSync(path(`${signal}/state.json`), 'utf8'));
    expect(training.steps).toBe((training.epoch - 1) * 10 + training.batch);
    expect(end).toMatchObject({ epoch: training.epoch, batch: training.batch, steps: training.steps });
    const evaluated = fovea(['eval', path(signal), '--data-dir', dataDir, '--json']);
    expect(await evaluated.ended).toBe(0);
    expect(JSON.parse(evaluated.output.out)).toMatchObject({ images: 50, epochs: training.epoch - 1 });
  });
});

describe('a full disk', () => {
  it('ends the training with 1 and says which file', async () => {
    // The limit on file sizes stands for the full disk; it is enough for the configuration and not for the weights.
    const command = `ulimit -f 64 && exec '${process.execPath}' "$@"`;
    const { output, ended } = start('bash', ['-c', command, 'bash', script, ...trainArgs('full', '--epochs', '2')]);
    expect(await ended).toBe(1);
    const lines = output.err.trimEnd().split('\n');
    expect(lines.at(-1)).toBe(
      `fovea: [file] ${path('full/weights.safetensors.new')}: expected to write it, got EFBIG: file too large; ` +
        'raise the limit on file sizes (ulimit -f); nothing had been saved, so there is no run folder',
    );
    expect(existsSync(path('full'))).toBe(false);
  });
});

/** A machine without oneDNN. */
const withoutLibrary = {
  FOVEA_ONEDNN: '',
  NODE_OPTIONS: `--import ${resolve('tests/systems/withoutLibrary.mjs')}`,
};

describe('without oneDNN', () => {
  it('the portable engine takes over, and says so once', async () => {
    const { output, ended } = fovea(trainArgs('portable', '--epochs', '2', '--batch-size', '50'), withoutLibrary);
    expect(await ended).toBe(0);
    expect(output.err.match(/portable engine/g)).toHaveLength(1);
    expect(output.err).toContain('install it with: npx fovea setup');
    expect(output.out).toMatch(/engine {6}WebAssembly, .*, one thread/);
    const { engine } = JSON.parse(readFileSync(path('portable/config.json'), 'utf8'));
    expect(engine).toEqual({
      name: 'portable',
      description: expect.stringContaining('WebAssembly') as string,
      threads: expect.any(Number) as number,
      precision: 'float32',
      convolution: 'auto',
    });
  });

  it('the portable engine computes on the threads asked for, and the process ends by itself', async () => {
    const threads = ['--engine', 'portable', '--threads', '2'];
    const { output, ended } = fovea(trainArgs('threads', ...threads, '--epochs', '2', '--batch-size', '50'));
    expect(await ended).toBe(0);
    expect(output.err).not.toContain('[portable]');
    const { engine } = JSON.parse(readFileSync(path('threads/config.json'), 'utf8'));
    expect(engine).toMatchObject({ name: 'portable', threads: 2 });
  });

  it('and without vectors in WebAssembly the reference engine takes over, and says why', async () => {
    const { NODE_OPTIONS } = withoutLibrary;
    // Code with vectors is refused, as by a processor that has none.
    const plain = `${NODE_OPTIONS} --import data:text/javascript,WebAssembly.validate=()=>false`;
    const env = { ...withoutLibrary, NODE_OPTIONS: plain };
    const runs = [
      fovea(trainArgs('plain', '--epochs', '1', '--batch-size', '50'), env),
      fovea(trainArgs('refused', '--engine', 'portable'), env),
      // A hardened system without WebAssembly.
      fovea(['doctor'], { ...withoutLibrary, NODE_OPTIONS: `${NODE_OPTIONS} --jitless` }),
    ];
    expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 2, 1]);
    const [trained, refused, doctor] = runs.map(({ output }) => output);
    expect(trained.err).toMatch(/\[portable\] expected WebAssembly with vectors of 128 bits, got none: update .*\n/);
    expect(trained.err).toMatch(/computing with the reference engine, which is right but slow/);
    expect(JSON.parse(readFileSync(path('plain/config.json'), 'utf8')).engine.name).toBe('reference');
    expect(refused.err).toMatch(/^fovea: \[portable\] expected WebAssembly with vectors of 128 bits, got none: .*\n$/);
    expect(readdirSync(root)).not.toContain('refused');
    expect(doctor.out).toMatch(/✗ Engine .*; the reference engine is used instead/);
  });

  it('to ask for it is a wrong call', async () => {
    const { output, ended } = fovea(trainArgs('none', '--engine', 'onednn'), withoutLibrary);
    expect(await ended).toBe(2);
    expect(output.out).toBe('');
    expect(output.err).toMatch(
      /^fovea: \[onednn\] library: expected oneDNN 2\.x .*, got none; install it with: npx fovea setup\n$/,
    );
    expect(readdirSync(root)).not.toContain('none');
  });

  it('the doctor names the command', async () => {
    const { output, ended } = fovea(['doctor'], withoutLibrary);
    expect(await ended).toBe(1);
    expect(output.out).toMatch(
      /✗ Engine +library: expected oneDNN .*; the portable engine is used instead, in WebAssembly\n/,
    );
    expect(output.out).toContain('fix it with: npx fovea setup');
    expect(output.err).toBe('');
  });

  // Elsewhere there may be no build, which is no failure.
  it.runIf(process.platform === 'linux' && process.arch === 'x64').each([
    [[], /\nsetup: pip: python3 is not installed\n/],
    [['--offline'], /^$/],
    [['--quiet', '--json'], /^$/],
  ])('setup %j says in two lines what failed and what would help', async (options, out) => {
    const nothing = { ...withoutLibrary, PATH: path('absent'), FOVEA_CACHE: path('setup') };
    const { output, ended } = fovea(['setup', ...options], nothing);
    expect(await ended).toBe(2);
    expect(output.out).toMatch(out);
    const lines = output.err
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('fovea: setup: '));
    expect(lines).toEqual([
      expect.stringMatching(/^fovea: \[setup\] library: expected oneDNN 2\.x .*, got none: /),
      expect.stringMatching(
        /^fovea: until then computation is slower; this command would help: node \S+ setup, with a /,
      ),
    ]);
    expect(existsSync(path('setup')) ? readdirSync(path('setup/onednn')) : []).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('an interrupted setup', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends with the programs that it called, and leaves nothing behind (%s)', async (signal, code) => {
    const bin = path(`bin-${signal}`);
    const cache = path(`cache-${signal}`);
    const program = writeInto(
      bin,
      'python3',
      `#!/bin/sh\necho $$ > '${bin}/pid'\necho half > "$TMPDIR/part"\nexec /bin/sleep 1000\n`,
    );
    chmodSync(program, 0o755);
    const env = { ...withoutLibrary, PATH: bin, FOVEA_CACHE: cache };
    const { child, output, ended } = fovea(['setup'], env);
    const pid = join(bin, 'pid');
    // The shell makes the file before it writes the number.
    await vi.waitFor(() => expect(existsSync(pid) && readFileSync(pid, 'utf8')).toMatch(/\d\n/), { timeout: 100_000 });
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(output.err).toMatch(
      /^fovea: (Ctrl-C|SIGTERM): removing everything that is not complete; once more ends at once\n$/,
    );
    expect(readdirSync(join(cache, 'onednn'))).toEqual([]);
    const called = readFileSync(pid, 'utf8').trim();
    expect(existsSync(`/proc/${called}`)).toBe(false);
  });
});

describe('FOVEA_ONEDNN', () => {
  it.each([['train', 'lenet'], ['doctor'], ['setup']])('without a library is refused by %s', async (...args) => {
    const { output, ended } = fovea(args, { FOVEA_ONEDNN: '/nonexistent/libdnnl.so.2' });
    expect(await ended).toBe(2);
    expect(output.err).toMatch(
      /^fovea: \[onednn\] FOVEA_ONEDNN: expected a file with oneDNN .*, got \/nonexistent\/libdnnl\.so\.2: .*\(ENOENT\); name another file, or unset the variable\n$/,
    );
  });
});

itWith('linux', 'the doctor and the record of a run name the library', async () => {
  const doctor = fovea(['doctor', '--json']);
  await doctor.ended;
  const { findings } = JSON.parse(doctor.output.out);
  const { found } = findings.find(({ name }: { name: string }) => name === 'Library') ?? {};
  const [, version, file, origin] = /^oneDNN (\S+), .*\/(\S+) \((.*)\)$/.exec(found ?? '') ?? [];
  const { ended } = fovea(trainArgs('library', '--epochs', '1', '--batch-size', '50'));
  expect(await ended).toBe(0);
  const { engine } = JSON.parse(readFileSync(path('library/config.json'), 'utf8'));
  expect(engine.library).toEqual(found === undefined ? undefined : { file, version, origin });
});

it('the stack is shown for debugging', async () => {
  const { output, ended } = fovea(['train', 'nothing'], { FOVEA_DEBUG: '1' });
  expect(await ended).toBe(2);
  expect(output.err).toMatch(/^fovea: \[model\] model 'nothing': .*\n(InputError: .*\n)( +at .*\n)+$/);
});

it('a wrong setting of the environment is named', async () => {
  const { output, ended } = fovea(['bench', 'lenet', '--batch', '1', '--steps', '1'], { FOVEA_DEBUG: 'much' });
  expect(await ended).toBe(2);
  expect(output.err).toBe("fovea: [env] FOVEA_DEBUG: expected an integer from 0 to 5, got 'much'\n");
});

it.each(['much', '0', '-1', '1.5'])('OMP_NUM_THREADS=%s is refused', async (text) => {
  const { output, ended } = fovea(['bench', 'lenet', '--batch', '1', '--steps', '1'], { OMP_NUM_THREADS: text });
  expect(await ended).toBe(2);
  expect(output.out).toBe('');
  expect(output.err).toBe(
    `fovea: [env] OMP_NUM_THREADS: expected an integer from 1 to 1024, got '${text}'; give it one, or unset it to use all processors\n`,
  );
});

describe('output without a reader', () => {
  const shell = (command: string, ...args: string[]) =>
    start('bash', ['-c', `'${process.execPath}' '${script}' "$@" ${command}`, 'bash', ...args]);
  const saved = (name: string) => JSON.parse(readFileSync(path(`${name}/state.json`), 'utf8'));

  it('is no reason to end a training', async () => {
    const { output, ended } = shell('2>&1 | head -n 1; exit $PIPESTATUS', ...trainArgs('piped', '--epochs', '9'));
    expect(await ended).toBe(0);
    expect(output).toEqual({ out: 'LeNet on MNIST\n', err: '' });
    expect(saved('piped')).toMatchObject({ finished: true });
    expect(readdirSync(path('piped'))).toContain('report.html');
    expect(readdirSync(path('piped'))).not.toContain('.lock');
  });

  itWith('linux', 'is told where the disk is full, and fails only what it was asked for', async () => {
    const message =
      'fovea: [output] standard output: expected to write it, got ENOSPC: no space left on device; nothing more is printed\n';
    const training = shell('>/dev/full', ...trainArgs('unprinted', '--epochs', '1', '--json'));
    expect(await training.ended).toBe(0);
    expect(training.output.err).toBe(message);
    expect(saved('unprinted')).toMatchObject({ finished: true });
    const asked = shell('>/dev/full', '--help');
    expect([await asked.ended, asked.output.err]).toEqual([1, message]);
  });
});

it('a process that ends at the second signal leaves no lock', async () => {
  const { child, ended, says } = fovea(trainArgs('twice', '--epochs', '100000', '--json', '--log-every', '1'));
  await says('"event":"epoch"');
  child.stderr?.once('data', () => child.kill('SIGTERM'));
  child.kill('SIGTERM');
  expect(await ended).toBe(143);
  expect(readdirSync(path('twice'))).not.toContain('.lock');
});

it('a reader may stop reading', async () => {
  const { output, ended } = start('bash', [
    '-c',
    `'${process.execPath}' '${script}' --help | head -n 1; exit "\${PIPESTATUS[0]}"`,
  ]);
  expect(await ended).toBe(0);
  expect(output).toEqual({ out: 'Usage: fovea [options] [command]\n', err: '' });
});
