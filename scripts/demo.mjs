/** Trains LeNet on MNIST into a new run folder; passes its arguments to `fovea train`. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const extra = process.argv.slice(2);

/** `runs/demo`, or `runs/demo-2` and so on: earlier runs are never overwritten. */
function newFolder() {
  for (let i = 1; ; i++) {
    const folder = i === 1 ? 'runs/demo' : `runs/demo-${i}`;
    if (!existsSync(folder)) return folder;
  }
}

const out = extra.some((arg) => arg === '--out' || arg.startsWith('--out=')) ? [] : ['--out', newFolder()];
const args = ['dist/cli/main.js', 'train', 'lenet', '--data', 'mnist', '--seed', '1', ...out, ...extra];
console.log(`node ${args.join(' ')}`);

// Ctrl-C reaches the training too, which saves its state and ends by itself.
process.on('SIGINT', () => {});
spawn(process.execPath, args, { stdio: 'inherit' }).on('close', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
