/**
 * Carries out docs/docker/Dockerfile without Docker: in fresh roots that debootstrap makes, where Node and npm come from the
 * npm packages `node` and `npm` instead of from the official image. Then it runs the image in the situations of
 * docs/containers.md. For root on Linux, with debootstrap and unshare. `-- --keep` leaves the roots in .setup/container.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const work = resolve('.setup/container');
const file = 'docs/docker/Dockerfile';
const certificates = '/etc/ssl/certs/ca-certificates.crt';

function must(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (result.status === 0) return result.stdout;
  const said = result.error?.message ?? `${result.stdout}${result.stderr}`.trim().slice(-3000);
  throw new Error(`${[command, ...args].join(' ')}:\n${said}`);
}

/** Stages of a Dockerfile: base, name and instructions. */
function stagesOf(text) {
  const stages = [];
  const lines = text.replaceAll(/\\\n\s*/g, '').split('\n');
  for (const line of lines) {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (name === 'FROM') {
      const [, base, , stage = null] = /^(\S+)( AS (\S+))?$/.exec(rest);
      stages.push({ base, name: stage, instructions: [] });
    } else {
      stages.at(-1).instructions.push({ name, rest });
    }
  }
  return stages;
}

/** The contents of `node:22-bookworm-slim`, as far as they matter here. */
function baseRoot(image) {
  const [, major, suite] = /^node:(\d+)-(\w+)-slim$/.exec(image);
  const root = join(work, `base-${major}-${suite}`);
  if (existsSync(root)) return root;
  const fresh = `${root}.new`;
  rmSync(fresh, { recursive: true, force: true });
  must('debootstrap', ['--variant=minbase', suite, fresh]);
  const packages = join(work, 'packages');
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  must('npm', ['install', '--prefix', packages, ...flags, `node@${major}`, 'npm@10']);
  const [bin, modules] = [join(fresh, 'usr/local/bin'), join(fresh, 'usr/local/lib/node_modules')];
  mkdirSync(modules, { recursive: true });
  copyFileSync(join(packages, 'node_modules/node/bin/node'), join(bin, 'node'));
  cpSync(join(packages, 'node_modules/npm'), join(modules, 'npm'), { recursive: true });
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name));
  must('chroot', [fresh, 'useradd', '--uid', '1000', '--create-home', '--shell', '/bin/bash', 'node']);
  must('mv', [fresh, root]);
  return root;
}

/** Proxies, certificates and registry of this machine, which an image of the official ones would not need. */
function network(root) {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  const env = Object.fromEntries(names.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : [])));
  env.npm_config_registry = must('npm', ['config', 'get', 'registry']).trim();
  copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
  if (existsSync(certificates)) {
    copyFileSync(certificates, join(root, 'etc/certificates.pem'));
    env.NODE_EXTRA_CA_CERTS = '/etc/certificates.pem';
  }
  return env;
}

/** Runs a command in a root, with namespaces of its own for mounts and processes. */
function inRoot(root, args, { env = {}, user = '0:0', cwd = '/', before = '' } = {}) {
  const variables = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...network(root), ...env };
  const script = `mount --bind "$0" "$0" && mount -t proc proc "$0/proc" ${before} && exec chroot --userspec=${user} "$0" /usr/bin/env -C "$@"`;
  const list = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return spawnSync('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', script, root, cwd, '-i', ...list, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
}

const expand = (root, pattern) =>
  must('sh', ['-c', `cd "$0" && ls -d ${pattern}`, root])
    .trim()
    .split('\n');

function build(stages) {
  const built = new Map();
  let image;
  for (const [i, { base, name, instructions }] of stages.entries()) {
    const root = join(work, name ?? 'image');
    rmSync(root, { recursive: true, force: true });
    must('cp', ['-a', '--reflink=auto', baseRoot(base), root]);
    image = { root, env: {}, user: '0:0', cwd: '/', entry: [], command: [] };
    for (const { name: instruction, rest } of instructions) {
      console.log(`${i + 1}/${stages.length}  ${instruction} ${rest}`);
      carryOut(image, built, instruction, rest);
    }
    built.set(name, image);
  }
  return image;
}

