import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { buildPackage, type Fate, runCommands, runProgram } from './package.js';

const root = temporaryFolder();
const run = join(root, 'run');
const weights = resolve('tests/goldens/paddle/adam.pdparams');

let dataDir = '';
beforeAll(async () => {
  dataDir = await smallMnist(root, { train: 20, test: 10 });
  const script = buildPackage(join(root, 'works'), { koffi: 'works', sharp: 'works' });
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
  let script = '';
  beforeAll(() => {
    script = buildPackage(folder, { koffi: fate, sharp: 'works' });
  });

  it('the doctor says so', () => {
    const { code, out, err } = runProgram(script, ['doctor']);
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^✗ Engine .*; the portable engine is used instead, in WebAssembly$/m);
    expect(out).toMatch(/^✓ Pictures/m);
  });

  it('summary, convert and eval work', () => {
    const out = join(folder, 'net.safetensors');
    const commands = [
      ['summary', 'lenet'],
      ['convert', weights, out],
      ['eval', run, '--engine', 'reference'],
      ['eval', run, '--engine', 'portable'],
    ];
    expect(runCommands(script, commands)).toMatchObject({ code: 0, err: '' });
  });

  it('without a choice of the engine the portable engine computes, and one line says so', () => {
    const { code, err } = runProgram(script, ['eval', run]);
    expect([code, err]).toEqual([0, expect.stringMatching(/^fovea: \[onednn\] .*\n.*portable engine.*\n$/)]);
  });

  it('a choice of oneDNN is refused in one line', () => {
    const { code, err } = runProgram(script, ['eval', run, '--engine', 'onednn']);
    expect([code, err]).toEqual([2, expect.stringMatching(/^fovea: \[onednn\] .*\n$/)]);
  });
});

describe.each(ofAnyPackage)('sharp %s', (name, fate) => {
  const folder = join(root, `sharp-${name}`);
  let script = '';
  beforeAll(() => {
    script = buildPackage(folder, { koffi: 'works', sharp: fate });
  });

  it('the doctor says so', () => {
    const { code, out, err } = runProgram(script, ['doctor']);
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^✗ Pictures .*; photographs cannot be read, and reports have no pictures$/m);
    expect(out).toContain('fix it with: npm install --include=optional sharp');
  });

  it('numbers are trained on to the end, with a report', () => {
    const out = join(folder, 'run');
    const options = ['--data-dir', dataDir, '--epochs', '1', '--engine', 'reference', '--out', out];
    const trained = runProgram(script, ['train', 'lenet', ...options]);
    expect(trained).toMatchObject({ code: 0, err: expect.not.stringContaining('fovea:') });
    expect(readdirSync(out)).toContain('report.html');
  });

  it('a command with pictures is refused in one line', () => {
    const { code, err } = runProgram(script, ['predict', run, resolve('docs/pictures/report.png')]);
    expect(code).toBe(1);
    expect(err).toMatch(/^fovea: \[pictures\] sharp: expected .*; install it with: npm install .* sharp\n$/);
  });
});
