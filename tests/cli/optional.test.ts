import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { buildProgram } from '../compiled.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

/** A package without the binaries of koffi and sharp, as `npm install --omit=optional` leaves it. */
const root = temporaryFolder();
let script = '';
let dataDir = '';

beforeAll(async () => {
  script = buildProgram(root);
  const [installed, own] = [resolve('node_modules'), join(root, 'node_modules')];
  rmSync(own);
  mkdirSync(own);
  for (const name of readdirSync(installed)) {
    if (name.startsWith('.') || name === '@img' || name === '@koromix') continue;
    // Behind a link they would find their binaries.
    if (name === 'koffi' || name === 'sharp') cpSync(join(installed, name), join(own, name), { recursive: true });
    else symlinkSync(join(installed, name), join(own, name));
  }
  dataDir = await smallMnist(root, { train: 20, test: 10 });
});

function fovea(...args: string[]) {
  // Without a home folder as well.
  const { HOME: _, ...env }: NodeJS.ProcessEnv = { ...process.env, OMP_NUM_THREADS: '1', FOVEA_DEBUG: '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

it('the doctor says which binaries are missing, and how to get them', () => {
  const { code, out, err } = fovea('doctor');
  expect([code, err]).toEqual([1, '']);
  expect(out).toMatch(/✗ Engine +koffi: expected the package with its binary .*; the portable engine is used/);
  expect(out).toContain('fix it with: npm install --include=optional koffi');
  expect(out).toMatch(/✗ Pictures +sharp: expected the package with its binary .*; photographs cannot be read/);
  expect(out).toContain('fix it with: npm install --include=optional sharp');
});

it('numbers are trained on to the end, with a report', () => {
  const out = join(root, 'run');
  const trained = fovea(
    'train',
    'lenet',
    '--data-dir',
    dataDir,
    '--epochs',
    '1',
    '--engine',
    'reference',
    '--out',
    out,
  );
  expect(trained).toMatchObject({ code: 0, err: expect.not.stringContaining('fovea:') });
  expect(readdirSync(out)).toContain('report.html');
  const asked = fovea('predict', out, join(root, 'package.json'), '--engine', 'reference');
  expect(asked.code).toBe(1);
  expect(asked.err).toMatch(/^fovea: \[pictures\] sharp: expected .*; install it with: npm install .* sharp\n$/);
});

it('a package that one command needs is named where it is missing; a training ends without its report', () => {
  const own = join(root, 'node_modules');
  for (const name of ['csv-parse', 'echarts']) rmSync(join(own, name));
  const table = join(root, 'list.csv');
  writeFileSync(table, 'file,label\na.png,a\n');
  const read = fovea('train', 'lenet', '--data', `csv:${table}`);
  expect(read).toMatchObject({
    code: 1,
    err: 'fovea: the package csv-parse is missing; install it with: npm install csv-parse\n',
  });
  const out = join(root, 'without report');
  const options = ['--data-dir', dataDir, '--epochs', '1', '--engine', 'reference', '--out', out];
  const trained = fovea('train', 'lenet', ...options);
  expect(trained).toMatchObject({
    code: 0,
    err: expect.stringContaining('report: the package echarts is missing; install it with: npm install echarts; the'),
  });
  expect(readdirSync(out)).toContain('weights.safetensors');
});
