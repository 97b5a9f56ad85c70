import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ProgramMissing, runProgram } from '../io/files/runProgram.js';
import { add } from './add.js';
import { aptWith, choosePackage, type RunApt } from './apt.js';
import { failureOf } from './failure.js';
import { PrivateApt } from './privateApt.js';
import { inStaging, type Way, WayFailed, type Work } from './work.js';

const libraryFile = /^libdnnl\.so\.[\d.]+$/;

/** Gets the package of the distribution as any user, and unpacks it into the cache. */
export const byAptAlone: Way = {
  title: 'apt without root',
  get: (work) =>
    inStaging(work, async (folder) => {
      const apt = await PrivateApt.in(work, join(folder, 'apt'));
      const { name, release } = await apt.choose();
      const contents = join(folder, 'contents');
      await mkdir(contents);
      const library = await apt.copyLibrary(name, libraryFile, contents);
      if (library === null) throw new WayFailed(`${name} has no library`);
      const dependencies = async () => ({ apt, packages: await apt.dependencies(name) });
      await add(work, { folder, contents, library, way: 'apt', id: `${name}-${release.join('.')}`, dependencies });
    }),
};

/** Folders of the system in which apt's downloads grow. */
const progress = ['/var/lib/apt/lists', '/var/cache/apt/archives'];

/** Installs the package of the distribution as root, or by sudo if that asks for no password. */
export const byAptAsRoot: Way = {
  title: 'apt',
  get: async (work) => {
    const settings = { ...work, cwd: '/', progress };
    const prefix = await rootPrefix(work);
    const apt = aptWith(settings, { prefix });
    work.say('lists of packages by apt …');
    const lists = await apt('apt-get', ['update']);
    const { name } = await choosePackage(apt).catch((error: unknown) => {
      // Without lists there are no packages, and the reason is that of the lists.
      throw lists.status === 0 ? error : failureOf(lists.output);
    });
    work.say(`${name} by apt, for the whole system …`);
    const install = (run: RunApt, part: string) =>
      run('apt-get', ['install', '-y', '--no-install-recommends', part, name]);
    const packages = await install(apt, '--download-only');
    if (packages.status !== 0) throw failureOf(packages.output);
    // Nothing ends dpkg while it changes the system, unless it hangs.
    const patient = { ...settings, signal: new AbortController().signal, idleMs: 10 * work.idleMs };
    const { status, output } = await install(aptWith(patient, { prefix }), '--no-download');
    if (status !== 0) throw failureOf(output);
  },
};

/** The words before a command that make it run as root. */
async function rootPrefix(work: Work): Promise<readonly string[]> {
  if (process.getuid?.() === 0) return [];
  const refused = new WayFailed('it needs root, or sudo without a password');
  try {
    const { status } = await runProgram('sudo', ['-n', 'true'], { ...work, cwd: '/', progress: [] });
    if (status !== 0) throw refused;
  } catch (error) {
    throw error instanceof ProgramMissing ? refused : error;
  }
  return ['sudo', '-n', 'DEBIAN_FRONTEND=noninteractive'];
}
