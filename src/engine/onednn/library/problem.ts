import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Candidate } from './candidates.js';
import { elfProblem } from './elf.js';

/** Why a file must not be opened; `null` if its owner and its headers are in order. */
export function problemBefore({ path, origin }: Candidate): string | null {
  try {
    const isCached = origin.startsWith('cache');
    return (isCached ? ownerProblem(path) : null) ?? (process.platform === 'linux' ? elfProblem(path) : null);
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** The cache may be in a folder for temporary files, where others could put a library of theirs. */
function ownerProblem(path: string): string | null {
  const own = process.getuid?.();
  const folder = dirname(path);
  const others = [path, folder, dirname(folder)].find((name) => {
    const { uid, mode } = statSync(name);
    return own !== undefined && ((uid !== own && uid !== 0) || (mode & 0o002) !== 0);
  });
  return others === undefined ? null : `other users can change ${others}`;
}
