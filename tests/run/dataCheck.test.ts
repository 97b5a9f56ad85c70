import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { RandomGenerator } from '../../src/random.js';
import { checkData, type DataCheck } from '../../src/run/dataCheck/check.js';
import type { FindingKind } from '../../src/run/dataCheck/findings.js';
import type { Measured } from '../../src/run/dataCheck/measure.js';
import { neighboursOf } from '../../src/run/dataCheck/neighbours.js';
import { shortcutsOf } from '../../src/run/dataCheck/shortcuts.js';
import { writePredictions } from '../../src/run/predictions/file.js';
import { cameraOf } from '../../src/vision/images/exif.js';
import { linesOf, runFovea } from '../cli/run.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const data = join(root, 'data');
const at = (...parts: string[]) => join(data, ...parts);
const generator = new RandomGenerator(11);

/** A picture of soft spots; those of one class are brighter in the middle, the others around it. */
async function draw(path: string, isSick: boolean, width = 60): Promise<void> {
  const small = Uint8Array.from({ length: 3 * 36 }, (_, i) => {
    const [row, column] = [Math.floor(i / 18), Math.floor(i / 3) % 6];
    const isMiddle = [row, column].every((place) => place > 0 && place < 5);
    return 40 + generator.int(100) + (isSick === isMiddle ? 90 : 0);
  });
  await sharp(small, { raw: { width: 6, height: 6, channels: 3 } })
    .resize(width, 48, { fit: 'fill', kernel: 'cubic' })
    .png()
    .toFile(path);
}

let found: DataCheck;

beforeAll(async () => {
  for (const [part, count] of Object.entries({ train: 30, test: 8 })) {
    for (const [name, width] of Object.entries({ healthy: 60, sick: 64 })) {
      mkdirSync(at(part, name), { recursive: true });
      for (let i = 0; i < count; i++) await draw(at(part, name, `${i}.png`), name === 'sick', width);
    }
  }
  // Eight disguises of a copy, in the test part.
  const original = () => sharp(at('train', 'healthy', '0.png'));
  copyFileSync(at('train', 'healthy', '0.png'), at('test', 'healthy', 'c0.png'));
  await original()
    .flop()
    .toFile(at('test', 'healthy', 'c1.png'));
  await original()
    .flip()
    .toFile(at('test', 'healthy', 'c2.png'));
  await original()
    .rotate(90)
    .toFile(at('test', 'healthy', 'c3.png'));
  await original()
    .rotate(270)
    .flop()
    .toFile(at('test', 'healthy', 'c4.png'));
  await original()
    .resize(30, 24)
    .toFile(at('test', 'healthy', 'c5.png'));
  await original()
    .resize(150, 120)
    .toFile(at('test', 'healthy', 'c6.png'));
  await original()
    .jpeg({ quality: 60 })
    .toFile(at('test', 'healthy', 'c7.jpg'));
  copyFileSync(at('train', 'healthy', '1.png'), at('train', 'sick', 'conflict.png'));
  await draw(at('train', 'healthy', 'wrong.png'), true);
  writeFileSync(at('train', 'healthy', 'cut.png'), readFileSync(at('train', 'healthy', '2.png')).subarray(0, 900));
  await sharp({ create: { width: 60, height: 48, channels: 3, background: '#808080' } })
    .png()
    .toFile(at('train', 'sick', 'empty.png'));
  found = await checkData(`folder:${data}`);
});

const namesOf = (kind: FindingKind) =>
  found.findings
    .filter((finding) => finding.kind === kind)
    .map(({ pictures }) => pictures.map((i) => found.pictures[i].name));

