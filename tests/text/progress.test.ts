import { afterEach, describe, expect, test, vi } from 'vitest';
import { Progress, type ProgressOptions } from '../../src/text/progress.js';

/** A progress on a stream that keeps what was written, with a clock that is moved by hand. */
function setUp(options: Partial<ProgressOptions> & { isTTY?: boolean; columns?: number } = {}) {
  const { isTTY = false, columns = 100, ...rest } = options;
  const written: string[] = [];
  const clock = { ms: 0, looks: 0 };
  const progress = new Progress({
    label: 'epoch 1/5',
    unit: 'images',
    stream: { write: (text) => written.push(text), isTTY, columns },
    now: () => {
      clock.looks++;
      return clock.ms;
    },
    ...rest,
  });
  return { progress, written, clock, last: () => written.at(-1) ?? '' };
}

const interruptListeners = process.listeners('SIGINT');

afterEach(() => {
  vi.restoreAllMocks();
  expect(process.listeners('SIGINT')).toEqual(interruptListeners);
});

describe('lines', () => {
  test('come first at once, then at intervals, then at the end', () => {
    const { progress, written, clock } = setUp({ total: 60_000, lineSeconds: 2 });
    for (let done = 10; done <= 60_000; done += 10) {
      clock.ms += 1;
      progress.update(done, { loss: 2 - done / 60_000 });
    }
    progress.finish({ loss: 1 });
    expect(written).toEqual([
      'epoch 1/5  10/60,000 images  ETA 6.0 s  loss 1.9998  10,000/s\n',
      expect.stringMatching(/^epoch 1\/5 {2}20,\d\d0\/60,000 images {2}ETA 4\.0 s {2}loss 1\.66\d\d {2}10,000\/s\n$/),
      expect.stringMatching(
        /^epoch 1\/5 {2}40,\d\d0\/60,000 images {2}ETA [12]\.\d s {2}loss 1\.3[23]\d\d {2}10,000\/s\n$/,
      ),
      'epoch 1/5  60,000 images  6.0 s  10,000/s  loss 1.0000\n',
    ]);
  });

  test('come after each so much work, however quick the steps are', () => {
    const { progress, written } = setUp({ total: 1000, lineEvery: 300 });
    for (let done = 1; done <= 1000; done++) progress.update(done);
    progress.finish();
    expect(written.map((line) => / {2}([\d,]+)/.exec(line)?.[1])).toEqual(['1', '301', '601', '901', '1,000']);
  });

  test('of patient work begin after the first interval', () => {
    const { progress, written, clock } = setUp({ total: 100, lineSeconds: 10, patient: true });
    for (let done = 1; done <= 30; done++) {
      clock.ms = 1000 * done;
      progress.update(done);
    }
    expect(written.map((line) => / {2}(\d+)\/100/.exec(line)?.[1])).toEqual(['10', '20', '30']);
  });

  test('of work that began earlier show its rate', () => {
    const { progress, written, clock } = setUp({ total: 4000, begun: -1000 });
    clock.ms = 1000;
    progress.update(2000);
    expect(written).toEqual(['epoch 1/5  2,000/4,000 images  ETA 2.0 s  1,000/s\n']);
  });

  test('do without a total', () => {
    const { progress, written, clock } = setUp();
    clock.ms = 4000;
    progress.update(8, { file: 'a\x1b[2J.png' });
    expect(written).toEqual(['epoch 1/5  8 images  4.0 s  file a\\x1b[2J.png  2/s\n']);
  });
});

describe('bar', () => {
  test('is redrawn at most ten times a second and replaced by a line at the end', () => {
    const { progress, written, clock, last } = setUp({ isTTY: true, total: 100_000 });
    for (let done = 1; done <= 50_000; done++) {
      clock.ms += 0.2;
      progress.update(done, { loss: 0.5 });
    }
    expect(written.length).toBeGreaterThan(80);
    expect(written.length).toBeLessThanOrEqual(101);
    expect(last().slice(1, -3)).toMatch(
      /^epoch 1\/5 {2}█{12}░{12} {2}4\d,\d{3}\/100,000 images {2}ETA 10\.\d s {2}loss 0\.5000 {2}5,000\/s$/,
    );
    progress.finish();
    expect(written.slice(-2)).toEqual(['\r\x1b[K', 'epoch 1/5  50,000 images  10.0 s  5,000/s  loss 0.5000\n']);
  });

  test('never fills the last column, and shows nothing beyond its width', () => {
    for (const columns of [5, 12, 30, 60, 80]) {
      const { progress, last, clock } = setUp({ isTTY: true, columns, total: 60_000 });
      clock.ms = 1000;
      progress.update(70_000, { loss: 0.5, accuracy: '12.5 %' });
      const shown = last().replace('\r', '').replace('\x1b[K', '');
      expect(shown.length).toBeGreaterThan(0);
      expect(shown.length).toBeLessThan(columns);
      progress.stop();
    }
  });

  test('takes a terminal that does not know its width for 80 columns', () => {
    const { progress, last } = setUp({ isTTY: true, columns: 0, total: 60_000 });
    expect(last()).toContain('0/60,000 images');
    progress.stop();
  });

  test('looks at the clock every 16 quick steps, and at every slow one', () => {
    const { progress, clock } = setUp({ isTTY: true, total: 1e6 });
    const looksDuring = (steps: number, ms: number) => {
      const before = clock.looks;
      for (let i = 0; i < steps; i++) {
        clock.ms += ms;
        progress.update(i);
      }
      return clock.looks - before;
    };
    expect(looksDuring(1600, 0.2)).toBeLessThan(110);
    expect(looksDuring(116, 200)).toBeGreaterThanOrEqual(100);
    progress.stop();
  });

  test('leaves the terminal clean on Ctrl-C and lets it end the process', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const { progress, written, last } = setUp({ isTTY: true, total: 10 });
    const added = process.listeners('SIGINT').filter((listener) => !interruptListeners.includes(listener));
    expect(added).toHaveLength(1);
    const others = process.listeners('SIGINT').length - 1;
    added[0]('SIGINT');
    expect(last()).toBe('\r\x1b[K');
    expect(kill.mock.calls).toEqual(others === 0 ? [[process.pid, 'SIGINT']] : []);
    const count = written.length;
    progress.update(5);
    progress.finish();
    expect(written).toHaveLength(count);
  });

  test('leaves Ctrl-C to another listener', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const save = () => {};
    process.on('SIGINT', save);
    setUp({ isTTY: true });
    process.listeners('SIGINT').at(-1)?.('SIGINT');
    process.off('SIGINT', save);
    expect(kill).not.toHaveBeenCalled();
  });
});

test('silent writes nothing', () => {
  const { progress, written } = setUp({ mode: 'silent', isTTY: true, total: 2 });
  progress.update(1);
  progress.finish();
  expect(written).toEqual([]);
});
