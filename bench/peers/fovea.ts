/** Measures Fovea, as the other workers measure theirs. */
import { parseArgs } from 'node:util';
import { engineInfo, type precisionNames, setPrecision, setThreads } from '../../src/engine/select.js';
import { benchmark } from '../../src/model/benchmark.js';

const names = ['network', 'mode', 'precision', 'variant', 'batch', 'threads', 'warmup', 'steps', 'seconds', 'input'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const args = values as Record<string, string> & { input?: string };
const precision = args.precision as (typeof precisionNames)[number];

setThreads(Number(args.threads));
if (setPrecision(precision) !== precision) throw new Error(`this processor has no instructions for ${precision}`);
// Left to itself, it measures for as long as the others are told to: two seconds.
const counts = args.seconds === '0' ? { warmup: Number(args.warmup), steps: Number(args.steps) } : {};
const { result, times } = await benchmark({
  model: args.network,
  batch: Number(args.batch),
  inference: args.mode === 'infer',
  input: args.input?.split(',').map(Number),
  ...counts,
});
console.log(JSON.stringify({ version: engineInfo().description, peakRssMiB: result.peakRssMiB, times }));
