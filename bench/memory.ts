/**
 * Resident memory over many training steps. V8 enlarges its heap for short-lived objects in a few jumps up to a fixed
 * size with any program; all other memory, and the used part of the heap, must not grow.
 *
 * usage: npm run bench -- memory [lenet|residual] [batch] [steps]
 */
import { trainingStep } from './networks.js';

const [name = 'lenet', batch = '10', stepsText = '20000'] = process.argv.slice(2);
const steps = Number(stepsText);
const step = trainingStep(name, Number(batch));
const mebibyte = 2 ** 20;

const native: number[] = [];
console.log(' steps  resident  V8 heap (used)  outside of it, MiB');
for (let i = 1; i <= steps; i++) {
  await step();
  if (i % Math.ceil(steps / 10) !== 0) continue;
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  native.push((rss - heapTotal) / mebibyte);
  const figures = [rss / mebibyte, heapTotal / mebibyte, heapUsed / mebibyte, native[native.length - 1]];
  const [all, heap, used, rest] = figures.map((x) => x.toFixed(1));
  console.log(
    `${String(i).padStart(6)}  ${all.padStart(8)}  ${heap.padStart(7)} ${`(${used})`.padStart(6)}  ${rest.padStart(13)}`,
  );
}
// The first fifth belongs to the just-in-time compiler.
const growth = native[native.length - 1] - native[1];
console.log(`growth outside of the heap over the last ${(steps * 0.8).toFixed(0)} steps: ${growth.toFixed(1)} MiB`);
