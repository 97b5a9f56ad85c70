import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError, ShapeError } from '../../../src/errors.js';
import { DataLoader } from '../../../src/io/data/dataloader.js';
import type { Dataset, Sample } from '../../../src/io/data/dataset.js';
import { RandomGenerator } from '../../../src/random.js';
import { DatasetFolder } from '../../../src/vision/datasets/folder.js';
import { decodeImage } from '../../../src/vision/images/decode.js';
import { toCHW } from '../../../src/vision/transforms/image.js';
import { Compose, normalizeInto, type Raster, Resize, Transform } from '../../../src/vision/transforms/index.js';
import { compileInto } from '../../compiled.js';
import { temporaryFolder } from '../../temporary.js';
import { jpeg } from '../pictures.js';

const root = temporaryFolder();
const pictures = join(root, 'pictures');

beforeAll(async () => {
  for (const name of ['cat', 'dog']) {
    mkdirSync(join(pictures, name), { recursive: true });
    for (let i = 0; i < 3; i++) writeFileSync(join(pictures, name, `${i}.jpg`), await jpeg(`${name} ${i}`, 40, 30));
  }
});

const changed = (image: Raster, change: (value: number) => number): Raster => ({
  ...image,
  data: Uint8Array.from(image.data, change),
});

/** Adds the same random number to all pixels. */
class Brighter extends Transform {
  apply(image: Raster, random: RandomGenerator): Raster {
    const more = random.int(50);
    return changed(image, (value) => Math.min(255, value + more));
  }
}

/** Claims to sample nothing. */
class Dishonest extends Brighter {
  override readonly isRandom = false;
}

async function epochsOf(dataset: Dataset, epochs: number): Promise<string[]> {
  const loader = new DataLoader(dataset, { batchSize: 6, generator: new RandomGenerator(1) });
  const all: string[] = [];
  for (let i = 0; i < epochs; i++) for await (const [images] of loader) all.push((await images.data()).join());
  return all;
}

describe('a transform of the user', () => {
  it('does the same in data sets with and without threads', async () => {
    const folder = join(root, 'compiled');
    compileInto(folder);
    writeFileSync(
      join(folder, 'main.js'),
      `
      import { z } from 'zod';
      import { DataLoader } from './io/data/dataloader.js';
      import { RandomGenerator } from './random.js';
      import { DatasetFolder } from './vision/datasets/folder.js';
      import { Compose, NamedTransform, parseTransforms, RandomHorizontalFlip, Transform } from './vision/transforms/index.js';
      const fill = (image, value) => ({ ...image, data: new Uint8Array(image.data.length).fill(value) });
      let calls = 0;
      class Own extends Transform {
        apply(image, random) { calls++; return fill(image, 100 + random.int(100)); }
      }
      // Its name and options are those of a transform that the threads know.
      class Flip extends RandomHorizontalFlip {
        apply(image) { calls++; return fill(image, 7); }
      }
      class Named extends NamedTransform {
        constructor() { super('Named', z.strictObject({}), {}); }
        apply(image) { calls++; return fill(image, 9); }
      }
      const after = parseTransforms('Resize([5, 4])');
      const transforms = [Own, Flip, Named].flatMap((Made) => [new Made(), new Compose([after, new Made()])]);
      const result = [];
      for (const transform of transforms) {
        const epochs = [];
        for (const numWorkers of [0, 2]) {
          const set = await DatasetFolder.open('../pictures', { transform, numWorkers, size: 8, cache: false });
          const loader = new DataLoader(set, { batchSize: 3, shuffle: true, generator: new RandomGenerator(7) });
          let values = '';
          for await (const [images] of loader) values += images.shape + ':' + (await images.data()).join() + ';';
          epochs.push(values);
        }
        result.push({ equal: epochs[0] === epochs[1], calls, start: epochs[0].slice(0, 40) });
        calls = 0;
      }
      console.log(JSON.stringify(result));
      `,
    );
    const { stdout } = await promisify(execFile)(process.execPath, ['main.js'], { cwd: folder });
    const results: { equal: boolean; calls: number; start: string }[] = JSON.parse(stdout);
    expect(results.map(({ equal, calls }) => [equal, calls])).toEqual(Array.from({ length: 6 }, () => [true, 12]));
    expect(results[3].start).toMatch(/^3,3,5,4:-0\.945/);
  });

  it('samples again in each epoch, even if its class does not say that it samples', async () => {
    const set = await DatasetFolder.open(pictures, { size: 4, cache: false, transform: new Brighter() });
    const [first, second] = await epochsOf(set, 2);
    expect(first).not.toBe(second);
    expect(await epochsOf(set.withTransform(new Compose([new Brighter()])), 2)).toEqual([first, second]);
  });

  it('that says it samples nothing, and does, is refused', async () => {
    const set = await DatasetFolder.open(pictures, { size: 4, cache: false, transform: new Dishonest() });
    const error = await epochsOf(set, 1).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toBe(
      '[transforms] isRandom: expected a transform that samples nothing, since isRandom is false, got one that ' +
        'sampled from its generator; set isRandom to true',
    );
  });

  it('that gives no image is refused by its name', async () => {
    class Broken extends Transform {
      apply(image: Raster): Raster {
        return { ...image, width: image.width + 1 };
      }
    }
    const set = await DatasetFolder.open(pictures, { size: 4, cache: false, transform: new Broken() });
    const error = await Promise.resolve(set.get(0)).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ShapeError);
    expect((error as Error).message).toBe(
      '[transforms] result of Broken: expected an image with bytes or float32 values for height × width × channels, ' +
        'got 48 values for 4 × 5 × 3 (HWC)',
    );
  });
});

it('a data set of pictures of the user works with transforms and a loader', async () => {
  const files = ['cat/0.jpg', 'dog/1.jpg', 'cat/2.jpg'];
  const transform = new Compose([new Resize([6, 8]), new Brighter()]);
  class Photos implements Dataset {
    readonly length = files.length;
    readonly classNames = ['cat', 'dog'];
    readonly isRandom = true;
    async get(index: number, random = new RandomGenerator(0)): Promise<Sample> {
      const picture = await decodeImage(join(pictures, files[index]));
      const { data, height, width } = transform.apply({ ...picture, channels: 3, layout: 'HWC' }, random);
      const image = new Float32Array(data.length);
      normalizeInto(image, 0, toCHW({ data: data as Uint8Array, height, width }, 'RGB'));
      return { image, shape: [3, height, width], label: files[index].startsWith('dog') ? 1 : 0 };
    }
  }
  const loader = new DataLoader(new Photos(), { batchSize: 2, generator: new RandomGenerator(3) });
  const shapes: unknown[] = [];
  for await (const [images, labels] of loader) shapes.push([images.shape, [...(await labels.data())]]);
  expect(shapes).toEqual([
    [
      [2, 3, 6, 8],
      [0, 1],
    ],
    [[1, 3, 6, 8], [0]],
  ]);
  const [first, , second] = await epochsOf(new Photos(), 3);
  expect(first).not.toBe(second);
  expect(() => [...loader]).toThrow(/expected samples at once, got promises; write `for await/);
});
