import { afterEach, expect, it, vi } from 'vitest';
import { Interruption } from '../../src/cli/interrupt.js';

afterEach(() => vi.restoreAllMocks());

it('aborts at the first signal, ends the process at the second, and lets go', async () => {
  const before = { int: process.listenerCount('SIGINT'), term: process.listenerCount('SIGTERM') };
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  let err = '';
  const stderr = {
    write: (text: string) => {
      err += text;
    },
  };
  const interruption = new Interruption({ stdout: stderr, stderr });
  expect(interruption.exitCode).toBe(0);
  process.emit('SIGINT', 'SIGINT');
  await new Promise(process.nextTick);
  expect(interruption.signal.aborted).toBe(true);
  expect(interruption.exitCode).toBe(130);
  expect(err).toBe('fovea: Ctrl-C: saving the state; once more ends at once\n');
  expect(exit).not.toHaveBeenCalled();
  process.emit('SIGINT', 'SIGINT');
  expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  interruption.end();
  expect({ int: process.listenerCount('SIGINT'), term: process.listenerCount('SIGTERM') }).toEqual(before);
});
