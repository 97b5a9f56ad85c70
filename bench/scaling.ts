/**
 * How the cost grows with the batch and with threads: images a second and peak memory for batches of 1, 2, 4 … and one or more
 * threads. Each measurement is a process of its own; they take turns, so that drift of the machine hits all alike.
 *
 * usage: npm run bench -- scaling [network] [--inference] [--precision=float32|bf16] [--batches=1,2,4,8,16,32,64]
 *        [--threads=1,2] [--rounds=3] [--quick]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../src/model/profile.js';

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

/** What one process measures; a message instead where the batch does not fit into memory. */
function measure(batch: number, threadCount: number): { ms: number; peakRssMiB: number } | string {
  const worker = fileURLToPath(new URL('peers/fovea.js', import.meta.url));
  const options = {
    network,
    mode: values.inference ? 'infer' : 'train',
    precision,
    batch,
    threads: threadCount,
    ...(quick ? { warmup: 1, steps: 2, seconds: 0 } : {}),
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [worker, ...args], { encoding: 'utf8' });
  if (status !== 0) return /Error: (.*)/.exec(stderr)?.[1] ?? stderr.trim();
  const { times, peakRssMiB } = JSON.parse(stdout) as { times: number[]; peakRssMiB: number };
  return { ms: median(times), peakRssMiB };
}

interface Point {
  readonly batch: number;
  readonly threadCount: number;
  readonly times: number[];
  peakRssMiB: number;
  failure: string | null;
}

const points: Point[] = batches.flatMap((batch) =>
  threads.map((threadCount) => ({ batch, threadCount, times: [], peakRssMiB: 0, failure: null })),
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
    point.peakRssMiB = Math.max(point.peakRssMiB, result.peakRssMiB);
    console.error(`${label}: ${result.ms.toFixed(2)} ms`);
  }
}

const ofMany = (threadCount: number) => `${threadCount} ${threadCount === 1 ? 'thread' : 'threads'}`;
const row = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
console.log(
  `${network}, ${values.inference ? 'inference' : 'training step'}, ${precision}, medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}\n`,
);
row(['batch', ...threads.flatMap((n) => [`${ofMany(n)}: ms`, 'images/s', 'MiB']), 'speed-up by threads']);
row(['--:', ...threads.flatMap(() => ['--:', '--:', '--:']), '--:']);
for (const batch of batches) {
  const own = points.filter((point) => point.batch === batch);
  const cells = own.flatMap(({ times, peakRssMiB }) => {
    if (times.length === 0) return ['–', '–', '–'];
    const ms = median(times);
    return [ms.toFixed(ms < 10 ? 2 : 1), ((1000 * batch) / ms).toFixed(1), peakRssMiB.toFixed(0)];
  });
  const [first, last] = [own[0], own[own.length - 1]];
  const gain = first.times.length > 0 && last.times.length > 0 ? median(first.times) / median(last.times) : null;
  row([String(batch), ...cells, gain === null ? '–' : gain.toFixed(2)]);
}
