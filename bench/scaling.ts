/**
 * How the cost grows with the batch and with threads: images a second and peak memory for batches of 1, 2, 4 … and one or more
 * threads. Each measurement is a process of its own; they take turns, and the least median counts, since what else runs on a
 * machine only makes it slower.
 *
 * usage: npm run bench -- scaling [network] [--inference] [--precision=float32|bf16] [--batches=1,2,4,8,16,32,64]
 *        [--threads=1,2] [--rounds=3] [--quick]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../src/measure/profile.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    inference: { type: 'boolean', default: false },
    precision: { type: 'string', default: 'float32' },
    batches: { type: 'string', default: '1,2,4,8,16,32,64' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const [network = 'resnet50'] = positionals;
const { precision, quick } = values;
const [batches, threads] = [values.batches, values.threads].map((list) => list.split(',').map(Number));
const rounds = Number(values.rounds ?? (quick ? 1 : 3));

/** Time and memory of one process, or a message if the batch does not fit into memory. */
function measure(batch: number, threadCount: number): { ms: number; peakMiB: number } | string {
  const worker = fileURLToPath(new URL('peers/fovea.js', import.meta.url));
  const options = {
    network,
    mode: values.inference ? 'infer' : 'train',
    precision,
    batch,
    threads: threadCount,
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const turn = {
    warmup: { count: 1, seconds: quick ? 0 : 0.5, limit: 4 },
    steps: { count: quick ? 1 : 3, seconds: quick ? 0 : 1, limit: 6 },
  };
  const input = `${JSON.stringify(turn)}\n`;
  const { status, stdout, stderr } = spawnSync(process.execPath, [worker, ...args], { encoding: 'utf8', input });
  if (status !== 0) return /Error: (.*)/.exec(stderr)?.[1] ?? stderr.trim();
  // The first line says that all is ready, the last one answers.
  const { times, processMiB } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer;
  return { ms: median(times), peakMiB: processMiB };
}

interface Answer {
  readonly times: readonly number[];
  readonly processMiB: number;
}

interface Point {
  readonly batch: number;
  readonly threadCount: number;
  readonly times: number[];
  peakMiB: number;
  failure: string | null;
}

const points: Point[] = batches.flatMap((batch) =>
  threads.map((threadCount) => ({ batch, threadCount, times: [], peakMiB: 0, failure: null })),
);
for (let round = 1; round <= rounds; round++) {
  for (const point of points) {
    if (point.failure !== null) continue;
    const result = measure(point.batch, point.threadCount);
    const label = `round ${round}/${rounds}, batch ${point.batch}, threads ${point.threadCount}`;
    if (typeof result === 'string') {
      point.failure = result;
      console.error(`${label}: ${result}`);
      continue;
    }
    point.times.push(result.ms);
    point.peakMiB = Math.max(point.peakMiB, result.peakMiB);
    console.error(`${label}: ${result.ms.toFixed(2)} ms`);
  }
}

const ofMany = (threadCount: number) => `${threadCount} ${threadCount === 1 ? 'thread' : 'threads'}`;
const row = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
console.log(
  `${network}, ${values.inference ? 'inference' : 'training step'}, ${precision}, the least median of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}\n`,
);
row(['batch', ...threads.flatMap((n) => [`${ofMany(n)}: ms`, 'images/s', 'MiB']), 'speed-up by threads']);
row(['--:', ...threads.flatMap(() => ['--:', '--:', '--:']), '--:']);
for (const batch of batches) {
  const own = points.filter((point) => point.batch === batch);
  const cells = own.flatMap(({ times, peakMiB }) => {
    if (times.length === 0) return ['–', '–', '–'];
    const ms = Math.min(...times);
    return [ms.toFixed(ms < 10 ? 2 : 1), ((1000 * batch) / ms).toFixed(1), peakMiB.toFixed(0)];
  });
  const [first, last] = [own[0], own[own.length - 1]];
  const gain =
    first.times.length > 0 && last.times.length > 0 ? Math.min(...first.times) / Math.min(...last.times) : null;
  row([String(batch), ...cells, gain === null ? '–' : gain.toFixed(2)]);
}
