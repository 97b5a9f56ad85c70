import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { liveDescs, OwnedDesc } from '../../src/engine/onednn/ffi/onednn3/ownedDesc.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage until finalizers have run, or for a number of turns. */
async function collectUntil(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !isDone(); turn++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test('a descriptor of the library lives as long as its object, and is destroyed once', async () => {
  const destroyed: number[] = [];
  const before = liveDescs();
  let owned: OwnedDesc[] = Array.from({ length: 1000 }, (_, i) => new OwnedDesc(i + 1, (at) => destroyed.push(at)));
  const kept = owned.slice(0, 10);
  expect(liveDescs()).toBe(before + 1000);
  owned = [];
  await collectUntil(() => destroyed.length >= 990);
  expect(destroyed.sort((a, b) => a - b)).toEqual(Array.from({ length: 990 }, (_, i) => i + 11));
  expect(liveDescs()).toBe(before + 10);
  expect(kept.map(({ argument }) => argument)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
