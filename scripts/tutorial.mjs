/**
 * Runs the commands of docs/tutorial.md and writes their output into the page, and into its translation:
 * `node scripts/tutorial.mjs`. A command begins with `$ ` in a block of type `console`; it runs in `.setup/tutorial`, where
 * `fovea` is the command line of this repository. Lines of progress are left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve('.');
const folder = join(root, '.setup/tutorial');
const pages = ['docs/tutorial.md', 'docs/tutorial.zh.md'].filter((page) => existsSync(page));
const block = /^```console\n([\s\S]*?)^```$/gm;
const isCommand = (line) => line.startsWith('$ ') || line.startsWith('> ');

/** The commands of a block: a line that begins with `> ` continues the one before. */
const commandsOf = (text) => text.split('\n').filter(isCommand);

function outputOf(command) {
  const text = command.map((line) => line.slice(2)).join('\n');
  const script = `fovea() { node ${root}/dist/cli/main.js "$@"; }\n${text}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-ec', script], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${text}: exit code ${status}\n${stderr}`);
  return stdout
    .replaceAll('node ../../dist/cli/main.js', 'fovea')
    .replaceAll(`${folder}/`, '')
    .replaceAll(`${root}/`, '')
    .split('\n')
    .filter((line) => !/ETA/.test(line))
    .join('\n')
    .trimEnd();
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const outputs = new Map();
for (const page of pages) {
  const text = readFileSync(page, 'utf8').replace(block, (_, inside) => {
    const commands = [];
    for (const line of commandsOf(inside)) {
      if (line.startsWith('$ ')) commands.push([line]);
      else commands.at(-1).push(line);
    }
    const lines = commands.flatMap((command) => {
      const key = command.join('\n');
      if (!outputs.has(key)) {
        console.error(key);
        outputs.set(key, outputOf(command));
      }
      return outputs.get(key) === '' ? [key] : [key, outputs.get(key)];
    });
    return `\`\`\`console\n${lines.join('\n')}\n\`\`\``;
  });
  writeFileSync(page, text);
}
