/** Releases of oneDNN from the Python package index, for tests and measurements. They need GNU OpenMP alone. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** Release of the wheel, checksum, and the library within it, by release of oneDNN. */
export const wheels = {
  '2.6.0': {
    requirement: 'onednn-cpu-gomp==2022.2.1',
    sha256: '091357f4d66ebd6a391d4327e0bee2401597b30753f087222bb3559c1b4e625e',
    member: 'libdnnl.so.2.6',
  },
  '3.1.0': {
    requirement: 'onednn-cpu-gomp==2023.1.0',
    sha256: '5635b0c0ea5d9ae0688fbab8346c465c40cb0db3a5db39ff744353ccda435cac',
    member: 'libdnnl.so.3.1',
  },
  '3.2.0': {
    requirement: 'onednn-cpu-gomp==2023.2.0',
    sha256: '2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb',
    member: 'libdnnl.so.3.2',
  },
};

function must(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status === 0) return;
  throw new Error(`${[command, ...args].join(' ')}: ${result.error?.message ?? result.stderr.trim().slice(-2000)}`);
}

/** Path of the library of a release, fetched by pip into a folder at the first call. */
export function oneDnnFromWheel(release, folder) {
  const { requirement, sha256, member } = wheels[release];
  const own = join(folder, `onednn-${release}`);
  const library = join(own, member);
  if (existsSync(library)) return library;
  mkdirSync(own, { recursive: true });
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', own];
  must('python3', [...pip, requirement]);
  const file = readdirSync(own).find((name) => name.endsWith('.whl'));
  const found = createHash('sha256')
    .update(readFileSync(join(own, file)))
    .digest('hex');
  if (found !== sha256) throw new Error(`${file}: expected the checksum ${sha256}, got ${found}`);
  const code = [
    'import sys, zipfile',
    'archive = zipfile.ZipFile(sys.argv[1])',
    "name = [n for n in archive.namelist() if n.endswith('/' + sys.argv[2])][0]",
    "open(sys.argv[3], 'wb').write(archive.read(name))",
  ].join('\n');
  must('python3', ['-c', code, join(own, file), member, `${library}.new`]);
  renameSync(`${library}.new`, library);
  return library;
}
