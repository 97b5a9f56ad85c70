/**
 * Makes a fresh clone ready: npm packages, compiled sources, and then `fovea setup`. Plain Node, no packages.
 *
 * It changes nothing that is already there: a second call takes a moment and prints nothing.
 * With `--tests` it also gets Chromium for the tests, as root of a Debian system; elsewhere those tests are skipped.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
class SetupError extends Error {
  /** @param {number} code exit code: 1 a step failed, 2 this machine lacks something */
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

function run(command, args, env = {}) {
  return spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
}

const succeeds = (command, args) => run(command, args).status === 0;

/** The first lines, where npm says why, and the last ones, where compilers and apt do. */
function excerpt(lines) {
  return (lines.length <= 40 ? lines : [...lines.slice(0, 15), '…', ...lines.slice(-25)]).join('\n');
}

/** Runs a step that takes a while, with one line before it and one after. */
function step(title, command, args, env) {
  const start = Date.now();
  console.log(`setup: ${title} …`);
  const result = run(command, args, env);
  if (result.status !== 0) {
    const output = excerpt(`${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n'));
    throw new SetupError(
      `${title} failed (${[command, ...args].join(' ')}):\n${result.error?.message ?? output}`,
      result.error?.code === 'ENOENT' ? 2 : 1,
    );
  }
  console.log(`setup: ${title} done in ${((Date.now() - start) / 1000).toFixed(0)} s`);
}

function checkNode() {
  const { node: range } = readJson('package.json').engines;
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor] = range.replace('>=', '').split('.').map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupError(`Node ${range} is needed, this is ${process.version}. See https://nodejs.org/en/download`, 2);
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** npm writes what it installed to a lock file of its own, last of all; an interrupted installation leaves none. */
function packagesInstalled() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

function installPackages() {
  if (packagesInstalled()) return;
  // Windows finds npm only as npm.cmd, which needs a shell; npm_execpath names its script.
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  step('npm packages', command, [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** A digest of names, sizes and times of everything the build reads. */
function sourcesDigest() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`${path}\0${mtimeMs}\0${size}\n`);
  };
  const walk = (folder) => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory()) walk(`${folder}/${entry.name}`);
      else add(`${folder}/${entry.name}`);
    }
  };
  walk('src');
  walk('studio');
  for (const file of ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json']) add(file);
  return hash.digest('hex');
}

function build() {
  const stamp = join(root, '.setup/build');
  const digest = sourcesDigest();
  const built =
    existsSync(join(root, 'dist/studio/page/index.html')) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === digest;
  if (built) return;
  step('build', process.execPath, ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.build.json']);
  step('page of the studio', process.execPath, ['scripts/buildStudio.mjs']);
  mkdirSync(join(root, '.setup'), { recursive: true });
  writeFileSync(stamp, digest);
}

/** The command prints what it does, and what would help if it cannot. */
function installLibrary() {
  const { status, signal } = spawnSync(process.execPath, ['dist/cli/main.js', 'setup', '--quiet'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status === 0) return;
  throw new SetupError(
    'everything but oneDNN is in place: without it, the portable engine computes, more slowly:\n' +
      '  node dist/cli/main.js train lenet --data mnist',
    status ?? 128 + constants.signals[signal],
  );
}

/** Whether this is Debian itself: Ubuntu's package of Chromium asks for snap. */
function isDebian() {
  return existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/** Tests that need Chromium are skipped without it, so that a failure here ends nothing. */
function installChromium() {
  const inPath = (name) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
  if (['chromium', 'chromium-browser', 'google-chrome'].some(inPath)) return;
  if (!isDebian() || process.getuid?.() !== 0) return;
  const apt = (...args) => ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    if (!succeeds('apt-cache', ['show', 'chromium'])) run('apt-get', apt('update'), env);
    step('Chromium for the tests', 'apt-get', apt('install', '-y', '--no-install-recommends', 'chromium'), env);
  } catch (error) {
    const [reason] = error.message.split('\n').slice(-1);
    console.log(`setup: Chromium is missing, and its tests are skipped: ${reason}`);
  }
}

try {
  checkNode();
  installPackages();
  build();
  installLibrary();
  if (process.argv.includes('--tests')) installChromium();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`setup: ${error.message}`);
  process.exitCode = error.code;
}
