import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError, ShapeError } from '../../../src/errors.js';
import { DataLoader, type DataLoaderOptions } from '../../../src/io/data/dataloader.js';
import { type Batch, type Dataset, readBatch } from '../../../src/io/data/dataset.js';
import { type GeneratorState, RandomGenerator } from '../../../src/random.js';
import { DatasetFolder } from '../../../src/vision/datasets/folder.js';
import { MNIST } from '../../../src/vision/datasets/mnist.js';
import type { PixelDataset } from '../../../src/vision/datasets/pixelDataset.js';
import { parseTransforms, type Raster, ToTensor } from '../../../src/vision/transforms/index.js';
import { compileInto } from '../../compiled.js';
import { temporaryFolder } from '../../temporary.js';
import { jpeg } from '../pictures.js';
import { mnistFiles } from './idx.js';

const root = temporaryFolder();
const transform = parseTransforms('RandomCrop(28, padding=4),RandomHorizontalFlip,RandomRotation(10)');
const count = 40;
let plain: MNIST;
let data: PixelDataset;

beforeAll(async () => {
  const { images, labels } = mnistFiles(count);
  writeFileSync(join(root, 'train-images-idx3-ubyte'), images);
  writeFileSync(join(root, 'train-labels-idx1-ubyte'), labels);
  plain = await MNIST.open({ dataDir: root });
  data = await MNIST.open({ dataDir: root, transform });
});

/** The images of an epoch by index. Labels alone do not identify an image, so the order is given too. */
async function epochOf(loader: DataLoader, order: readonly number[] | null = null): Promise<Map<number, string>> {
  const seen = new Map<number, string>();
  let at = 0;
  for await (const [images] of loader) {
    const values = await images.data('float32');
    for (let i = 0; i < images.shape[0]; i++, at++) {
      seen.set(order?.[at] ?? at, values.subarray(i * 784, (i + 1) * 784).join());
    }
  }
  return seen;
}

const loaderOf = (dataset: Dataset, options: DataLoaderOptions = {}) =>
  new DataLoader(dataset, { batchSize: 7, generator: new RandomGenerator(5), ...options });

describe('an epoch with random transforms', () => {
  it('is the same for the same seed in all batches, and another one in the next epoch', async () => {
    const loader = loaderOf(data);
    const first = await epochOf(loader);
    expect(first.size).toBe(count);
    expect(await epochOf(loaderOf(data, { batchSize: 16, prefetch: 0 }))).toEqual(first);
    const second = await epochOf(loader);
    for (const [index, image] of second) expect(image).not.toBe(first.get(index));
    expect(await epochOf(loaderOf(data, { generator: new RandomGenerator(6) }))).not.toEqual(first);
    // Without transforms, samples use no random numbers.
    const generator = new RandomGenerator(5);
    await epochOf(loaderOf(plain, { generator }));
    expect(generator.state()).toEqual(new RandomGenerator(5).state());
  });

  it('gives a sample the same change in any order', async () => {
    const order = [...new RandomGenerator(5).permutation(count)];
    const shuffled = await epochOf(loaderOf(data, { shuffle: true }), order);
    expect(shuffled).toEqual(await epochOf(loaderOf(data)));
  });

  it('changes a sample that comes again in another way', async () => {
    const sampler = { length: 6, sample: () => Uint32Array.of(3, 3, 8, 3, 8, 5) };
    const images = [...(await epochOf(loaderOf(data, { sampler, batchSize: 2 }))).values()];
    expect(new Set(images).size).toBe(6);
    const once = await epochOf(loaderOf(data));
    expect([images[0], images[2], images[5]]).toEqual([once.get(3), once.get(8), once.get(5)]);
  });

  it('continues in its middle', async () => {
    const loader = loaderOf(data, { shuffle: true });
    const whole: string[] = [];
    for await (const [images] of loader) whole.push((await images.data()).join());
    const again = loaderOf(data, { shuffle: true, generator: new RandomGenerator(99) });
    const rest: string[] = [];
    for await (const [images] of again.epoch({ from: loader.epochState as GeneratorState, skip: 2 })) {
      rest.push((await images.data()).join());
    }
    expect(rest).toEqual(whole.slice(2));
  });

  it('gives a sample asked for by itself the same each time', () => {
    expect(data.get(3)).toEqual(data.get(3));
    expect(data.get(3, new RandomGenerator(1))).not.toEqual(data.get(3, new RandomGenerator(2)));
    expect(data.get(4)).toMatchObject({ shape: [1, 28, 28], label: 4 });
  });
});