describe('a data check', () => {
  test('finds copies in all disguises, between parts, and no others', () => {
    const leaks = namesOf('leak').filter(([first]) => first === 'train/healthy/0.png');
    expect(leaks.map(([, second]) => second).sort()).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `test/healthy/c${i}.${i === 7 ? 'jpg' : 'png'}`),
    );
    expect(namesOf('leak')).toHaveLength(8);
    // The training picture is left out, not that of the test.
    const leak = found.findings.find(({ kind }) => kind === 'leak');
    expect(leak?.exclude.map((i) => found.pictures[i].name)).toEqual(['train/healthy/0.png']);
    expect(leak?.message).toContain('the same file');
    expect(found.findings.some(({ message }) => message.includes('mirrored'))).toBe(true);
  });

  test('finds conflicting labels, wrong labels, unreadable and empty pictures', () => {
    expect(namesOf('conflict')).toEqual([['train/healthy/1.png', 'train/sick/conflict.png']]);
    expect(namesOf('unreadable')).toEqual([['train/healthy/cut.png']]);
    expect(namesOf('exposure')).toEqual([['train/sick/empty.png']]);
    expect(namesOf('label').flat()).toContain('train/healthy/wrong.png');
    const wrong = found.findings.find(({ kind, message }) => kind === 'label' && message.includes('wrong.png'));
    expect(found.classNames[wrong?.relabel ?? -1]).toBe('sick');
  });

  test('finds the property that goes with the class, and says nothing of others', () => {
    const width = found.shortcuts.find(({ property }) => property === 'width');
    expect(width).toMatchObject({ measure: 'auc', chance: 0.5, suspicious: true });
    const height = found.shortcuts.find(({ property }) => property === 'height');
    expect(height?.value === null || height?.suspicious === false).toBe(true);
  });

  test('finds resized copies of pictures of some dozen pixels', async () => {
    const [small, others] = ['small', 'others'].map((name) => join(root, name));
    for (const folder of [small, others]) mkdirSync(join(folder, 'any'), { recursive: true });
    for (let i = 0; i < 40; i++) {
      const spots = Uint8Array.from({ length: 49 }, () => 255 * generator.int(2));
      const drawn = await sharp(spots, { raw: { width: 7, height: 7, channels: 1 } })
        .resize(28, 28, { kernel: 'cubic' })
        .png()
        .toBuffer();
      if (i < 38) writeFileSync(join(small, 'any', `${i}.png`), drawn);
      const side = [14, 56, 42, 21][i % 4];
      // The first pictures are copied; the last two are in the other data only.
      if (i < 12 || i >= 38)
        await sharp(drawn)
          .resize(side, side)
          .toFile(join(others, 'any', `copy${i}.png`));
    }
    const { findings, pictures } = await checkData(`folder:${small}`, { against: `folder:${others}` });
    const pairs = findings.flatMap(({ kind, pictures: own }) =>
      kind === 'leak' ? [own.map((i) => pictures[i].name)] : [],
    );
    const expected = Array.from({ length: 12 }, (_, i) => [`any/${i}.png`, `any/copy${i}.png`]);
    expect(new Set(pairs.map((pair) => pair.join(' ')))).toEqual(new Set(expected.map((pair) => pair.join(' '))));
  });

  test('against other data finds the pictures that are in both', async () => {
    const other = join(root, 'other', 'any');
    mkdirSync(other, { recursive: true });
    await sharp(at('train', 'sick', '5.png'))
      .flop()
      .toFile(join(other, 'copy.png'));
    await draw(join(other, 'new.png'), true);
    const { findings, pictures } = await checkData(`folder:${data}`, { against: `folder:${join(root, 'other')}` });
    const leaks = findings.filter(({ kind, pictures: [, second] }) => kind === 'leak' && pictures[second]?.against);
    expect(leaks).toHaveLength(1);
    expect(leaks[0].exclude.map((i) => pictures[i].name)).toEqual(['train/sick/5.png']);
  });
});

test('a class that is darker than the others is no finding, a picture darker than its class is', async () => {
  const place = join(temporaryFolder(), 'dark');
  const grey = async (name: string, mean: number) => {
    const pixels = Uint8Array.from({ length: 400 }, () => mean + generator.int(20));
    await sharp(pixels, { raw: { width: 20, height: 20, channels: 1 } })
      .png()
      .toFile(join(place, name));
  };
  for (const folder of ['dark', 'light']) mkdirSync(join(place, folder), { recursive: true });
  for (let i = 0; i < 24; i++) await grey(`dark/${i}.png`, 20 + (i % 6));
  for (let i = 0; i < 26; i++) await grey(`light/${i}.png`, 180 + (i % 6));
  await grey('light/wrong.png', 10);
  const { findings, pictures } = await checkData(`folder:${place}`);
  const exposure = findings.filter(({ kind }) => kind === 'exposure');
  expect(exposure.map(({ pictures: [i] }) => pictures[i].name)).toEqual(['light/wrong.png']);
});

