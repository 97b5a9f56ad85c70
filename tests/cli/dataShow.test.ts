import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { folderPerTest } from '../temporary.js';
import { cifar10Files, cifarArchive } from '../vision/datasets/cifarFiles.js';
import { mnistFiles } from '../vision/datasets/idx.js';
import { jpeg } from '../vision/pictures.js';
import { linesOf, runFovea } from './run.js';

let folder = '';
folderPerTest((path) => {
  folder = path;
  vi.stubEnv('FOVEA_CACHE', join(folder, 'cache'));
});

const at = (name: string) => join(folder, name);

function cifar(): string {
  const path = at('cifar.tar.gz');
  writeFileSync(path, cifarArchive('cifar-10-batches-py', cifar10Files()));
  return path;
}

async function sizeOf(path: string): Promise<[number, number]> {
  const { format, width, height } = await sharp(path).metadata();
  expect(format).toBe('png');
  return [width, height];
}

describe('fovea data show', () => {
  it('shows images as they are, and beside them what transforms make of them', async () => {
    const data = `cifar10:${cifar()}`;
    const plain = await runFovea('data', 'show', data, '--images', '6', '--out', at('plain.png'));
    expect(plain).toMatchObject({ code: 0, err: '' });
    expect(plain.out).toContain('CIFAR-10\n  images  10, 6 of them shown');
    const spec = 'RandomCrop(32, padding=4),RandomHorizontalFlip,ToTensor';
    const options = ['--transforms', spec, '--images', '3', '--versions', '4'];
    const changed = await runFovea('data', 'show', data, ...options, '--out', at('changed.png'), '--json');
    expect(changed).toMatchObject({ code: 0, err: '' });
    expect(linesOf(changed.out)).toEqual([
      {
        schema: 'data.show/1',
        ...{ data, split: 'train', images: 10, shown: 3, versions: 4, sheet: at('changed.png') },
        transforms: [expect.objectContaining({ RandomCrop: expect.objectContaining({ size: 32, padding: 4 }) })].concat(
          [{ RandomHorizontalFlip: { prob: 0.5 } }, { ToTensor: { dataFormat: 'CHW' } }],
        ),
      },
    ]);
    // One more column than versions, and three rows.
    const [width, height] = await sizeOf(at('changed.png'));
    const [plainWidth] = await sizeOf(at('plain.png'));
    expect(width).toBeGreaterThan(1.5 * plainWidth);
    expect(width).toBeGreaterThan(height);
    // The same seed gives the same picture, another one another.
    const again = async (...more: string[]) => {
      await runFovea('data', 'show', data, ...options, '--out', at('again.png'), ...more);
      return readFileSync(at('again.png')).equals(readFileSync(at('changed.png')));
    };
    expect([await again(), await again('--seed', '1')]).toEqual([true, false]);
  });

  it('shows the validation images, of files of digits and of photographs', async () => {
    const { images, labels } = mnistFiles(20);
    writeFileSync(at('t10k-images-idx3-ubyte'), images);
    writeFileSync(at('t10k-labels-idx1-ubyte'), labels);
    const mnist = ['mnist', '--data-dir', folder, '--split', 'validation', '--transforms', 'RandomRotation(20)'];
    expect(await runFovea('data', 'show', ...mnist, '--out', at('mnist.png'))).toMatchObject({ code: 0, err: '' });
    for (const name of ['a', 'b']) {
      mkdirSync(at(`pictures/${name}`), { recursive: true });
      for (let i = 0; i < 3; i++) writeFileSync(at(`pictures/${name}/${i}.jpg`), await jpeg(`${name}${i}`));
    }
    const photographs = [`folder:${at('pictures')}`, '--size', '40', '--no-cache', '--transforms', 'ColorJitter(0.5)'];
    const { code, out } = await runFovea('data', 'show', ...photographs, '--out', at('photographs.png'));
    expect([code, out]).toEqual([0, expect.stringContaining('versions  6 of each')]);
    expect((await sizeOf(at('photographs.png')))[0]).toBeGreaterThan(1000);
  });

  it.each<[string[], string]>([
    [['--transforms', 'RandomHorizontalFlop'], "'RandomHorizontalFlop': expected one of ToTensor"],
    [['--transforms', 'RandomCrop(33)'], 'expected a picture of at least 33×33, got 32×32'],
    [['--transforms', 'RandomCrop(size=a)'], 'RandomCrop: size: expected an edge in pixels, or [height, width]'],
    [['--transforms', 'ToTensor,ColorJitter(0.2)'], 'ColorJitter: expected bytes, got floats; put it before ToTensor'],
    [['--images', '0'], 'expected a positive integer'],
    [['--split', 'tset'], 'expected train, validation (or val, dev) or test, or all'],
    [['--out', 'sheet.jpg'], '--out: expected the name of a PNG file'],
  ])('refuses %j', async (options, message) => {
    const data = `cifar10:${cifar()}`;
    const { code, err } = await runFovea('data', 'show', data, '--out', at('sheet.png'), ...options);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(at('sheet.png'))).toBe(false);
  });

  it('names data that is not there, or damaged', async () => {
    const nowhere = await runFovea('data', 'show', `cifar10:${at('nowhere')}`, '--out', at('sheet.png'));
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining('expected an archive or a folder')]);
    writeFileSync(at('cut.tar.gz'), readFileSync(cifar()).subarray(0, 900));
    const cut = await runFovea('data', 'show', `cifar10:${at('cut.tar.gz')}`, '--out', at('sheet.png'));
    expect([cut.code, cut.err]).toEqual([2, expect.stringContaining('[tar] ')]);
    const unknown = await runFovea('data', 'show', 'cifar', '--out', at('sheet.png'));
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('did you mean cifar10?')]);
  });
});
