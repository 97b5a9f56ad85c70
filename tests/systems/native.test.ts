import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { buildPackageWith, type Fate, type Outcome, runCommands, runProgram } from './package.js';

const root = temporaryFolder();
const run = join(root, 'run');
const weights = resolve('tests/goldens/paddle/adam.pdparams');

let dataDir = '';
beforeAll(async () => {
  dataDir = await smallMnist(root, { train: 20, test: 10 });
  const script = buildPackageWith(join(root, 'works'), { koffi: 'works', sharp: 'works' });
  const options = ['--data-dir', dataDir, '--epochs', '1', '--engine', 'reference', '--out', run];
  expect(runProgram(script, ['train', 'lenet', ...options])).toMatchObject({ code: 0 });
});

/** Faults of a package that has native code. */
const fates: readonly (readonly [name: string, fate: Fate])[] = [
  ['missing', 'missing'],
  ['without binary', 'without binary'],
  ['for another processor', 'for another processor'],
  ['one whose binary does not load', { script: "throw new Error('invalid ELF header\\n  at load');" }],
  ['one that throws no error', { script: "throw 'no binary for this system';" }],
  ['empty', { script: '' }],
  [
    'one that can load no library',
    { script: "exports.load = (name) => { throw new Error(name + ': cannot open shared object file'); };" },
  ],
  [
    'one that finds no function',
    { script: "exports.load = () => ({ func: (name) => { throw new Error('cannot find function ' + name); } });" },
  ],
  ['one that loads nothing', { script: 'exports.load = () => undefined;' }],
];
/** Those that a package without libraries may have as well. */
const ofAnyPackage = fates.slice(0, 6);

describe.each(fates)('koffi %s', (name, fate) => {
  const folder = join(root, `koffi-${name}`);
  let outcomes: readonly Outcome[] = [];
  beforeAll(() => {
    const script = buildPackageWith(folder, { koffi: fate, sharp: 'works' });
    outcomes = runCommands(script, [
      ['eval', run],
      ['eval', run, '--engine', 'onednn'],
      ['doctor'],
      ['summary', 'lenet'],
      ['convert', weights, join(folder, 'net.safetensors')],
      ['eval', run, '--engine', 'reference'],
      ['eval', run, '--engine', 'portable'],
    ]);
  });

  it('without a choice of the engine the portable engine computes, and one line says so', () => {
    const { code, err } = outcomes[0];
    expect([code, err]).toEqual([0, expect.stringMatching(/^fovea: \[onednn\] .*\n.*portable engine.*\n$/)]);
  });

  it('a choice of oneDNN is refused in one line', () => {
    const { code, err } = outcomes[1];
    expect([code, err]).toEqual([2, expect.stringMatching(/^fovea: \[onednn\] .*\n$/)]);
  });

  it('the doctor says so', () => {
    const { code, out, err } = outcomes[2];
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^✗ Engine .*; the portable engine is used instead, in WebAssembly$/m);
    expect(out).toMatch(/^✓ Pictures/m);
  });

  it('summary, convert and eval work', () => {
    for (const outcome of outcomes.slice(3)) expect(outcome).toMatchObject({ code: 0, err: '' });
  });
});

describe.each(ofAnyPackage)('sharp %s', (name, fate) => {
  const folder = join(root, `sharp-${name}`);
  const out = join(folder, 'run');
  let outcomes: readonly Outcome[] = [];
  beforeAll(() => {
    const script = buildPackageWith(folder, { koffi: 'works', sharp: fate });
    const options = ['--data-dir', dataDir, '--epochs', '1', '--engine', 'reference', '--out', out];
    outcomes = runCommands(script, [
      ['doctor'],
      ['train', 'lenet', ...options],
      ['predict', run, resolve('docs/pictures/report.png')],
    ]);
  });

  it('the doctor says so', () => {
    const { code, out, err } = outcomes[0];
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^✗ Pictures .*; photographs cannot be read, and reports have no pictures$/m);
    expect(out).toContain('fix it with: npm install --include=optional sharp');
  });

  it('numbers are trained on to the end, with a report', () => {
    expect(outcomes[1]).toMatchObject({ code: 0, err: expect.not.stringContaining('fovea:') });
    expect(readdirSync(out)).toContain('report.html');
  });

  it('a command with pictures is refused in one line', () => {
    const { code, err } = outcomes[2];
    expect(code).toBe(1);
    expect(err).toMatch(/^fovea: \[pictures\] sharp: expected .*; install it with: npm install .* sharp\n$/);
  });
});
