/**
 * Resident memory over many training steps; it must stand still after the first ones.
 *
 * usage: npm run bench -- memory [lenet|residual] [batch] [steps]
 */
import { trainingStep } from './networks.js';

const [name = 'lenet', batch = '10', stepsText = '20000'] = process.argv.slice(2);
const steps = Number(stepsText);
const step = trainingStep(name, Number(batch));
const mebibytes = () => process.memoryUsage.rss() / 2 ** 20;

const samples: number[] = [];
for (let i = 1; i <= steps; i++) {
  await step();
  if (i % Math.ceil(steps / 10) === 0) {
    samples.push(mebibytes());
    console.log(`${String(i).padStart(6)} steps  ${mebibytes().toFixed(1)} MiB`);
  }
}
// The first fifth belongs to the just-in-time compiler and the garbage collector finding their size.
const settled = samples.slice(2);
const growth = settled[settled.length - 1] - settled[0];
console.log(`growth over the last ${(steps * 0.7).toFixed(0)} steps: ${growth.toFixed(1)} MiB`);
