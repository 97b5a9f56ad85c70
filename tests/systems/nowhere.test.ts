import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { itWith } from '../needs.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { buildPackageWith, runProgram } from './package.js';

const root = temporaryFolder();
let script = '';
let dataDir = '';

beforeAll(async () => {
  dataDir = await smallMnist(root, { train: 20, test: 10 });
  script = buildPackageWith(join(root, 'package'), { koffi: 'works', sharp: 'works' });
});

/** Not even root can write into /proc: it stands for all places that are read-only. */
const nowhere = {
  cwd: '/proc',
  env: { HOME: '/proc/home', TMPDIR: '/proc', FOVEA_CACHE: '', XDG_CACHE_HOME: '' },
};
const fovea = (...args: string[]) => runProgram(script, args, nowhere);
const reference = ['--engine', 'reference'];

itWith('linux', 'where nothing can be written, a training ends before it computes, and says why', () => {
  const { code, out, err } = fovea('train', 'lenet', '--data-dir', dataDir, ...reference);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(/^fovea: \[run\] runs: expected to write it, got \w+: .*; .+\n$/);
});

itWith('linux', 'with one folder to write to, the run is complete', () => {
  const run = join(root, 'run');
  const options = ['--data-dir', dataDir, '--epochs', '1', '--out', run, ...reference];
  expect(fovea('train', 'lenet', ...options)).toMatchObject({ code: 0, err: expect.not.stringContaining('fovea:') });
  expect(fovea('eval', run, ...reference)).toMatchObject({ code: 0, err: '' });
});
