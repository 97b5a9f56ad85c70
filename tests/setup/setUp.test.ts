import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { shortOwner, thisProcess } from '../../src/io/files/owner.js';
import { byAptAlone, byAptAsRoot } from '../../src/setup/byApt.js';
import { byPip } from '../../src/setup/byPip.js';
import { itWith } from '../needs.js';
import { writeInto } from '../temporary.js';
import { machinePerTest, oneDnn, usable } from './machine.js';

const machine = machinePerTest();

it('a library that is there is all that is needed', async () => {
  writeInto(machine().root, 'lib/libdnnl.so.2.6', usable);
  expect(await machine().install([byPip()])).toMatchObject({ origin: 'system', version: [2, 6, 1] });
  expect([machine().calls(), machine().said, machine().cached()]).toEqual([[], [], []]);
});

it('without a network allowed, nothing is called', async () => {
  const wheel = machine().addPip(usable);
  const { message, help } = await machine().failure([byPip(wheel)], { offline: true });
  expect(message).toMatch(/^\[setup\] library: expected oneDNN 2\.x .*, got none: `offline` fetches nothing$/);
  expect(help('fovea setup')).toBe('fovea setup, with a network');
  expect([machine().calls(), machine().cached()]).toEqual([[], []]);
});

it('all ways that failed are named, with a command that would help', async () => {
  const { message, help } = await machine().failure([byAptAlone, byAptAsRoot]);
  expect(message).toMatch(/got none: apt without root: apt-get is not installed; apt: .+$/);
  expect(help('fovea setup')).toBe('fovea setup, with a network and pip for Python 3');
  machine().addApt({});
  const install = "sh -c 'apt-get update && apt-get install -y python3-pip libgomp1' && fovea setup";
  for (const [user, command] of [
    [0, install],
    [1000, `sudo ${install}`],
  ] as const) {
    vi.spyOn(process, 'getuid').mockReturnValue(user);
    expect(help('fovea setup')).toBe(command);
  }
});

/** A process that has ended, as temporary folders name it. */
async function deadOwner(): Promise<string> {
  return shortOwner({ ...(await thisProcess()), pid: 2 ** 22 + 1 });
}

describe('the cache', () => {
  itWith('user', 'that is read-only is named, and the way that does without it is taken', async () => {
    mkdirSync(join(machine().root, 'cache'));
    chmodSync(join(machine().root, 'cache'), 0o555);
    machine().addApt({ libdnnl2: oneDnn });
    expect((await machine().failure([byAptAlone])).message).toMatch(
      /the cache .*\/cache\/onednn cannot be written \(EACCES: permission denied\); FOVEA_CACHE names another folder$/,
    );
  });

  it('that is a file is named, and the way that does without it is taken', async () => {
    writeInto(machine().root, 'cache/onednn', 'a file');
    machine().addApt({ libdnnl2: oneDnn });
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    expect(await machine().install([byAptAlone, byAptAsRoot])).toMatchObject({ origin: 'system' });
    expect(machine().said).toContainEqual(
      expect.stringMatching(/cannot be written \(EEXIST: .*\); FOVEA_CACHE names another folder$/),
    );
    expect(readFileSync(join(machine().root, 'cache/onednn'), 'utf8')).toBe('a file');
  });

  it('loses folders of killed processes, and a library that is damaged is replaced', async () => {
    machine().addApt({ libdnnl2: oneDnn });
    const cache = join(machine().root, 'cache/onednn');
    writeInto(cache, `.fovea-${await deadOwner()}-01234567.tmp/contents/libdnnl.so.2.6`, usable);
    writeInto(cache, `apt-libdnnl2-2.6.1-${process.arch}/libdnnl.so.2.6`, usable.subarray(0, 100));
    expect(await machine().install([byAptAlone])).toMatchObject({ origin: 'cache by apt', problem: null });
    expect(machine().cached()).toEqual([
      'onednn',
      `onednn/apt-libdnnl2-2.6.1-${process.arch}`,
      `onednn/apt-libdnnl2-2.6.1-${process.arch}/libdnnl.so.2.6`,
    ]);
    expect(readFileSync(join(cache, `apt-libdnnl2-2.6.1-${process.arch}/libdnnl.so.2.6`))).toEqual(usable);
  });

  it('filled by two at once gets the library once', async () => {
    machine().addApt({ libdnnl2: oneDnn });
    const [a, b] = await Promise.all([machine().install([byAptAlone]), machine().install([byAptAlone])]);
    expect(a).toMatchObject({ origin: 'cache by apt', problem: null });
    expect({ ...b, api: null }).toEqual({ ...a, api: null });
    expect(
      machine()
        .calls()
        .filter((call) => call === 'apt-get update'),
    ).toHaveLength(1);
    expect(machine().said).toContain('another process gets the library: waiting for it …');
  });

  it('is closed to other users, although new files are open to them', async () => {
    machine().addApt({ libdnnl2: oneDnn });
    const before = process.umask(0);
    try {
      expect(await machine().install([byAptAlone])).toMatchObject({ origin: 'cache by apt', problem: null });
    } finally {
      process.umask(before);
    }
  });
});
