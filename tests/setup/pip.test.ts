import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { byAptAlone } from '../../src/setup/byApt.js';
import { byPip } from '../../src/setup/byPip.js';
import { tinyLibrary } from '../engine/elf.js';
import { empty, machinePerTest, needing, oneDnn, usable } from './machine.js';

const machine = machinePerTest();

/** A process by its number. */
function stateOf(pid: string): 'running' | 'ended' {
  try {
    const [, state] = /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state === 'Z' || state === 'X' ? 'ended' : 'running';
  } catch {
    return 'ended';
  }
}

describe.runIf(process.arch === 'x64')('pip', () => {
  it('gets the library into the cache', async () => {
    const library = await machine().install([byPip(machine().addPip(usable))]);
    const path = join(machine().root, `cache/onednn/pip-1-${process.arch}/libdnnl.so.2.6`);
    expect(library).toMatchObject({ path, origin: 'cache by pip', version: [2, 6, 1], problem: null });
    expect(machine().cached()).toEqual([
      'onednn',
      `onednn/pip-1-${process.arch}`,
      `onednn/pip-1-${process.arch}/libdnnl.so.2.6`,
    ]);
    expect(machine().said).toEqual(['tiny 1 by pip …']);
    expect(machine().calls()).toEqual([
      expect.stringMatching(/^python3 -m pip download --no-deps --only-binary=:all: --no-input .* tiny==1$/),
    ]);
  });

  it.each([
    ['is not installed', null, 'python3 is not installed'],
    ['has no pip', 'echo "/usr/bin/python3: No module named pip" >&2; exit 1', 'python3 has no pip'],
    [
      'has no network',
      'echo "WARNING: Retrying" >&2; echo "ERROR: No matching distribution found for tiny==1" >&2; exit 1',
      'ERROR: No matching distribution found for tiny==1',
    ],
    ['fails without a word', 'exit 1', 'it failed without a reason'],
    ['gets nothing', 'exit 0', 'it got no wheel'],
    ['asks', 'read answer || { echo "ERROR: no answer"; exit 1; }', 'ERROR: no answer'],
    ['asks the terminal', 'read answer < /dev/tty || { echo "ERROR: no terminal"; exit 1; }', 'ERROR: no terminal'],
    [
      'throws',
      'echo "ERROR: Exception:"; echo "Traceback (most recent call last):"; echo "OSError: broken"; exit 1',
      'OSError: broken',
    ],
    [
      'fills the disk',
      'echo "ERROR: Could not install: [Errno 28] No space left on device"; exit 1',
      'no space left on device; FOVEA_CACHE names another folder',
    ],
    ['is ended', 'kill -9 $$', 'it failed without a reason'],
  ])('that %s is passed over', async (_, script, reason) => {
    if (script !== null) machine().addProgram('python3', script);
    const { message } = await machine().failure([byPip()]);
    expect(message).toMatch(/^\[setup\] library: expected oneDNN 2\.x .*, got none: pip: /);
    expect(message.endsWith(`: pip: ${reason}`)).toBe(true);
    expect(machine().said.at(-1)).toBe(`pip: ${reason}`);
    expect(machine().cached()).toEqual(empty);
  });

  it('that delivers another file is not believed', async () => {
    const wheel = { ...machine().addPip(usable), sha256: '0'.repeat(64) };
    expect((await machine().failure([byPip(wheel)])).message).toMatch(
      /expected a wheel with sha256 0{64}, got [0-9a-f]{64}: the package index has another file$/,
    );
    expect(machine().cached()).toEqual(empty);
  });

  it.each([
    ['has no library', 'readme.txt', usable, 'its wheel has no libdnnl.so.2.6'],
    ['has a text', 'a/libdnnl.so.2.6', Buffer.from('text'), 'libdnnl.so.2.6: not a shared library: no ELF header'],
    ['has half of it', 'a/libdnnl.so.2.6', usable.subarray(0, 200), /libdnnl\.so\.2\.6: cut off/],
    [
      'has an old one',
      'a/libdnnl.so.2.6',
      tinyLibrary({ version: [2, 2, 0] }),
      'libdnnl.so.2.6: version 2.2.0 is too old',
    ],
    ['has one that lacks calls', 'a/libdnnl.so.2.6', tinyLibrary(), /libdnnl\.so\.2\.6: lacks calls/],
  ] as const)('whose wheel %s leaves nothing behind', async (_, name, contents, reason) => {
    const { message } = await machine().failure([byPip(machine().addPip(contents, name))]);
    if (typeof reason === 'string') expect(message.endsWith(`got none: pip: ${reason}`)).toBe(true);
    else expect(message).toMatch(reason);
    expect(machine().cached()).toEqual(empty);
  });

  it('whose library needs another that the system lacks gets it by apt', async () => {
    const wheel = machine().addPip(needing('libtiny-c.so.1'));
    expect((await machine().failure([byPip(wheel)])).message).toMatch(
      /pip: this system has no libtiny-c\.so\.1; by apt: apt-get is not installed$/,
    );
    expect(machine().cached()).toEqual(empty);
    machine().addApt({ libtiny1: { file: 'libtiny-c.so.1', contents: tinyLibrary({ name: 'libtiny-c.so.1' }) } });
    expect(await machine().install([byPip(wheel)])).toMatchObject({ origin: 'cache by pip', problem: null });
  });

  it('that hangs is ended with its children, and the next way is taken', async () => {
    machine().addProgram('python3', `/bin/sleep 1000 & echo $! > '${machine().root}/child'; wait`);
    machine().addApt({ libdnnl2: oneDnn });
    expect(await machine().install([byPip(), byAptAlone], { idleMs: 5000 })).toMatchObject({ origin: 'cache by apt' });
    expect(machine().said).toContain('pip: python3 did nothing for 5 s, and was ended');
    const child = readFileSync(join(machine().root, 'child'), 'utf8').trim();
    // A process that has ended may still have its number.
    expect(stateOf(child)).not.toBe('running');
  });

  it('that still receives something is not taken for one that hangs', async () => {
    const wheel = machine().addPip(usable);
    const script = `for n in 1 2 3 4 5 6 7 8 9 10; do echo more >> "$TMPDIR/part"; /bin/sleep 0.7; done`;
    machine().addProgram('python3', `${script}\n${machine().delivery}`);
    expect(await machine().install([byPip(wheel)], { idleMs: 6000 })).toMatchObject({ origin: 'cache by pip' });
  });

  it('is ended by an interruption, which leaves nothing behind', async () => {
    machine().addProgram('python3', `echo part > "$TMPDIR/part"; echo $$ > '${machine().root}/child'; /bin/sleep 1000`);
    const controller = new AbortController();
    const ended = machine().install([byPip(), byAptAlone], { signal: controller.signal });
    const child = join(machine().root, 'child');
    // The shell makes the file before it writes the number.
    await vi.waitFor(() => expect(existsSync(child) && readFileSync(child, 'utf8')).toMatch(/\d\n/), {
      timeout: 60_000,
    });
    controller.abort();
    await expect(ended).rejects.toThrow('aborted');
    expect(stateOf(readFileSync(child, 'utf8').trim())).not.toBe('running');
    expect(machine().cached()).toEqual(empty);
  });
});
