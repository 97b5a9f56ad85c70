/** What the workers for Node share: arguments, the measuring loop, the JSON line at the end. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const names = ['network', 'mode', 'precision', 'variant', 'batch', 'threads', 'warmup', 'steps', 'seconds', 'model'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });

/** Numbers where they are meant. */
export const args = {
  ...values,
  ...Object.fromEntries(['batch', 'threads', 'warmup', 'steps', 'seconds'].map((name) => [name, Number(values[name])])),
};

/** At least so many steps, and steps for so many seconds; milliseconds of each. */
async function repeat(step, count, seconds) {
  const times = [];
  const end = performance.now() + 1000 * seconds;
  while (times.length < count || performance.now() < end) {
    const start = performance.now();
    await step();
    times.push(Math.round(1e4 * (performance.now() - start)) / 1e4);
  }
  return times;
}

/** @param peer package whose version is told */
export async function measure(step, peer) {
  await repeat(step, args.warmup, args.seconds);
  const times = await repeat(step, args.steps, args.seconds);
  const peakRssMiB = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
  const { version } = createRequire(import.meta.url)(`./node_modules/${peer}/package.json`);
  console.log(JSON.stringify({ version, peakRssMiB, times }));
}

/** Uniform in ±scale. */
export function randomArray(length, scale = 1) {
  return Float32Array.from({ length }, () => (2 * Math.random() - 1) * scale);
}

/** LeNet's parameters with their numbers of inputs: weights as `[out, in, height, width]` or `[in, out]`. */
export const lenetShapes = {
  w1: [[6, 1, 5, 5], 25],
  b1: [[6], 25],
  w2: [[16, 6, 5, 5], 150],
  b2: [[16], 150],
  w3: [[120, 16, 4, 4], 256],
  b3: [[120], 256],
  w4: [[120, 64], 120],
  b4: [[64], 120],
  w5: [[64, 10], 64],
  b5: [[10], 64],
};

export const learningRate = 0.001;
export const momentum = 0.9;