function carryOut(image, built, instruction, rest) {
  const { root, env, cwd } = image;
  const inside = (path) => join(root, resolve('/', cwd, path));
  if (instruction === 'RUN') {
    const result = inRoot(root, ['sh', '-c', rest], { env: { HOME: '/root', ...env }, cwd });
    if (result.status !== 0) throw new Error(`${rest}:\n${result.stdout}${result.stderr}`);
  } else if (instruction === 'COPY') {
    const words = rest.split(/\s+/);
    const from = /^--from=(.*)$/.exec(words[0])?.[1];
    const sources = words.slice(from === undefined ? 0 : 1, -1);
    const target = inside(words.at(-1));
    mkdirSync(target, { recursive: true });
    if (from !== undefined) {
      const other = built.get(from).root;
      for (const source of sources)
        for (const path of expand(other, source.slice(1)))
          copyFileSync(join(other, path), join(target, basename(path)));
    } else {
      // Git's files stand for those that the ignored list leaves.
      const files = must('git', ['ls-files', '--', ...sources])
        .trim()
        .split('\n');
      for (const path of files) cpSync(path, join(target, path));
    }
  } else if (instruction === 'WORKDIR') {
    image.cwd = resolve('/', cwd, rest);
    mkdirSync(join(root, image.cwd), { recursive: true });
  } else if (instruction === 'ENV') {
    const [name, value] = rest.split('=');
    env[name] = value;
  } else if (instruction === 'USER') {
    const [, , uid, gid] = new RegExp(`^${rest}:.*$`, 'm')
      .exec(readFileSync(join(root, 'etc/passwd'), 'utf8'))[0]
      .split(':');
    image.user = `${uid}:${gid}`;
    env.HOME = `/home/${rest}`;
  } else if (instruction === 'ENTRYPOINT') {
    image.entry = JSON.parse(rest);
  } else if (instruction === 'CMD') {
    image.command = JSON.parse(rest);
  } else if (instruction !== 'VOLUME') {
    throw new Error(`${file}: no rule for ${instruction}`);
  }
}

const readOnly = '&& mount -o remount,ro,bind "$0"';
const volume = (path) => `&& mount -t tmpfs -o mode=1777 tmpfs "$0${path}"`;
const lenet = ['train', 'lenet', '--data', 'mnist', '--epochs', '1'];

const volumes = `${volume('/work')} ${volume('/cache')}`;

/** How an image may be run; `expected` is the exit code, and `says` what it prints. */
const situations = [
  {
    title: 'the doctor finds all but the data',
    args: [],
    before: volumes,
    expected: 0,
    says: /✓ Engine.*\n(?:✓.*\n)*– MNIST/,
  },
  { title: 'LeNet on MNIST', args: lenet, before: volumes, expected: 0, says: /Done: / },
  {
    title: 'a user that the image does not know, without a home folder',
    args: lenet,
    user: '54321:54321',
    env: { HOME: '/' },
    before: volumes,
    expected: 0,
    says: /Done: /,
  },
  {
    title: 'a read-only root without /tmp: /work and /cache are volumes',
    args: lenet,
    before: `${volumes} ${readOnly}`,
    expected: 0,
    says: /Done: /,
  },
  {
    title: 'a read-only root without volumes is refused before anything is computed',
    args: lenet,
    env: { FOVEA_CACHE: '' },
    before: readOnly,
    expected: 2,
    says: /runs: expected to write it, got EROFS/,
  },
  {
    title: 'the doctor in a read-only root',
    args: [],
    env: { FOVEA_CACHE: '' },
    before: readOnly,
    expected: 1,
    says: /✗ MNIST .*cannot be downloaded(?:.|\n)*no folder to write to for the cache.*set FOVEA_CACHE/,
  },
];

if (process.platform !== 'linux' || process.getuid() !== 0) {
  console.error('container: expected root on Linux: debootstrap and chroot need it');
  process.exit(2);
}
mkdirSync(work, { recursive: true });
const image = build(stagesOf(readFileSync(file, 'utf8')));
const megabytes = must('du', ['-sm', '--exclude=proc', image.root]).split('\t')[0];
console.log(`\nimage of ${megabytes} MB\n`);
let failed = 0;
for (const { title, args, expected, says, user = image.user, env = {}, before = '' } of situations) {
  const start = Date.now();
  const words = [...image.entry, ...(args.length > 0 ? args : image.command)];
  const { status, stdout, stderr } = inRoot(image.root, words, {
    ...image,
    user,
    env: { ...image.env, ...env },
    before,
  });
  const ok = status === expected && says.test(stdout + stderr);
  if (!ok) failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${title}  (${((Date.now() - start) / 1000).toFixed(0)} s)`);
  if (!ok || process.argv.includes('--verbose')) console.log(`exit code ${status}\n${stdout}${stderr}`);
}
if (!process.argv.includes('--keep'))
  for (const name of ['build', 'image']) rmSync(join(work, name), { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;
