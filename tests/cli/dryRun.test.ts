import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { runFovea as fovea, linesOf } from './run.js';

const root = temporaryFolder();
const photos = join(root, 'photos');
const onPhotos = ['lenet', '--data', `folder:${photos}`, '--batch-size', '4', '--epochs', '2'];
let onMnist: string[] = [];

const listing = () => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();

beforeAll(async () => {
  setEngine('onednn');
  process.env.FOVEA_CACHE = join(root, 'cache');
  await writeRedAndBlue(photos, 8);
  const dataDir = await smallMnist(root, { train: 40, test: 20 });
  onMnist = ['lenet', '--data-dir', dataDir, '--batch-size', '8'];
});

describe('fovea train --dry-run', () => {
  it('shows the start of the training, its memory and an estimate of its time, and writes nothing', async () => {
    const before = listing();
    const { code, out, err } = await fovea('train', ...onPhotos, '--dry-run', '--out', join(root, 'new'));
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('LeNet on pictures of');
    expect(out).toMatch(/parameters +\d/);
    expect(out).toMatch(/inputs of a step +4×1×28×28/);
    expect(out).toMatch(/memory of a step +\S+ [KMG]iB of/);
    expect(out).toMatch(/estimated time +about .* \(2 epochs, with evaluations\)/);
    expect(out).toMatch(/estimated from +\d+ batch/);
    expect(out).not.toContain('run folder');
    expect(listing()).toEqual(before);
  });

  it('describes the training that the same call begins', async () => {
    const args = [...onPhotos, '--positive', 'blue', '--json', '--out', join(root, 'run')];
    const [dry, ...others] = linesOf((await fovea('train', ...args, '--dry-run')).out);
    const trained = await fovea('train', ...args, '--no-cache', '--epochs', '1');
    expect([others, trained.code]).toEqual([[], 0]);
    const [start] = linesOf(trained.out) as [{ config: Record<string, unknown> & { recipe: object } }];
    expect(dry).toMatchObject({
      event: 'dry-run',
      folds: null,
      config: { ...start.config, recipe: { ...start.config.recipe, epochs: 2 }, started: expect.any(String) },
      memory: { batch: 4, bytes: expect.any(Number), available: expect.any(Number) },
    });
    const { seconds, batchMs, batches, imageMs, images } = dry.time as Record<string, number>;
    // 12 of 16 pictures are for training, in batches of 4.
    expect([batches, images]).toEqual([2 * 3, 2 * 4]);
    expect(seconds).toBeCloseTo((batches * batchMs + images * imageMs) / 1000);
  });

  it('takes folds and files of options', async () => {
    const file = join(root, 'folds.yaml');
    writeFileSync(file, `model: lenet\ndata: folder:${photos}\nfolds: 4\nepochs: 1\n`);
    const before = listing();
    const { code, out } = await fovea('train', '--config', file, '--dry-run');
    expect(code).toBe(0);
    expect(out).toContain('validation: fold 1 of 4');
    expect(out).toContain('1 epoch for each of 4 folds');
    expect(listing()).toEqual(before);
  });

  it('counts stored features of frozen layers', async () => {
    const args = ['--probe-epochs', '2', '--json', '--dry-run'];
    const [{ time }] = linesOf((await fovea('train', ...onPhotos, ...args)).out);
    expect(time).toMatchObject({ batches: 0, images: 16 });
  });

  it('gives the error of the training', async () => {
    const full = join(root, 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'file'), '');
    const lonely = join(root, 'lonely');
    mkdirSync(join(lonely, 'a'), { recursive: true });
    for (const args of [
      [...onPhotos, '--out', full],
      [...onPhotos, '--folds', '99', '--out', join(root, 'no')],
      [...onPhotos, '--positive', 'green'],
      [...onMnist, '--no-cache'],
      [...onMnist, '--hold-out', '0.2'],
      [...onMnist, '--save-best', 'los'],
      ['lenet', '--data', `folder:${lonely}`],
      ['lenet', '--data', `folder:${join(root, 'missing')}`],
      ['lenett'],
      [],
    ]) {
      const dry = await fovea('train', ...args, '--dry-run');
      expect(dry).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^fovea: /) });
      const { code, err } = await fovea('train', ...args);
      expect({ code, err }).toEqual({ code: 2, err: dry.err });
    }
    expect(await fovea('train', '--resume', full, '--dry-run')).toMatchObject({ code: 2, out: '' });
  });

  it('downloads nothing', async () => {
    for (const args of [
      ['lenet', '--data', 'fashionmnist'],
      ['zoo-resnet18', '--data', `folder:${photos}`, '--pretrained'],
    ]) {
      const { code, err } = await fovea('train', ...args, '--dry-run');
      expect([code, err]).toEqual([2, expect.stringContaining('allow the download')]);
    }
    expect(readdirSync(root)).not.toContain('cache');
  });

  it('ends with 130 at Ctrl-C', async () => {
    const running = fovea('train', ...onMnist, '--dry-run');
    while (process.listenerCount('SIGINT') === 0) await new Promise(setImmediate);
    process.emit('SIGINT', 'SIGINT');
    expect(await running).toMatchObject({ code: 130, out: '', err: expect.stringContaining('nothing was written') });
  });
});
