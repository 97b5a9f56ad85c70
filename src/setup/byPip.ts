import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../io/files/atomic.js';
import { runProgram } from '../io/files/runProgram.js';
import { ZipArchive } from '../io/files/zip.js';
import { add } from './add.js';
import { failureOf } from './failure.js';
import { PrivateApt } from './privateApt.js';
import { inStaging, type Way, WayFailed, type Work } from './work.js';

/** A package of Python with the library in it. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** File name of the library in it. */
  readonly library: string;
  /** Packages of Debian and Ubuntu with the libraries that it needs. */
  readonly packages: readonly string[];
}

/** Intel's build of oneDNN 2.6.0 on GNU OpenMP, for all Linux systems with the GNU C library from 2.17 on. */
const oneDnn: Wheel = {
  name: 'onednn-cpu-gomp',
  version: '2022.2.1',
  sha256: '091357f4d66ebd6a391d4327e0bee2401597b30753f087222bb3559c1b4e625e',
  library: 'libdnnl.so.2.6',
  packages: ['libgomp1'],
};

/** Gets the library by pip, as any user. The checksum is that of the wheel for x86-64. */
export function byPip(wheel: Wheel = oneDnn): Way {
  return {
    title: 'pip',
    get: async (work) => {
      if (process.arch !== 'x64') throw new WayFailed('its builds are for x86-64');
      await inStaging(work, async (folder) => {
        work.say(`${wheel.name} ${wheel.version} by pip …`);
        const archive = await download(work, folder, wheel);
        const contents = join(folder, 'contents');
        await mkdir(contents);
        await unpack(archive, wheel, join(contents, wheel.library));
        let apt: PrivateApt | null = null;
        const dependencies = async () => {
          apt ??= await PrivateApt.in(work, join(folder, 'apt'));
          return { apt, packages: wheel.packages };
        };
        const { library, version: id } = wheel;
        await add(work, { folder, contents, library, way: 'pip', id, dependencies });
      });
    },
  };
}

/** Runs pip; returns the path of the wheel. */
async function download(work: Work, folder: string, { name, version }: Wheel): Promise<string> {
  const target = join(folder, 'wheels');
  await mkdir(target);
  const options = ['--no-deps', '--only-binary=:all:', '--no-input', '--progress-bar', 'off', '--retries', '2'];
  // The user's settings could make pip ask, or refuse.
  const env = { TMPDIR: folder, PIP_REQUIRE_VIRTUALENV: '0', PIP_NO_INPUT: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  const { status, output } = await runProgram(
    'python3',
    ['-m', 'pip', 'download', ...options, '--dest', target, `${name}==${version}`],
    { ...work, cwd: folder, env, progress: [folder] },
  );
  if (output.includes('No module named pip')) throw new WayFailed('python3 has no pip');
  if (status !== 0) throw failureOf(output);
  const wheel = (await readdir(target)).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) throw new WayFailed('it got no wheel');
  return join(target, wheel);
}

async function unpack(archive: string, { sha256, library }: Wheel, path: string): Promise<void> {
  const found = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  if (found !== sha256) {
    throw new WayFailed(`expected a wheel with sha256 ${sha256}, got ${found}: the package index has another file`);
  }
  const zip = await ZipArchive.open(archive);
  try {
    const entry = zip.entries.find(({ name }) => name.endsWith(`/${library}`));
    if (entry === undefined) throw new WayFailed(`its wheel has no ${library}`);
    await writeFileAtomic(path, entry.read());
  } finally {
    zip.close();
  }
}
