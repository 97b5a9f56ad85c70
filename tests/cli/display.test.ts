import { expect, it, vi } from 'vitest';
import { ReadingDisplay } from '../../src/cli/display.js';

it('the reading of many files says so before anything else; that of few is silent', () => {
  let text = '';
  const stderr = { write: (part: string) => (text += part) };
  const display = new ReadingDisplay({ stdout: stderr, stderr });
  for (let done = 1; done <= 20; done++) display.show({ stage: 'looking at files', done, total: 20 });
  expect(text).toBe('');
  for (let done = 1; done <= 2000; done++) display.show({ stage: 'looking at files', done, total: 2000 });
  for (let done = 1; done <= 2000; done++) display.show({ stage: 'adding up checksums', done, total: 2000 });
  display.end();
  const lines = text.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^looking at files {2}1\/2,000 files/);
  expect(lines.some((line) => /^adding up checksums {2}1\/2,000 files/.test(line))).toBe(true);
});

it('work after a training is shown only if it takes long', () => {
  let text = '';
  const stderr = { write: (part: string) => (text += part) };
  const display = new ReadingDisplay({ stdout: stderr, stderr });
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  display.show({ stage: 'comparing pixels', done: 64, total: 60_000 });
  expect(text).toBe('');
  clock.mockReturnValue(1500);
  display.show({ stage: 'comparing pixels', done: 128, total: 60_000 });
  clock.mockRestore();
  display.end();
  expect(text).toMatch(/^comparing pixels {2}128\/60,000 images/);
});
