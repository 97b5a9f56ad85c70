import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { trainingStep } from '../../bench/networks.js';
import { livePrimitives, nativeBytes } from '../../src/engine/onednn/ffi.js';
import { setEngine } from '../../src/engine/select.js';
import { compilationCount } from '../../src/runtime/realize.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Resources that are in use after a collection. The size of the process says less: it grows in jumps of its own. */
async function inUse() {
  // Finalizers run in later turns of the event loop, and free more.
  for (let i = 0; i < 3; i++) {
    collect();
    await setTimeout(10);
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return {
    arrays: arrayBuffers / 2 ** 20,
    heap: heapUsed / 2 ** 20,
    native: nativeBytes(),
    primitives: livePrimitives(),
  };
}

test('training steps neither keep memory nor compile again', async () => {
  setEngine('onednn');
  const step = trainingStep('lenet', 10);
  for (let i = 0; i < 1500; i++) await step();
  const programs = compilationCount();
  const before = await inUse();
  for (let i = 0; i < 3000; i++) await step();
  const after = await inUse();
  expect(after.native).toBeLessThanOrEqual(before.native);
  expect(after.primitives).toBeLessThanOrEqual(before.primitives);
  // A leak of one input array a step would be 90 MiB, one of a kilobyte of objects 3 MiB.
  expect(after.arrays - before.arrays).toBeLessThan(3);
  expect(after.heap - before.heap).toBeLessThan(3);
  expect(compilationCount()).toBe(programs);
});
