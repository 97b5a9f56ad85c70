/**
 * Arguments and measuring turns of the workers for Node. A first line reports that the worker is ready. Then a line on
 * standard input asks for a turn, and a line of JSON answers; in between the process waits.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const names = ['network', 'mode', 'precision', 'variant', 'batch', 'threads', 'model', 'input', 'engine'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });

export const args = { ...values, batch: Number(values.batch), threads: Number(values.threads) };

/** At least so many steps, and for so many seconds, but none that begins after `limit`; milliseconds of each. */
async function repeat(step, { count, seconds, limit }) {
  const times = [];
  let spent = 0;
  while ((times.length < count || spent < seconds) && (times.length === 0 || spent < limit)) {
    const start = performance.now();
    await step();
    const ms = performance.now() - start;
    times.push(Math.round(1e4 * ms) / 1e4);
    spent += ms / 1000;
  }
  return times;
}

function mebibytes(name) {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
}

/**
 * Takes turns until the input ends.
 *
 * @param make makes the network and returns what does a step; all imports come before
 */
export async function serve(make, version) {
  const importedMiB = mebibytes('VmRSS');
  const step = await make();
  console.log(JSON.stringify({ version }));
  for await (const line of createInterface({ input: process.stdin })) {
    const turn = JSON.parse(line);
    await repeat(step, turn.warmup);
    const warmMiB = mebibytes('VmHWM');
    // From here on VmHWM is the peak of the steps alone.
    writeFileSync('/proc/self/clear_refs', '5');
    const times = await repeat(step, turn.steps);
    const peakMiB = mebibytes('VmHWM');
    const memory = { stepMiB: peakMiB - importedMiB, processMiB: Math.max(warmMiB, peakMiB) };
    console.log(JSON.stringify({ version, ...memory, times }));
  }
}

/** The version of a package beside this file. */
export function versionOf(name) {
  return createRequire(import.meta.url)(`./node_modules/${name}/package.json`).version;
}

/** Uniform in ±scale. */
export function randomArray(length, scale = 1) {
  return Float32Array.from({ length }, () => (2 * Math.random() - 1) * scale);
}

/** `[images, channels, height, width]` of the network that is measured. */
export const imageShape = () => [args.batch, ...(args.network === 'lenet' ? [1, 28, 28] : [3, 224, 224])];

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
