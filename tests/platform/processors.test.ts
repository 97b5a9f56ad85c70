import { beforeEach, expect, test, vi } from 'vitest';
import { availableProcessors } from '../../src/platform/node.js';

const files = vi.hoisted(() => new Map<string, string>());

vi.mock('node:os', () => ({ availableParallelism: () => 16 }));
vi.mock('node:fs', () => ({
  readFileSync(path: string): string {
    const text = files.get(path);
    if (text === undefined) throw new Error('ENOENT');
    return text;
  },
}));

const write = (contents: Record<string, string>) => {
  for (const [path, text] of Object.entries(contents)) files.set(path, text);
};

beforeEach(() => files.clear());

test('without limits it is what the system says', () => {
  expect(availableProcessors()).toBe(16);
  write({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' });
  expect(availableProcessors()).toBe(16);
});

test.each([
  ['350000 100000', 3],
  ['100000 50000', 2],
  ['20000 100000', 1],
  ['9900000 100000', 16],
  ['400000', 4],
])('a control group of version 2 leaves its share: %s', (text, count) => {
  write({
    '/proc/self/cgroup': '0::/work/job\n',
    '/sys/fs/cgroup/work/job/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/work/cpu.max': `${text}\n`,
  });
  expect(availableProcessors()).toBe(count);
});

test('inside a container the root has the share, in version 1 too', () => {
  write({
    '/proc/self/cgroup': '9:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '250000\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  });
  expect(availableProcessors()).toBe(2);
  write({ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n' });
  expect(availableProcessors()).toBe(16);
});
