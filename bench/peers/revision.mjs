/** Names a state of the working tree. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The last commit that touched these paths, and a digest of what has been changed in them since. */
export function revisionOf(root, paths) {
  const git = (...args) =>
    spawnSync('git', [...args, '--', ...paths], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }).stdout ?? '';
  const commit = git('log', '-1', '--format=%h').trim() || 'unknown';
  const changes = git('diff', '--no-color', '--no-ext-diff', '--binary', 'HEAD');
  const added = git('ls-files', '-z', '--others', '--exclude-standard').split('\0').filter(Boolean);
  if (changes === '' && added.length === 0) return commit;
  const hash = createHash('sha256').update(changes);
  for (const file of added) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return `${commit}-${hash.digest('hex').slice(0, 8)}`;
}
