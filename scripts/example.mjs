/** Compiles examples/ and runs all examples, or the one named, with its arguments: `npm run example -- cifar10 ARCHIVE`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const folder = '.setup/examples';
/** Download much and train for hours: run only if they are named. Tests run them with small data. */
const long = ['cifar10'];
const node = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;

if (node('node_modules/typescript7/bin/tsc', '-p', 'tsconfig.examples.json') !== 0) process.exit(1);
const available = readdirSync('examples')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));
const [named, ...args] = process.argv.slice(2);
const wanted = named === undefined ? available.filter((name) => !long.includes(name)) : [named];
for (const name of wanted) {
  if (!available.includes(name)) {
    console.error(`no example '${name}': expected one of ${available.join(', ')}`);
    process.exit(2);
  }
  if (node(`${folder}/${name}.js`, ...args) !== 0) process.exit(1);
}
