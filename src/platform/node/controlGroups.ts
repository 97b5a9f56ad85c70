import { readFileSync } from 'node:fs';

/**
 * Folders of the control groups that this process is in, from the innermost to the root.
 *
 * @param controller `memory` or `cpu`: in version 1 each has its own
 */
export function controlGroups(controller: string): string[] {
  const folders: string[] = [];
  for (const line of textOf('/proc/self/cgroup').split('\n')) {
    const [, controllers, path = '/'] = line.split(':');
    if (controllers !== '' && !controllers?.split(',').includes(controller)) continue;
    const root = controllers === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
    // Inside a container the paths may be those outside of it, and the root is its own group.
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = parts.length; depth >= 0; depth--) folders.push([root, ...parts.slice(0, depth)].join('/'));
  }
  return folders;
}

/** Empty if the file is not there. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
