/**
 * How much of the time of each kernel call is spent inside oneDNN: our clock around the call against the library's own
 * (DNNL_VERBOSE=1), each in a run of its own.
 *
 * usage: npm run bench -- kernels [lenet|residual] [batch]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openOneDnn } from '../src/engine/onednn/engine.js';
import { implementationOf } from '../src/engine/planned/steps.js';
import { trainingStep } from './networks.js';

const warmUp = 200;
const measured = 1000;

const [name = 'lenet', batchText = '10', mode = 'compare'] = process.argv.slice(2);
const batch = Number(batchText);

/** Milliseconds of each kernel call of a step, in order: means without the slowest tenth. */
async function outside(): Promise<{ name: string; ms: number }[]> {
  const step = trainingStep(name, batch);
  for (let i = 0; i < warmUp; i++) await step();
  const names: string[] = [];
  const times: number[][] = [];
  let place = 0;
  openOneDnn().observer = (executed, ms) => {
    if (executed.kind !== 'call' || implementationOf(executed).startsWith('code')) return;
    names[place] = executed.name;
    times[place] ??= [];
    times[place].push(ms);
    place++;
  };
  for (let i = 0; i < measured; i++) {
    place = 0;
    await step();
  }
  const clock = clockCost();
  return names.map((kernel, i) => ({ name: kernel, ms: trimmedMean(times[i]) - clock }));
}

function trimmedMean(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length * 0.9));
  return sorted.reduce((sum, x) => sum + x, 0) / sorted.length;
}

/** Time that reading the clock twice adds to each measurement. */
function clockCost(): number {
  const times = Array.from({ length: 100_000 }, () => {
    const start = performance.now();
    return performance.now() - start;
  });
  return trimmedMean(times.slice(times.length / 2));
}

function child(childMode: string, env: Record<string, string>): string {
  const self = fileURLToPath(import.meta.url);
  const result = spawnSync(process.execPath, [self, name, batchText, childMode], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout;
}

/** The library's own times in the same order. */
function inside(calls: number): number[] {
  const lines = child('run', { DNNL_VERBOSE: '1' })
    .split('\n')
    .filter((line) => line.includes('verbose,exec'));
  const last = lines.slice(-calls * measured);
  return Array.from({ length: calls }, (_, i) =>
    trimmedMean(Array.from({ length: measured }, (_, run) => Number(last[run * calls + i].split(',').at(-1)))),
  );
}

if (mode === 'run') {
  const step = trainingStep(name, batch);
  for (let i = 0; i < warmUp + measured; i++) await step();
} else if (mode === 'times') {
  console.log(JSON.stringify(await outside()));
} else {
  const ours = JSON.parse(child('times', {})) as { name: string; ms: number }[];
  const library = inside(ours.length);
  const families: [string, RegExp][] = [
    ['conv', /^conv2d/],
    ['linear', /^linear/],
    ['pool', /Pool2d/],
    ['norm', /^batchNorm/],
    ['other', /./],
  ];
  const totals = new Map<string, { ours: number; library: number }>();
  console.log(`${name}, batch ${batch}: microseconds a call, ours / inside oneDNN / share`);
  ours.forEach(({ name: kernel, ms }, i) => {
    const [family] = families.find(([, pattern]) => pattern.test(kernel)) as [string, RegExp];
    const total = totals.get(family) ?? { ours: 0, library: 0 };
    totals.set(family, { ours: total.ours + ms, library: total.library + library[i] });
    const share = ((100 * library[i]) / ms).toFixed(0);
    console.log(
      `${kernel.padEnd(28)} ${(1000 * ms).toFixed(2).padStart(9)} ${(1000 * library[i]).toFixed(2).padStart(9)} ${share.padStart(4)} %`,
    );
  });
  for (const [family, total] of totals) {
    const share = (100 * total.library) / total.ours;
    console.log(`${family.padEnd(7)} ${(1000 * total.ours).toFixed(1)} µs, ${share.toFixed(1)} % inside oneDNN`);
  }
}