test('likely wrong labels are found by out-of-fold predictions, and by no others', async () => {
  const pictures = found.pictures.filter(({ measured }) => measured !== null);
  const classNames = [...found.classNames];
  // A network that is sure of every picture, and has learned the rule behind the labels.
  const sick = pictures.map(({ name, label }) => (name.endsWith('wrong.png') ? 0.9 : label === 1 ? 0.8 : 0.1));
  const write = async (name: string, split: string) => {
    const path = join(root, name);
    const probabilities = Float32Array.from(sick.flatMap((p) => [1 - p, p]));
    const splits = pictures.map(() => split);
    await writePredictions(
      path,
      {
        classNames,
        files: pictures.map((picture) => picture.name),
        splits,
        groups: pictures.map(() => null),
        labels: Int32Array.from(pictures, ({ label }) => label),
        probabilities,
        logits: probabilities.map((p) => Math.log(p)),
      },
      {
        model: 'lenet',
        started: '2026-01-01T00:00:00.000Z',
        weights: [{ which: 'last', sha256: 'b'.repeat(64) }],
        parts: [{ split, images: pictures.length, sha256: 'a'.repeat(64) }],
        positive: null,
        threshold: null,
        synthetic: false,
      },
    );
    return runFovea('data', 'check', `folder:${data}`, '--predictions', path, '--json');
  };
  const [checked] = linesOf((await write('folds.csv', 'fold-1')).out) as { findings: Record<string, unknown>[] }[];
  const labels = checked.findings.filter(({ kind }) => kind === 'label');
  expect(labels.map(({ files, relabel }) => [files, relabel])).toEqual([[['train/healthy/wrong.png'], 'sick']]);
  expect(labels[0].message).toContain('the out-of-fold prediction is, with 90 %, sick');
  const refused = await write('test.csv', 'test');
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('got those of test') });
});

test('the command writes a page and tables, which a training takes', async () => {
  const out = join(root, 'check');
  const before = readdirSync(at('train', 'healthy'));
  const checked = await runFovea('data', 'check', `folder:${data}`, '--out', out, '--strict');
  expect(checked.code).toBe(1);
  expect(checked.out).toContain('Copies in several parts of the data: 8');
  expect(readFileSync(join(out, 'report.html'), 'utf8').includes('data:image/png;base64,')).toBe(true);
  const exclude = readFileSync(join(out, 'exclude.csv'), 'utf8');
  expect(exclude).toContain('train/healthy/cut.png,');
  expect(readFileSync(join(out, 'relabel.csv'), 'utf8')).toContain('train/healthy/wrong.png,sick,');
  expect(readdirSync(at('train', 'healthy'))).toEqual(before);
  expect(checked.out).toMatch(/size +64×48 +\d+ +0 +\d+\n/);
  expect(checked.out).toMatch(/format +png +\d+ +\d+ +\d+\n/);
  await showsFixes(out, exclude);
  const run = join(root, 'run');
  const args = ['train', 'lenet', '--data', `folder:${data}`, '--epochs', '1', '--no-cache'];
  const trained = await runFovea(...args, '--fixes', out, '--out', run);
  expect(trained).toMatchObject({ code: 0, out: expect.stringContaining('fixes: ') });
  const split = readFileSync(join(run, 'split.csv'), 'utf8');
  expect(split).toMatch(/train\/healthy\/wrong\.png,train,,sick/);
  expect(split).not.toContain('cut.png');
  const [evaluated] = linesOf((await runFovea('eval', run, '--no-cache', '--json')).out);
  expect(evaluated).toMatchObject({ sameData: true });
  const [json] = linesOf((await runFovea('data', 'check', `folder:${data}`, '--fixes', out, '--json')).out);
  const { findings } = json as { findings: { kind: string }[] };
  expect(findings.some(({ kind }) => kind === 'leak' || kind === 'conflict' || kind === 'unreadable')).toBe(false);
  writeFileSync(join(root, 'strange.csv'), 'file,label\ntrain/healthy/none.png,sick\n');
  const strange = await runFovea(...args, '--fixes', join(root, 'strange.csv'), '--out', join(root, 'no'));
  expect(strange).toMatchObject({ code: 2, err: expect.stringContaining('got train/healthy/none.png') });
  writeFileSync(join(root, 'strange.csv'), 'file,label\ntrain/healthy/3.png,sik\n');
  const unknown = await runFovea(...args, '--fixes', join(root, 'strange.csv'), '--out', join(root, 'no'));
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('did you mean sick?') });
  expect(existsSync(join(root, 'no'))).toBe(false);
  const folder = await runFovea('data', 'check', `folder:${data}`, '--out', out);
  expect(folder).toMatchObject({ code: 2, err: expect.stringContaining('choose another --out') });
});

