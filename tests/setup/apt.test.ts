import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { byAptAlone, byAptAsRoot } from '../../src/setup/byApt.js';
import { tinyLibrary } from '../engine/elf.js';
import { itWith } from '../needs.js';
import { empty, machinePerTest, needing, oneDnn, usable } from './machine.js';

const machine = machinePerTest();

describe('apt without root', () => {
  it('gets the package of the distribution that is fastest', async () => {
    machine().addApt({
      libdnnl1: { ...oneDnn, release: '1.8.0' },
      libdnnl2: oneDnn,
      'libdnnl-dev': { ...oneDnn, release: '9.0.0' },
    });
    const library = await machine().install([byAptAlone]);
    const path = join(machine().root, `cache/onednn/apt-libdnnl2-2.6.1-${process.arch}/libdnnl.so.2.6`);
    expect(library).toMatchObject({ path, origin: 'cache by apt', version: [2, 6, 1] });
    expect(machine().cached()).toEqual([
      'onednn',
      `onednn/apt-libdnnl2-2.6.1-${process.arch}`,
      `onednn/apt-libdnnl2-2.6.1-${process.arch}/libdnnl.so.2.6`,
    ]);
    expect(machine().said).toEqual(['lists of packages by apt …', 'libdnnl2 by apt …']);
    // Neither lists nor packages of the system are touched.
    expect(
      machine()
        .calls()
        .filter((call) => /install/.test(call)),
    ).toEqual([]);
  });

  it('says which releases the distribution has', async () => {
    machine().addApt({ libdnnl2: { ...oneDnn, release: '2.2.4-1' } });
    expect((await machine().failure([byAptAlone])).message).toMatch(
      /apt without root: the package sources have no supported release, but libdnnl2 2\.2\.4$/,
    );
    expect(machine().cached()).toEqual(empty);
  });

  it.each([
    ['is not installed', [], 'apt-get is not installed'],
    ['gets no lists', ['apt-get', 'echo "E: Could not resolve host" >&2; exit 100'], 'E: Could not resolve host'],
    ['hangs', ['apt-get', 'exec /bin/sleep 1000'], 'apt-get did nothing for 1.5 s, and was ended'],
    ['asks', ['apt-get', 'read answer || echo "E: no answer"; exit 1'], 'E: no answer'],
  ])('that %s is passed over', async (_, [name, script], reason) => {
    if (name !== undefined) machine().addProgram(name, script as string);
    const idleMs = reason.includes('did nothing') ? 1500 : 60_000;
    const { message } = await machine().failure([byAptAlone], { idleMs });
    expect(message.endsWith(`got none: apt without root: ${reason}`)).toBe(true);
    expect(machine().cached()).toEqual(empty);
  });

  it('without dpkg is passed over', async () => {
    machine().addApt({ libdnnl2: oneDnn });
    machine().addProgram('dpkg', 'echo "dpkg: error: cannot unpack" >&2; exit 2');
    expect((await machine().failure([byAptAlone])).message).toMatch(/dpkg: error: cannot unpack$/);
    expect(machine().cached()).toEqual(empty);
  });

  it('also gets libraries that the system lacks', async () => {
    machine().addApt({
      libdnnl2: {
        ...oneDnn,
        contents: needing('libtiny-a.so.1', 'libtiny-b.so.2'),
        depends: 'libc6 (>= 2), liba1 | libz1, libb-1 (>= 1.0) | libz2, liba1',
      },
      liba1: { file: 'libtiny-a.so.1', contents: tinyLibrary({ name: 'libtiny-a.so.1' }) },
      'libb-1': { file: 'libtiny-b.so.2', contents: tinyLibrary({ name: 'libtiny-b.so.2' }) },
    });
    expect(await machine().install([byAptAlone])).toMatchObject({ origin: 'cache by apt', problem: null });
    const folder = `onednn/apt-libdnnl2-2.6.1-${process.arch}`;
    const files = ['libdnnl.so.2.6', 'libtiny-a.so.1', 'libtiny-b.so.2'];
    expect(machine().cached()).toEqual(['onednn', folder, ...files.map((name) => `${folder}/${name}`)]);
    const fetched = machine()
      .calls()
      .filter((call) => call.includes('download'));
    expect(fetched).toEqual(['apt-get download libdnnl2', 'apt-get download liba1', 'apt-get download libb-1']);
  });

  it('names a library that cannot be had', async () => {
    const contents = needing('libtiny-absent.so.1');
    machine().addApt({
      libdnnl2: { ...oneDnn, contents, depends: 'liba1' },
      liba1: { file: 'other', contents: usable },
    });
    expect((await machine().failure([byAptAlone])).message).toMatch(
      /this system has no libtiny-absent\.so\.1; none of the packages liba1 has it$/,
    );
    expect(machine().cached()).toEqual(empty);
  });
});

describe('apt as root', () => {
  itWith('posix', 'asks sudo, which must not ask for a password', async () => {
    machine().addApt({ libdnnl2: oneDnn });
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    expect((await machine().failure([byAptAsRoot])).message).toMatch(/apt: it needs root, or sudo without a password$/);
    machine().addProgram('sudo', 'exit 1');
    expect((await machine().failure([byAptAsRoot])).message).toMatch(/apt: it needs root, or sudo without a password$/);
    machine().addProgram('sudo', '[ "$1" = -n ] && shift; case "$1" in *=*) shift;; esac; "$@"');
    expect(await machine().install([byAptAsRoot])).toMatchObject({ origin: 'system' });
    const installed = machine()
      .calls()
      .filter((call) => call.startsWith('apt-get'));
    expect(installed).toEqual([
      'apt-get update',
      'apt-get install -y --no-install-recommends --download-only libdnnl2',
      'apt-get install -y --no-install-recommends --no-download libdnnl2',
    ]);
  });

  itWith('posix', 'that installs something else has failed', async () => {
    machine().addApt({ libdnnl2: { ...oneDnn, contents: Buffer.from('text') } });
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    expect((await machine().failure([byAptAsRoot])).message).toMatch(
      /apt: it ended well, but its library cannot be used; fovea doctor says why$/,
    );
  });
});
