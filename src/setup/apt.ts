import { isSupported, speedRank } from '../engine/onednn/library.js';
import { type ProgramOptions, type ProgramResult, runProgram } from '../io/files/runProgram.js';
import { WayFailed } from './work.js';

/** Options of all calls: no waiting for servers that do not answer, no lists that are not needed. */
const options = [
  'Acquire::Retries=1',
  'Acquire::http::Timeout=30',
  'Acquire::https::Timeout=30',
  'Acquire::Languages=none',
  'DPkg::Lock::Timeout=120',
];

/** Runs a program of apt without questions. */
export type RunApt = (command: 'apt-get' | 'apt-cache', args: readonly string[]) => Promise<ProgramResult>;

/** @param own further options, and `prefix` the words before the program */
export function aptWith(
  settings: ProgramOptions,
  { own = [], prefix = [] }: { readonly own?: readonly string[]; readonly prefix?: readonly string[] },
): RunApt {
  const all = [...options, ...own].flatMap((option) => ['-o', option]);
  return (command, args) => {
    const [first, ...rest] = [...prefix, command, '-q', ...all, ...args];
    return runProgram(first as string, rest, { ...settings, env: { DEBIAN_FRONTEND: 'noninteractive' } });
  };
}

/** A package, and the release of oneDNN in it. */
export interface Package {
  readonly name: string;
  readonly release: readonly [major: number, minor: number, patch: number];
}

const pattern = /^libdnnl[\d.]+$/;

/**
 * The package with the library: among the supported releases one that is fastest for float32.
 *
 * @throws {WayFailed} if the package sources have none; the message lists those that they have
 */
export async function choosePackage(apt: RunApt): Promise<Package> {
  const names = (await apt('apt-cache', ['pkgnames', 'libdnnl'])).out.split('\n').filter((name) => pattern.test(name));
  const packages: Package[] = [];
  for (const name of names) {
    const { out } = await apt('apt-cache', ['show', '--no-all-versions', name]);
    const [, ...numbers] = /^Version: (?:\d+:)?(\d+)\.(\d+)(?:\.(\d+))?/m.exec(out) ?? [];
    const [major = 0, minor = 0, patch = 0] = numbers.map((text) => Number(text ?? 0));
    packages.push({ name, release: [major, minor, patch] });
  }
  const [best] = packages.filter(({ release }) => isSupported(release)).sort(byPreference);
  if (best !== undefined) return best;
  const found = packages.map(({ name, release }) => `${name} ${release.join('.')}`).join(', ');
  throw new WayFailed(`the package sources have no supported release${found === '' ? '' : `, but ${found}`}`);
}

function byPreference({ release: a }: Package, { release: b }: Package): number {
  const ranks = speedRank(a[0], a[1]) - speedRank(b[0], b[1]);
  return ranks || b[0] - a[0] || b[1] - a[1];
}

/** Node needs them too, so that they are there. */
const ofNode = ['libc6', 'libgcc-s1', 'libstdc++6'];

/** Names of the packages that a package needs: the first of alternatives. */
export async function dependenciesOf(apt: RunApt, name: string): Promise<readonly string[]> {
  const { out } = await apt('apt-cache', ['show', '--no-all-versions', name]);
  const [, line = ''] = /^Depends: (.*)$/m.exec(out) ?? [];
  const names = line.split(',').flatMap((part) => /[a-z0-9][a-z0-9.+-]*/.exec(part)?.[0] ?? []);
  return [...new Set(names)].filter((found) => !ofNode.includes(found));
}
