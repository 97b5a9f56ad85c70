import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { run as runCommand } from '../../src/cli/program.js';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { FileError } from '../../src/errors.js';
import { RandomGenerator } from '../../src/random.js';
import { ChecksumIndex, packChecksums } from '../../src/run/checksums.js';
import { evaluateRun, openRun } from '../../src/run/evaluate.js';
import { Run } from '../../src/run/run.js';
import { linesOf, runFovea } from '../cli/run.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const path = (...names: string[]) => join(root, ...names);
const classes = ['cat', 'dog'];

/** A JPEG of noise that no other name has. */
function noise(name: string): Promise<Buffer> {
  const random = new RandomGenerator(0).fork(name);
  const pixels = Uint8Array.from({ length: 20 * 20 * 3 }, () => 256 * random.uniform());
  return sharp(pixels, { raw: { width: 20, height: 20, channels: 3 } })
    .jpeg()
    .toBuffer();
}

async function photographs(name: string, count = 6): Promise<string> {
  for (const className of classes) {
    mkdirSync(path(name, className), { recursive: true });
    for (let i = 0; i < count; i++) {
      writeFileSync(path(name, className, `${i}.jpg`), await noise(`${name} ${className} ${i}`));
    }
  }
  return path(name);
}

async function created(name: string, data: string, dataDir?: string): Promise<Run> {
  const changes = { epochs: 1, batchSize: 4 };
  // Options about photographs mean nothing elsewhere.
  const photos = dataDir === undefined ? { imageLoading: { cache: false }, holdOut: 0.34 } : { dataDir };
  return Run.create({ model: 'zoo-lenet', data, out: path(name), ...photos, changes });
}

async function trained(name: string, data: string, dataDir?: string) {
  const run = await created(name, data, dataDir);
  return { run, outcome: await run.train() };
}

/** Evaluates the run on other data. Returns the texts of JSON, terminal and report. */
async function evaluated(folder: string, data: string, ...more: string[]) {
  const report = path(`${Math.random()}.html`);
  const args = ['eval', folder, '--data', data, '--no-cache', ...more];
  const text = await runFovea(...args);
  const [json] = linesOf((await runFovea(...args, '--json', '--report', report)).out);
  const page = readFileSync(report, 'utf8');
  const has = (sentence: string) => text.out.includes(`  Note: ${sentence}\n`) && page.includes(sentence);
  return { json, text: text.out, has };
}

let run = '';
let accuracy = 0;
beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  const { outcome } = await trained('run', `folder:${await photographs('photos')}`);
  run = path('run');
  accuracy = outcome.evaluation?.accuracy ?? Number.NaN;
});

