import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';
import { libraryInUse } from '../src/engine/onednn/ffi/library.js';

/**
 * Properties of a machine that some tests need. They are read from the system and from the variables that restrict the
 * engine, never from the code under test, so that code which wrongly sees no AVX2 or AVX-512 fails its tests.
 */
export type Feature =
  | 'avx2'
  | 'avx512'
  | 'bf16'
  | 'winograd'
  | 'linux'
  | 'posix'
  | 'user'
  | 'chromium'
  | 'bash'
  | 'zsh'
  | 'fish';

/** The flags of the processor. */
function processorFlags(): readonly string[] {
  if (process.platform !== 'linux' || process.arch !== 'x64') return [];
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  return line.trim().split(/\s+/);
}

const flags = processorFlags();

/** Instructions that oneDNN may use under a value of `ONEDNN_MAX_CPU_ISA`. */
export function instructionsUnder(limit: string): Readonly<Record<'avx2' | 'avx512' | 'bf16', boolean>> {
  const kept = (name: string) => {
    if (limit === 'ALL' || limit.startsWith('AVX512_CORE_AMX') || limit === 'AVX512_CORE_BF16') return true;
    if (/^AVX512_CORE/.test(limit)) return name !== 'avx512_bf16';
    return !name.startsWith('avx512') && (limit === 'AVX2' || limit === 'AVX2_VNNI' || name !== 'avx2');
  };
  const has = (...names: readonly string[]) => names.every((name) => flags.includes(name) && kept(name));
  const avx512 = has('avx512f', 'avx512bw', 'avx512vl', 'avx512dq');
  return { avx2: has('avx2', 'fma'), avx512, bf16: avx512 && has('avx512_bf16') };
}

const instructions = instructionsUnder(process.env.ONEDNN_MAX_CPU_ISA ?? process.env.DNNL_MAX_CPU_ISA ?? 'ALL');
// Machine code of the project's own is what needs AVX2 or AVX-512; FOVEA_CODE=0 turns it off.
const runsCode = process.env.FOVEA_CODE !== '0';

/** The path of Chromium; `null` if there is none in the search path. */
export const chromium = (): string | null => programOf('chromium', 'chromium-browser', 'google-chrome');

/** The path of the first of some programs in the search path; `null` if there is none of them. */
function programOf(...names: readonly string[]): string | null {
  const paths = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const isProgram = (path: string) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return paths.find(isProgram) ?? null;
}

/** Whether the library in use is of a release before this one; false if there is none. */
function isBefore(major: number, minor: number): boolean {
  try {
    const [ownMajor, ownMinor] = libraryInUse().version;
    return ownMajor < major || (ownMajor === major && ownMinor < minor);
  } catch {
    return false;
  }
}

/** Winograd's kernels are the library's: releases of oneDNN before 3.2 have them for AVX-512. */
export const libraryHasWinograd = (): boolean => isBefore(3, 2);

const features: Readonly<Record<Feature, boolean>> = {
  avx2: instructions.avx2 && runsCode,
  avx512: instructions.avx512 && runsCode,
  bf16: instructions.bf16 && runsCode,
  get winograd() {
    return instructions.avx512 && libraryHasWinograd();
  },
  linux: process.platform === 'linux',
  posix: process.platform !== 'win32',
  // Permissions do not bind root.
  user: process.getuid?.() !== 0,
  chromium: chromium() !== null,
  bash: programOf('bash') !== null,
  zsh: programOf('zsh') !== null,
  fish: programOf('fish') !== null,
};

const isFeature = (name: string): name is Feature => Object.hasOwn(features, name);

/** Features that must be there: `FOVEA_EXPECT=avx512,bf16`. Tests that would be skipped for the lack of one fail. */
function expected(): ReadonlySet<Feature> {
  const names = (process.env.FOVEA_EXPECT ?? '').split(',').filter((name) => name !== '');
  const wrong = names.find((name) => !isFeature(name));
  if (wrong !== undefined) {
    throw new Error(`FOVEA_EXPECT: expected some of ${Object.keys(features).join(', ')}, got '${wrong}'`);
  }
  return new Set(names.filter(isFeature));
}

export const has = (feature: Feature): boolean => features[feature];

/** Whether machine code of the project's own runs under a value of `FOVEA_CODE`, for tests that set it. */
export const codeRunsWith = (allowed: string): boolean => instructions.avx2 && allowed === '1';

/** `scripts/test.mjs` counts skipped tests by this part of their names. */
const named = (title: string, feature: Feature) => `${title} (needs ${feature})`;

const missing = (feature: Feature) => () => {
  throw new Error(`FOVEA_EXPECT names ${feature}, which this machine does not have`);
};

/** A group of tests that is skipped, by name, on machines without the feature. */
export function describeWith(feature: Feature, title: string, body: () => void): void {
  describe.runIf(has(feature))(named(title, feature), body);
  if (!has(feature) && expected().has(feature)) it(named(title, feature), missing(feature));
}

/** A test that is skipped, by name, on machines without the feature. */
export function itWith(feature: Feature, title: string, body: () => unknown, timeout?: number): void {
  const isExpected = !has(feature) && expected().has(feature);
  it.runIf(has(feature) || isExpected)(named(title, feature), isExpected ? missing(feature) : body, timeout);
}
