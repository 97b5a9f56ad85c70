import { totalmem } from 'node:os';
import { beforeEach, expect, test, vi } from 'vitest';
import { availableMemory } from '../../src/platform/node.js';

const files = vi.hoisted(() => new Map<string, string>());

vi.mock('node:fs', () => ({
  readFileSync(path: string): string {
    const text = files.get(path);
    if (text === undefined) throw new Error('ENOENT');
    return text;
  },
}));

const gibibyte = 2 ** 30;
const write = (contents: Record<string, string>) => {
  for (const [path, text] of Object.entries(contents)) files.set(path, text);
};

beforeEach(() => {
  files.clear();
  write({ '/proc/meminfo': 'MemTotal:       25165824 kB\nMemFree: 1 kB\nMemAvailable:   16777216 kB\n' });
});

test('without limits it is what the system says, and without a system that says so all of its memory', () => {
  expect(availableMemory()).toBe(16 * gibibyte);
  files.clear();
  expect(availableMemory()).toBe(totalmem());
});

test('a control group of version 2 leaves its limit less what is used, file caches not counted', () => {
  write({
    '/proc/self/cgroup': '0::/work/job\n',
    '/sys/fs/cgroup/work/job/memory.max': 'max\n',
    '/sys/fs/cgroup/work/job/memory.current': `${9 * gibibyte}\n`,
    '/sys/fs/cgroup/work/memory.max': `${8 * gibibyte}\n`,
    '/sys/fs/cgroup/work/memory.current': `${7 * gibibyte}\n`,
    '/sys/fs/cgroup/work/memory.stat': `anon 5\ninactive_file ${2 * gibibyte}\nactive_file ${gibibyte}\n`,
  });
  expect(availableMemory()).toBe(4 * gibibyte);
});

test('inside a container the root has the limit, in version 1 too', () => {
  write({
    '/proc/self/cgroup': '9:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${3 * gibibyte}\n`,
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${gibibyte}\n`,
    '/sys/fs/cgroup/memory/memory.stat': 'cache 1\ntotal_inactive_file 77\n',
  });
  expect(availableMemory()).toBe(2 * gibibyte);
  // No limit is a very large number there.
  write({ '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' });
  expect(availableMemory()).toBe(16 * gibibyte);
});

test('a limit that is used up leaves nothing', () => {
  write({
    '/proc/self/cgroup': '0::/\n',
    '/sys/fs/cgroup/memory.max': `${gibibyte}\n`,
    '/sys/fs/cgroup/memory.current': `${2 * gibibyte}\n`,
  });
  expect(availableMemory()).toBe(0);
});