/** `data show --fixes` shows the pictures of the tables, unreadable ones too, and refuses what has no effect. */
async function showsFixes(out: string, exclude: string): Promise<void> {
  const sheet = join(root, 'fixes.png');
  const show = (...args: string[]) => runFovea('data', 'show', `folder:${data}`, '--out', sheet, '--fixes', ...args);
  const [shown] = linesOf((await show(out, '--json')).out);
  const names = (rows: unknown) => (rows as { file: string }[]).map(({ file }) => file).sort();
  const rows = exclude.trimEnd().split('\n').slice(1);
  expect(names(shown.excluded)).toEqual(rows.map((row) => row.split(',')[0]).sort());
  expect(names(shown.excluded)).toContain('train/healthy/cut.png');
  expect(shown.relabelled).toContainEqual({ file: 'train/healthy/wrong.png', label: 'sick', instead: 'healthy' });
  const { width, height } = await sharp(sheet).metadata();
  const table = join(root, 'one.csv');
  writeFileSync(table, 'file\ntrain/sick/3.png\n');
  expect((await show(table)).out).toMatch(/fixes +1 left out, 0 relabelled/);
  const one = await sharp(sheet).metadata();
  expect(one.width * one.height).toBeLessThan((width * height) / 2);
  writeFileSync(table, 'file,label\ntrain/sick/3.png,sick\n');
  for (const [args, message] of [
    [[table], 'there is nothing to show'],
    [[out, '--seed', '3'], 'seed: expected none, since fixes are shown in the order of the data'],
  ] as const) {
    expect(await show(...args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  }
  const digits = await runFovea('data', 'check', 'mnist', '--fixes', out);
  expect(digits).toMatchObject({ code: 2, err: expect.stringContaining('mnist: expected no fixes') });
}

describe('the shortcut probe', () => {
  const labels = Array.from({ length: 60 }, (_, i) => i % 2);
  const none = labels.map(() => null);

  test('predicts on pictures that it was not made of', () => {
    const values = labels.map((label, i) => 10 * label + (i % 3));
    const noise = labels.map((_, i) => (i * 7919) % 61);
    const [real, other, same] = shortcutsOf(
      [
        { name: 'real', values },
        { name: 'noise', values: noise },
        { name: 'same', values: labels.map(() => 1) },
      ],
      labels,
      none,
      2,
    );
    expect(real).toMatchObject({ suspicious: true });
    expect(other).toMatchObject({ suspicious: false });
    expect(same).toEqual({ property: 'same', value: null, reason: 'it is the same for all pictures' });
  });

  test('of a value that every picture has by itself predicts nothing', () => {
    const [unique] = shortcutsOf([{ name: 'name', values: labels.map((_, i) => `x${i}`) }], labels, none, 2);
    expect(unique).toMatchObject({ suspicious: false });
  });

  test('of few pictures is none, for a reason', () => {
    const [few] = shortcutsOf([{ name: 'x', values: [1, 2] }], [0, 1], [null, null], 2);
    expect(few).toEqual({ property: 'x', value: null, reason: 'there are fewer than 10 pictures' });
  });
});

test('the camera is read from EXIF, and damaged blocks give none', async () => {
  const picture = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .withExif({ IFD0: { Make: 'ZEISS', Model: 'VISUCAM 500' } })
    .jpeg()
    .toBuffer();
  const { exif } = await sharp(picture).metadata();
  expect(cameraOf(exif)).toBe('ZEISS VISUCAM 500');
  expect(cameraOf(exif?.subarray(0, 12))).toBe(null);
  expect(cameraOf(undefined)).toBe(null);
});

test('the nearest pictures are those of the least distance, without the own group', async () => {
  const values = new RandomGenerator(7);
  const [count, classes] = [300, 3];
  // A few grey levels, so that distances are often equal.
  const measured = Array.from({ length: count }, () => ({
    look: Float32Array.from({ length: 64 }, (_, i) => 200 + 5 * (i < 6 ? values.int(4) : 0)),
    colour: [200, 200 + values.int(3), 200] as const,
  })) as unknown as Measured[];
  const labels = measured.map(() => values.int(classes));
  const groups = measured.map((_, i) => (i % 3 === 0 ? null : `group ${i % 40}`));
  const { shares, distances } = await neighboursOf(measured, labels, groups, classes);
  const features = measured.map(({ look, colour }) => [...look, ...colour.map((value) => 3 * value)]);
  for (let i = 0; i < count; i++) {
    const near = features
      .map((own, j) => ({ j, distance: Math.hypot(...own.map((value, k) => value - features[i][k])) }))
      .filter(({ j }) => j !== i && (groups[i] === null || groups[j] !== groups[i]))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, 10);
    expect(distances[i]).toBeCloseTo(
      near.reduce((sum, { distance }) => sum + distance / 10, 0),
      4,
    );
    // Pictures at the distance of the last one may stand for one another.
    const sure = near.filter(({ distance }) => distance < near[9].distance - 1e-6);
    for (let c = 0; c < classes; c++) {
      const least = sure.filter(({ j }) => labels[j] === c).length;
      expect(10 * shares[i * classes + c]).toBeGreaterThanOrEqual(least - 1e-9);
      expect(10 * shares[i * classes + c]).toBeLessThanOrEqual(10 - (sure.length - least) + 1e-9);
    }
  }
});
