import { getSystemErrorMap } from 'node:util';
import { expect, it, vi } from 'vitest';
import { byAptAlone } from '../../src/setup/byApt.js';
import { empty, machinePerTest, oneDnn } from './machine.js';

/** The system's error of a disk without space. */
function noSpace(call: string): Error {
  const [errno, code] =
    [...getSystemErrorMap()].map(([number, [name]]) => [number, name] as const).find(([, name]) => name === 'ENOSPC') ??
    [];
  return Object.assign(new Error(`${code}: ${call}`), { code, errno, syscall: call });
}

vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  copyFile: () => Promise.reject(noSpace('copyfile')),
}));

const machine = machinePerTest();

it('a full disk is named, and nothing is left behind', async () => {
  machine().addApt({ libdnnl2: oneDnn });
  const { message, help } = await machine().failure([byAptAlone]);
  expect(help('fovea setup')).toMatch(/^FOVEA_CACHE=FOLDER fovea setup, with a folder .* 300 MB of space$/);
  expect(message).toMatch(
    /the cache .* cannot be written \(ENOSPC: no space left on device\); FOVEA_CACHE names another folder$/,
  );
  expect(machine().cached()).toEqual(empty);
});