describe('eval distinguishes the images that the network was trained on from others', () => {
  test('in a copy of the folder', async () => {
    cpSync(path('photos'), path('moved'), { recursive: true });
    const { json, text, has } = await evaluated(run, `folder:${path('moved')}`);
    expect(json).toMatchObject({ images: 12, trainedOn: 8, validatedOn: 4, others: { images: 4, accuracy } });
    expect(text).toContain('Note: The network was trained on 8 of these 12 images. On the other 4 its accuracy is ');
    expect(has('4 of these images are validation images of the run.')).toBe(true);
    expect(text).not.toContain('not the images');
  });

  test('in copies that were saved again without loss', async () => {
    for (const className of classes) {
      mkdirSync(path('saved', className), { recursive: true });
      for (let i = 0; i < 6; i++) {
        const target = path('saved', className, `${i}.png`);
        await sharp(path('photos', className, `${i}.jpg`))
          .png()
          .toFile(target);
      }
    }
    const { json } = await evaluated(run, `folder:${path('saved')}`);
    expect(json).toMatchObject({ trainedOn: 8, validatedOn: 4, others: { images: 4, accuracy } });
  });

  test('in copies that were saved with loss or resized', async () => {
    const scene = (name: string) => {
      const random = new RandomGenerator(0).fork(name);
      const pixels = Uint8Array.from({ length: 6 * 5 * 3 }, () => 256 * random.uniform());
      return sharp(pixels, { raw: { width: 6, height: 5, channels: 3 } }).resize(150, 120);
    };
    const write = async (folder: string, save: (picture: Sharp) => Sharp, from = 0, to = 6) => {
      for (const className of classes) {
        mkdirSync(path(folder, className), { recursive: true });
        for (let i = from; i < to; i++) {
          await save(scene(`${className} ${i}`)).toFile(path(folder, className, `${i}`));
        }
      }
      return `folder:${path(folder)}`;
    };
    await trained('of scenes', await write('scenes', (picture) => picture.png()));
    const lossy = await evaluated(path('of scenes'), await write('lossy', (picture) => picture.jpeg({ quality: 60 })));
    expect(lossy.json).toMatchObject({ trainedOn: 0, looksTrainedOn: 8, others: { images: 4 } });
    expect(lossy.has('8 of these 12 images look like training images, saved again or resized.')).toBe(false);
    expect(lossy.text).toContain(
      'Note: 8 of these 12 images look like training images, saved again or resized. On the',
    );
    const larger = await write('larger', (picture) => picture.resize(300, 240).webp());
    expect((await evaluated(path('of scenes'), larger)).json).toMatchObject({ trainedOn: 0, looksTrainedOn: 8 });
    const others = await evaluated(path('of scenes'), await write('fresh', (picture) => picture.png(), 6, 12));
    expect(others.json).toMatchObject({ trainedOn: 0, looksTrainedOn: 0 });
    expect(others.has('The network was trained on none of these images.')).toBe(true);
    const { out, err } = await runFovea('predict', path('of scenes'), path('lossy'), '--json');
    expect(linesOf(out).filter(({ looksTrainedOn }) => looksTrainedOn === true)).toHaveLength(8);
    expect(err).toContain('note: 8 of these 12 pictures look like training pictures, saved again or resized');
  });

  test('in other pictures, and in the training images themselves', async () => {
    const other = await evaluated(run, `folder:${await photographs('other', 2)}`);
    expect(other.json).toMatchObject({ images: 4, trainedOn: 0, validatedOn: 0, others: null });
    expect(other.has('The network was trained on none of these images.')).toBe(true);
    const own = await evaluated(run, `folder:${path('photos')}`, '--split', 'train');
    expect(own.json).toMatchObject({ images: 8, trainedOn: 8, others: null, sameData: true });
    expect(own.has('The network was trained on all of these images: the metrics say nothing about others.')).toBe(true);
    const usual = await evaluated(run, `folder:${path('photos')}`);
    expect(usual.json).toMatchObject({ images: 4, trainedOn: 0, others: null, sameData: true });
    expect(usual.text).not.toContain('Note: The network');
  });

  test('and refuses data with other classes of as many numbers', async () => {
    const dataDir = await smallMnist(root, { train: 20, test: 10, name: 'numbers' });
    await trained('of numbers', 'mnist', dataDir);
    const clothes = runFovea('eval', path('of numbers'), '--data', `fashionmnist:${dataDir}`);
    expect(await clothes).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^fovea: \[eval\] Fashion-MNIST: expected the classes of the network, 0, 1, .*, got T-shirt/,
      ),
    });
  });

  test('in images of one size', async () => {
    const dataDir = await smallMnist(root, { train: 60, test: 20 });
    await trained('digits', 'mnist', dataDir);
    const swapped = await smallMnist(root, { train: 20, test: 60, name: 'swapped' });
    for (const part of ['images-idx3-ubyte', 'labels-idx1-ubyte']) {
      copyFileSync(join(dataDir, `train-${part}`), join(swapped, `t10k-${part}`));
    }
    const { seen } = await evaluateRun(await openRun(path('digits')), { dataDir: swapped });
    expect(seen.trained?.filter(Boolean).length).toBe(60);
  });

  test('not where a run keeps no checksums, as older ones; damaged ones are refused', async () => {
    cpSync(run, path('older'), { recursive: true });
    rmSync(path('older', 'pictures.json'));
    const { json, text } = await evaluated(path('older'), `folder:${path('moved')}`);
    expect(json).toMatchObject({ trainedOn: null, validatedOn: null, others: null, sameData: false });
    expect(text).toContain('Note: The run keeps no checksums of its pictures, so whether ');
    writeFileSync(path('older', 'pictures.json'), '{"format":1}');
    const refused = evaluateRun(await openRun(path('older')));
    await expect(refused).rejects.toThrow(FileError);
    await expect(refused).rejects.toThrow(`[run] ${path('older', 'pictures.json')}: train: `);
  });
});

