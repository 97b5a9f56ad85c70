/** Compiles bench/ and runs one benchmark: `npm run bench -- kernels`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const node = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;

const available = readdirSync('bench')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));
const [name, ...rest] = process.argv.slice(2);
if (!available.includes(name)) {
  console.error(`usage: npm run bench -- ${available.join(' | ')} [arguments]`);
  process.exit(2);
}
if (node('node_modules/typescript7/bin/tsc', '-p', 'tsconfig.bench.json') !== 0) process.exit(1);
process.exitCode = node(`.setup/bench/bench/${name}.js`, ...rest);
