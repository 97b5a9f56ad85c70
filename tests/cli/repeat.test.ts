import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { RunFolder } from '../../src/run/folder.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { runFovea as fovea, linesOf } from './run.js';

const root = temporaryFolder();
const path = (name: string) => join(root, name);
let dataDir = '';
let trained = '';
const usual = ['--batch-size', '10', '--lr', '0.01', '--seed', '5', '--transforms', 'RandomRotation(5)'];
const weightsOf = (folder: string) => readFileSync(join(folder, 'weights.safetensors'));
const configOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root, { train: 30, test: 20 });
  trained = path('trained');
  const { code, err } = await fovea(
    'train',
    'lenet',
    '--data-dir',
    dataDir,
    ...usual,
    '--epochs',
    '2',
    '--out',
    trained,
  );
  expect(err).not.toContain('fovea:');
  expect(code).toBe(0);
});

/** A copy that a test may resume. */
let folder = '';
beforeEach((context) => {
  folder = path(context.task.id);
  cpSync(trained, folder, { recursive: true });
});

describe('train --repeat', () => {
  it('does a run once more from its record, and says that the bits are equal', async () => {
    const out = path('again');
    const { code, out: text } = await fovea('train', '--repeat', trained, '--out', out);
    expect(code).toBe(0);
    expect(text).toContain(`\nRepeated ${trained}: all weights are equal, bit by bit.\n`);
    expect(weightsOf(out).equals(weightsOf(trained))).toBe(true);
    const { started: _, ...record } = configOf(out);
    expect({ ...record, started: configOf(trained).started }).toEqual(configOf(trained));
  });

  it('says what is different', async () => {
    const { code, out } = await fovea('train', '--repeat', trained, '--seed', '6', '--json', '--out', path('other'));
    expect(code).toBe(0);
    const repeated = { run: trained, equal: false, differences: ['seed 6, before 5'] };
    expect(linesOf(out).at(-1)).toMatchObject({ event: 'end', repeated });
  });

  it('takes nothing that is in the record, and data that are the same', async () => {
    const refused = await fovea('train', 'lenet', '--repeat', trained, '--lr', '0.1', '--epochs', '3');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(
      "[train] --repeat: expected the run's own recipe, got the model lenet, --lr, --epochs",
    );
    const other = await smallMnist(root, { train: 31, test: 20, name: 'others' });
    const changed = await fovea('train', '--repeat', trained, '--data-dir', other, '--out', path('changed'));
    expect(changed.code).toBe(2);
    expect(changed.err).toContain('expected the images and labels of the run, got others');
    expect(existsSync(path('changed'))).toBe(false);
    const wrong = await fovea('train', '--repeat', trained, '--data', 'cifar10', '--out', path('changed'));
    expect(wrong.err).toContain('[run] data: expected mnist, which the run was trained on, got cifar10');
  });

  it('is the advice for a record in place of a configuration', async () => {
    const { code, err } = await fovea('train', '--config', join(trained, 'config.json'));
    expect(code).toBe(2);
    expect(err).toContain(`got the record of a run; repeat that run with --repeat ${trained}\n`);
    expect(err.length).toBeLessThan(400);
  });
});

describe('train --resume', () => {
  it('gives a run that has finished more epochs, to the same bits', async () => {
    const { code } = await fovea('train', '--resume', folder, '--epochs', '3');
    expect(code).toBe(0);
    expect(configOf(folder).recipe.epochs).toBe(3);
    const whole = path('whole');
    await fovea('train', 'lenet', '--data-dir', dataDir, ...usual, '--epochs', '3', '--out', whole);
    expect(weightsOf(folder).equals(weightsOf(whole))).toBe(true);
    expect((await RunFolder.open(folder)).history).toHaveLength(3);
    expect(readdirSync(folder).sort()).toEqual(readdirSync(whole).sort());
    const fewer = await fovea('train', '--resume', folder, '--epochs', '2');
    expect(fewer.code).toBe(2);
    expect(fewer.err).toContain('[run] epochs: expected at least the 3 that are done, got 2');
    const strange = await fovea('train', '--resume', folder, '--lr', '1');
    expect(strange.code).toBe(2);
    expect(strange.err).toContain("[train] --resume: expected the run's own recipe, got --lr as well");
  });

  it('refuses more epochs where a schedule would jump', async () => {
    const file = path('cosine.yaml');
    writeFileSync(file, 'schedule: CosineAnnealingDecay\n');
    const out = path('cosine');
    await fovea('train', 'lenet', '--config', file, '--data-dir', dataDir, ...usual, '--epochs', '1', '--out', out);
    const before = configOf(out);
    const { code, err } = await fovea('train', '--resume', out, '--epochs', '2');
    expect(code).toBe(2);
    expect(err).toContain('[run] epochs: expected 1, over which the schedule CosineAnnealingDecay goes, got 2');
    expect(configOf(out)).toEqual(before);
    expect((await fovea('train', '--resume', out)).code).toBe(0);
  });

  it('resumes with data in another place, if they are the same', async () => {
    const moved = path('moved');
    cpSync(dataDir, moved, { recursive: true });
    expect((await fovea('train', '--resume', folder, '--epochs', '3', '--data-dir', moved)).code).toBe(0);
    expect(configOf(folder).data).toMatchObject({ location: moved, train: { source: `folder ${moved}` } });
    const missing = await fovea('train', '--resume', folder, '--data-dir', path('nowhere'));
    expect(missing.code).toBe(2);
    expect(configOf(folder).data.location).toBe(moved);
  });

  it('reads the new record if the process was killed before it got its name', async () => {
    await fovea('train', '--resume', folder, '--epochs', '3');
    const file = join(folder, 'config.json');
    renameSync(file, `${file}.new`);
    writeFileSync(file, readFileSync(join(trained, 'config.json')));
    const read = await RunFolder.open(folder);
    expect(read.config.recipe.epochs).toBe(3);
    expect((await fovea('train', '--resume', folder, '--epochs', '4')).code).toBe(0);
    expect(configOf(folder).recipe.epochs).toBe(4);
    expect(existsSync(`${file}.new`)).toBe(false);
    // A record that no state knows of does not count.
    writeFileSync(`${file}.new`, readFileSync(join(trained, 'config.json')));
    expect((await RunFolder.open(folder)).config.recipe.epochs).toBe(4);
  });
});

it('an operating point wants two classes', async () => {
  const out = path('none');
  mkdirSync(out);
  const { code, err } = await fovea(
    'train',
    'lenet',
    '--data-dir',
    dataDir,
    '--operating-point',
    'youden',
    '--out',
    out,
  );
  expect(code).toBe(2);
  expect(err).toContain('[run] operating point: expected with two classes only, got 10');
  expect(readdirSync(out)).toEqual([]);
});