test('a training names validation images that are training images saved again', async () => {
  const folder = await photographs('both');
  for (const className of classes) {
    for (let i = 0; i < 6; i++) {
      const copy = sharp(join(folder, className, `${i}.jpg`));
      await copy.png().toFile(join(folder, className, `again ${i}.png`));
    }
  }
  const both = await created('again', `folder:${folder}`);
  const notes: string[] = [];
  const stages = new Set<string>();
  await both.train({ onNote: (note) => notes.push(note), onProgress: ({ stage }) => stages.add(stage) });
  expect([...stages]).toEqual(['comparing pixels']);
  const message =
    /^[1-8] of the 8 validation pictures (is a training picture|are training pictures) too, pixel by pixel \(.* is .*\): /;
  expect(notes).toEqual([expect.stringMatching(message)]);
  expect(readFileSync(join(both.folder.path, 'report.html'), 'utf8')).toContain('pixel by pixel');
});

test('a training names validation images that look like training images', async () => {
  for (const className of classes) {
    mkdirSync(path('pairs', className), { recursive: true });
    for (let i = 0; i < 6; i++) {
      const picture = sharp(path('scenes', className, `${i}`));
      await picture
        .clone()
        .png()
        .toFile(path('pairs', className, `${i}.png`));
      await picture.jpeg({ quality: 50 }).toFile(path('pairs', className, `${i}.jpg`));
    }
  }
  const pairs = await created('of pairs', `folder:${path('pairs')}`);
  const notes: string[] = [];
  await pairs.train({ onNote: (note) => notes.push(note) });
  expect(notes).toEqual([
    expect.stringMatching(
      /^\d of the 8 validation pictures looks? like .*, saved again or resized \(.* is like .*\): if so/,
    ),
  ]);
});

test('predict reports pictures that the network was trained on', async () => {
  const files = [path('photos'), path('other')];
  const { out, err } = await runFovea('predict', run, ...files, '--json');
  expect(linesOf(out).filter(({ trainedOn }) => trainedOn === true)).toHaveLength(8);
  expect(linesOf(out).filter(({ trainedOn }) => trainedOn === false)).toHaveLength(8);
  expect(err).toContain('note: the network was trained on 8 of these 16 pictures');
  expect((await runFovea('predict', run, path('other', 'cat'))).err).toBe('');
});

test.each([40, 80])('the table of predictions fits a terminal of %i columns', async (columns) => {
  let text = '';
  const stdout = { write: (part: string) => (text += part), isTTY: true, columns };
  expect(await runCommand(['predict', run, path('other', 'cat')], { stdout, stderr: { write: () => {} } })).toBe(0);
  expect(Math.max(...text.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(columns);
  expect(text.replaceAll(/\s/g, '')).toContain(`A picture is taken for dog`.replaceAll(' ', ''));
});

test('a training whose validation pictures are copies of training pictures says so', async () => {
  await photographs('double', 3);
  for (const className of classes) {
    for (let i = 0; i < 3; i++) {
      copyFileSync(path('double', className, `${i}.jpg`), path('double', className, `${i} copy.jpg`));
      copyFileSync(path('double', className, `${i}.jpg`), path('double', className, `${i} more.jpg`));
    }
  }
  const { run: double } = await trained('doubled', `folder:${path('double')}`);
  const [note] = double.notes();
  expect(note).toMatch(/^\d of the 6 validation pictures (is a|are) training pictures? too, byte for byte \(/);
  const { json } = await evaluated(path('doubled'), `folder:${path('double')}`);
  expect(json.sameData).toBe(true);
  expect(json.trainedOn).toBe(Number(note[0]));
});

test('checksums are kept in a few bytes each', () => {
  const checksum = (i: number) => i.toString(16).padStart(64, '0').split('').reverse().join('');
  const known = Array.from({ length: 100 }, (_, i) => checksum(i));
  const index = ChecksumIndex.unpack(packChecksums(known));
  expect(known.every((one) => index.has(one))).toBe(true);
  expect(index.has(checksum(100))).toBe(false);
  expect(ChecksumIndex.unpack(packChecksums([])).has(checksum(0))).toBe(false);
});