describe('pixels', () => {
  it('are scaled as without transforms if they are bytes, and left alone if they are floats', () => {
    const nothing = data.withTransform(null);
    expect(nothing.get(7)).toEqual(plain.get(7));
    expect(nothing.isRandom).toBe(false);
    expect(data.withTransform(parseTransforms('Transpose')).get(7)).toEqual(plain.get(7));
    expect(data.withTransform(new ToTensor()).get(7)).toEqual(plain.get(7));
    const signed = data.withTransform(parseTransforms('ToTensor,Normalize(0.5, 0.5)')).get(7).image;
    expect(signed[100]).toBeCloseTo(2 * plain.get(7).image[100] - 1, 6);
    const raw = data.withTransform(parseTransforms('Normalize')).get(7).image;
    expect(raw[100]).toBeCloseTo(255 * plain.get(7).image[100], 3);
    expect(data.withTransform(parseTransforms('Resize([10, 20])')).get(0).shape).toEqual([1, 10, 20]);
    expect(data.withTransform(parseTransforms('Grayscale(3)')).get(0).shape).toEqual([3, 28, 28]);
  });

  it('of photographs reach transforms as red, green, blue, and the network in its order', async () => {
    const folder = join(root, 'photographs');
    mkdirSync(join(folder, 'a'), { recursive: true });
    const red = sharp({ create: { width: 8, height: 8, channels: 3, background: '#ff4000' } });
    writeFileSync(join(folder, 'a', 'red.png'), await red.png().toBuffer());
    const seen: number[][] = [];
    const look = (image: Raster) => {
      seen.push([...image.data.subarray(0, 3)]);
      return image;
    };
    for (const order of ['RGB', 'BGR'] as const) {
      const options = { size: 4, order, cache: false } as const;
      const set = await DatasetFolder.open(folder, options);
      const expected = await set.get(0);
      const changed = set.withTransform(look);
      expect(await changed.get(0)).toEqual(expected);
      // From memory, too, and in a part of the set.
      expect(await changed.subset([0]).get(0)).toEqual(expected);
      expect(await (await DatasetFolder.open(folder, { ...options, transform: look })).get(0)).toEqual(expected);
    }
    expect(seen).toEqual(Array.from({ length: 6 }, () => [255, 64, 0]));
  });

  it('of different sizes cannot be one batch', () => {
    let size = 10;
    const odd = data.withTransform((image) => ({ ...image, data: new Uint8Array(size), height: size++, width: 1 }));
    const read = () => readBatch(odd, Uint32Array.of(0, 1)) as Batch;
    expect(read).toThrow(
      new ShapeError(
        '[transforms] result: expected images of one size, got [1,10,1] and [1,11,1]; ' +
          'end with Resize, RandomCrop or CenterCrop',
      ),
    );
  });

  it('need a number of threads that makes sense', async () => {
    await expect(MNIST.open({ dataDir: root, transform, numWorkers: 65 })).rejects.toThrow(InputError);
  });
});

describe('other threads', () => {
  it('give the same bits however many they are, work beside the main thread, and report what is wrong', async () => {
    const folder = join(root, 'compiled');
    const pictures = join(folder, 'pictures', 'a');
    mkdirSync(pictures, { recursive: true });
    for (let i = 0; i < 6; i++) writeFileSync(join(pictures, `${i}.jpg`), await jpeg(`${i}`, 40, 30));
    compileInto(folder);
    writeFileSync(
      join(folder, 'main.js'),
      `
      import { createHash } from 'node:crypto';
      import { threadId } from 'node:worker_threads';
      import { DataLoader } from './io/data/dataloader.js';
      import { RandomGenerator } from './random.js';
      import { DatasetFolder } from './vision/datasets/folder.js';
      import { MNIST } from './vision/datasets/mnist.js';
      import { parseTransforms } from './vision/transforms/parse.js';
      const spec = 'RandomCrop(28, padding=4),RandomRotation(10),ColorJitter(0.5, 0.5),RandomErasing(1, value=random)';
      const transform = parseTransforms(spec);
      const result = { hashes: [], photographs: [] };
      const hashOf = async (dataset) => {
        const hash = createHash('sha256');
        const loader = new DataLoader(dataset, { batchSize: 4, shuffle: true, generator: new RandomGenerator(7) });
        for await (const [images, labels] of loader) {
          hash.update(await images.data()).update(await labels.data());
        }
        return hash.digest('hex');
      };
      for (const numWorkers of [0, 1, 3]) {
        result.hashes.push(await hashOf(await MNIST.open({ dataDir: '..', transform, numWorkers })));
        const set = await DatasetFolder.open('pictures', { transform, numWorkers, size: 36, cache: false });
        result.photographs.push(await hashOf(set), await hashOf(set));
      }
      const data = await MNIST.open({ dataDir: '..', transform, numWorkers: 2 });
      const asked = data.readBatch(Array.from({ length: 2000 }, (_, i) => i % 40));
      result.isPromise = asked instanceof Promise;
      // This thread's event loop does not turn meanwhile, and what the processor does is done by the others.
      const before = process.cpuUsage();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      result.beside = process.cpuUsage(before).user / 1000;
      await asked;
      result.mine = data.withTransform((image) => image).readBatch([1, 2]) instanceof Promise;
      const wrong = data.withTransform(parseTransforms('RandomCrop(40)')).readBatch([0]);
      result.error = await wrong.catch(({ name, message }) => [name, message]);
      const odd = data.withTransform(parseTransforms('RandomRotation([0, 45], expand=true)')).readBatch([0, 1, 2, 3]);
      result.odd = await odd.catch(({ name }) => name);
      console.log(JSON.stringify(result));
      `,
    );
    const { stdout } = await promisify(execFile)(process.execPath, ['main.js'], { cwd: folder });
    const { hashes, photographs, isPromise, beside, mine, error, odd } = JSON.parse(stdout);
    expect(new Set(hashes).size).toBe(1);
    expect(new Set(photographs).size).toBe(1);
    expect([isPromise, mine]).toEqual([true, false]);
    expect(beside).toBeGreaterThan(50);
    expect(error[0]).toBe('ShapeError');
    expect(error[1]).toContain('expected a picture of at least 40×40, got 28×28');
    expect(odd).toBe('ShapeError');
  });
});
