import { expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import type { OpenedData } from '../../src/run/catalog/datasets.js';
import { namedDataset } from '../../src/run/catalog/datasets.js';
import {
  type DataOptions,
  requireColours,
  requireHoldOut,
  requireMeaning,
  requireWork,
} from '../../src/run/dataOptions.js';

const refusal = (name: string, location: string | undefined, options: DataOptions) => {
  try {
    requireMeaning({ name, location }, namedDataset(name), options);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  return null;
};

it.each([
  ['mnist', undefined, { images: { size: 32 } }, 'no size, since its images have one size'],
  ['cifar10', undefined, { images: { order: 'RGB' } }, 'no order of colours'],
  ['cifar10', undefined, { images: { antialias: true } }, 'no antialiasing'],
  ['fashionmnist', undefined, { imageLoading: { cache: false } }, 'no choice of a cache'],
  ['mnist', undefined, { imageLoading: { onBadImage: 'skip' } }, 'no choice about bad pictures'],
  ['cifar100', undefined, { holdOut: 0.1 }, 'no hold-out, since it has a split of its own'],
  ['folder', 'photos', { dataDir: 'x' }, 'no data folder (x), since the data are in photos'],
  ['csv', 'a.csv', { dataDir: 'x' }, 'no data folder (x), since the data are in a.csv'],
  ['palm', 'eyes', { dataDir: 'x' }, 'no data folder (x), since the data are in eyes'],
  ['cifar10', 'files', { dataDir: 'x' }, 'no data folder (x), since the data are in files'],
] as [string, string | undefined, DataOptions, string][])('%s %s refuses %j', (name, location, options, message) => {
  expect(refusal(name, location, options)).toContain(`[data] ${name}: expected ${message}`);
});

it('takes what has a meaning', () => {
  expect(refusal('mnist', undefined, { dataDir: 'x', images: { antialias: false }, imageLoading: {} })).toBeNull();
  const all = { images: { size: 32, order: 'RGB', antialias: true }, holdOut: 0.1 } as const;
  expect(
    refusal('folder', 'x', { ...all, imageLoading: { cache: false, onBadImage: 'skip', numWorkers: 1 } }),
  ).toBeNull();
});

it('refuses a hold-out where there are pictures for validation, and workers without work', () => {
  const data = (holdOut: OpenedData['holdOut']) => ({ holdOut }) as OpenedData;
  expect(() => requireHoldOut('folder', data(null), { holdOut: 0.1 })).toThrow('expected no hold-out');
  requireHoldOut('folder', data({ share: 0.1, seed: 0 }), { holdOut: 0.1 });
  requireHoldOut('folder', data(null), {});
  expect(() => requireWork('mnist', namedDataset('mnist'), { numWorkers: 2 }, false)).toThrow(
    'expected no number of workers',
  );
  requireWork('mnist', namedDataset('mnist'), { numWorkers: 2 }, true);
  requireWork('folder', namedDataset('folder'), { numWorkers: 2 }, false);
});

it('refuses an order of colours for grey images, unless initial weights ask for it', () => {
  const grey = [{ Grayscale: { numOutputChannels: 3 } }] as const;
  const images = { order: 'BGR' } as const;
  expect(() => requireColours('folder', { images }, grey)).toThrow('expected no order of colours, since Grayscale');
  requireColours('folder', { images }, [{ CenterCrop: { size: 28 } }]);
  requireColours('folder', { images, pretrained: 'net.pdparams' }, grey);
  requireColours('folder', { images: { size: 28 } }, grey);
});
