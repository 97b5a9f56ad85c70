/**
 * A LeNet training step against PyTorch's, alternating in one run. PyTorch must be importable by the python given
 * (Debian: apt-get install python3-torch, then /usr/bin/python3; or pip install torch).
 *
 * usage: npm run bench -- lenet [rounds] [python]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compilationCount } from '../src/runtime/realize.js';
import { trainingStep } from './networks.js';

const batch = 10;
const steps = 4000;
const [roundsText = '5', python = 'python3'] = process.argv.slice(2);
const rounds = Number(roundsText);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Runs a command that prints one JSON object with `medianMs`. */
function measure(command: string, ...args: string[]): number {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
  return (JSON.parse(result.stdout) as { medianMs: number }).medianMs;
}

if (roundsText === 'self') {
  const step = trainingStep('lenet', batch);
  const times: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  const measured = times.slice(steps / 2);
  console.log(JSON.stringify({ medianMs: median(measured), programs: compilationCount() }));
} else {
  const self = fileURLToPath(import.meta.url);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(measure(process.execPath, self, 'self'));
    theirs.push(measure(python, 'bench/lenet_torch.py', String(batch), '2'));
    console.log(
      `round ${i + 1}: Fovea ${ours[i].toFixed(3)} ms, PyTorch ${theirs[i].toFixed(3)} ms, ratio ${(ours[i] / theirs[i]).toFixed(2)}`,
    );
  }
  const ratio = median(ours.map((ms, i) => ms / theirs[i]));
  console.log(
    `LeNet, batch ${batch}, medians: Fovea ${median(ours).toFixed(3)} ms, PyTorch ${median(theirs).toFixed(3)} ms, ratio ${ratio.toFixed(2)}`,
  );
}
