/** Makes the peers ready, once: a virtual environment in the user's cache, npm packages beside this file. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = fileURLToPath(new URL('.', import.meta.url));

/** As `src/io/files/cacheFolder.ts` has it. */
function cacheFolder() {
  const { FOVEA_CACHE: own = '', XDG_CACHE_HOME: xdg = '' } = process.env;
  if (own !== '') return resolve(own);
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'fovea');
}

export const peersFolder = join(cacheFolder(), 'peers');

function run(title, command, args, advice, cwd = here) {
  console.error(`peers: ${title} …`);
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${title} failed${error === undefined ? '' : ` (${error.message})`}; ${advice}`);
}

/** The last release of torchvision asks for an older torch. Its networks are plain Python and run with this one, too. */
const unbound = ['torchvision==0.29.2', 'pillow'];

/**
 * The Python with torch and paddlepaddle of `requirements.txt`.
 *
 * @param python the interpreter that the environment is made with
 */
export function installPython(python) {
  const folder = join(peersFolder, 'python');
  const interpreter = join(folder, 'bin/python');
  const stamp = join(folder, 'requirements.txt');
  const requirements = `${readFileSync(join(here, 'requirements.txt'), 'utf8')}${unbound.join('\n')}\n`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === requirements) return interpreter;
  mkdirSync(peersFolder, { recursive: true });
  run(
    `virtual environment in ${folder}`,
    python,
    ['-m', 'venv', folder],
    "it needs Python 3 with its module venv; on Debian and Ubuntu 'apt-get install python3-venv'",
  );
  run(
    'PyTorch and PaddlePaddle from PyPI (some GB: torch brings CUDA libraries along)',
    interpreter,
    ['-m', 'pip', 'install', '--disable-pip-version-check', '-r', join(here, 'requirements.txt')],
    `look at pip's message above; an older or newer Python can be chosen with --python, after removing ${folder}`,
  );
  run(
    'torchvision from PyPI',
    interpreter,
    ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-deps', ...unbound],
    "look at pip's message above",
  );
  writeFileSync(stamp, requirements);
  return interpreter;
}

/** The packages of `package-lock.json`; their scripts, which would fetch CUDA libraries, do not run. */
export function installNode() {
  const installed = join(here, 'node_modules/.package-lock.json');
  const wanted = JSON.parse(readFileSync(join(here, 'package-lock.json'), 'utf8')).packages;
  const found = existsSync(installed) ? JSON.parse(readFileSync(installed, 'utf8')).packages : {};
  const complete = Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || found[path]?.version === version,
  );
  if (!complete) run('npm packages', 'npm', ['ci', '--ignore-scripts'], 'look at its message above');
}
