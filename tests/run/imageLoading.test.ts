import { expect, test } from 'vitest';
import type { RunConfig } from '../../src/run/config.js';
import { imageLoadingAs, unreadableOf } from '../../src/run/imageLoading.js';

function data(changes: { onBadImage?: 'fail' | 'skip'; unreadable?: number }): RunConfig['data'] {
  const unreadable = Array.from({ length: changes.unreadable ?? 0 }, () => ({ path: 'a.jpg', reason: 'broken' }));
  const split = { images: 2, source: 'folder a', sha256: '', classCounts: [1, 1], unreadable };
  const about = { name: 'folder', title: 'pictures', images: null, holdOut: null, synthetic: false, classNames: [] };
  return { ...about, ...(changes.onBadImage && { onBadImage: changes.onBadImage }), train: split, eval: split };
}

test.each([
  ['what the run says', { onBadImage: 'skip' }, 'skip'],
  ['what the run says, whatever an import had left out', { onBadImage: 'fail', unreadable: 1 }, 'fail'],
  ['what an older run did', { unreadable: 1 }, 'skip'],
  ['the usual, where an older run had no bad picture', {}, 'fail'],
] as const)('bad pictures are treated by %s', (_, changes, expected) => {
  expect(imageLoadingAs(data(changes), undefined)).toEqual({ onBadImage: expected });
  expect(imageLoadingAs(data(changes), { cache: false })).toEqual({ cache: false, onBadImage: expected });
  expect(imageLoadingAs(data(changes), { onBadImage: 'fail' })).toEqual({ onBadImage: 'fail' });
});

test('pictures that older runs list with both parts are counted once', () => {
  expect(unreadableOf(data({ unreadable: 1 }))).toEqual({ train: 1, eval: 0 });
});
