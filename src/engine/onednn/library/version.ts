/** A release of oneDNN. */
export type Version = readonly [major: number, minor: number, patch: number];

/** Releases with a C API that the bindings know: from a minor version on, within a major one. */
const supported: readonly { readonly major: number; readonly fromMinor: number }[] = [
  { major: 2, fromMinor: 6 },
  { major: 3, fromMinor: 1 },
];

/** The supported releases, for messages. */
export const supportedReleases = supported
  .map(({ major, fromMinor }) => `${major}.x from ${major}.${fromMinor} on`)
  .join(' or ');

/** Whether the bindings know the C API of a release. */
export function isSupported([major, minor]: Version): boolean {
  return supported.some((releases) => major === releases.major && minor >= releases.fromMinor);
}

/** Why a release is not supported; `null` if it is. */
export function versionProblem(version: Version): string | null {
  if (isSupported(version)) return null;
  const [major, minor] = version;
  const isOld = supported.every(
    (releases) => major < releases.major || (major === releases.major && minor < releases.fromMinor),
  );
  return `version ${version.join('.')} is ${isOld ? 'too old' : 'not supported'}`;
}

/** Rank of a release by its speed for float32, from 0: later ones have no Winograd kernels for x86-64. */
export function speedRank(major: number, minor: number): number {
  if (major === 2) return 0;
  return major === 3 && minor < 2 ? 1 : 2;
}
