import { expect, test } from 'vitest';
import { trainingStep } from '../../bench/networks.js';
import { setEngine } from '../../src/engine/select.js';
import { compilationCount } from '../../src/runtime/realize.js';

/** MiB of the process outside V8's heap, which grows in jumps of its own. */
function outsideHeap(): number {
  const { rss, heapTotal } = process.memoryUsage();
  return (rss - heapTotal) / 2 ** 20;
}

test('training steps neither grow the process nor compile again', async () => {
  setEngine('onednn');
  const step = trainingStep('lenet', 10);
  for (let i = 0; i < 1500; i++) await step();
  const programs = compilationCount();
  const before = outsideHeap();
  for (let i = 0; i < 3000; i++) await step();
  // A leak of one input array a step would be 90 MiB.
  expect(outsideHeap() - before).toBeLessThan(12);
  expect(compilationCount()).toBe(programs);
});
