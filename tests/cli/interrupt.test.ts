import { constants } from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { Interruption } from '../../src/cli/interrupt.js';

afterEach(() => vi.restoreAllMocks());

it.each([
  ['SIGINT', 130, 'Ctrl-C'],
  ['SIGTERM', 143, 'SIGTERM'],
  ['SIGHUP', 129, 'SIGHUP'],
  ['SIGQUIT', 131, 'SIGQUIT'],
  // Some numbers differ between systems.
  ['SIGUSR2', 128 + constants.signals.SIGUSR2, 'SIGUSR2'],
  ['SIGALRM', 142, 'SIGALRM'],
] as const)(
  '%s aborts, ends the process when it comes again, and has its usual effect afterwards',
  async (signal, code, name) => {
    const before = process.listenerCount(signal);
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    let err = '';
    const stderr = {
      write: (text: string) => {
        err += text;
      },
    };
    const interruption = new Interruption({ stdout: stderr, stderr });
    expect(interruption.exitCode).toBe(0);
    process.emit(signal, signal);
    await new Promise(process.nextTick);
    expect(interruption.signal.aborted).toBe(true);
    expect(interruption.exitCode).toBe(code);
    expect(err).toBe(`fovea: ${name}: saving the state; once more ends at once\n`);
    expect(exit).not.toHaveBeenCalled();
    process.emit(signal, signal);
    expect(exit).toHaveBeenCalledExactlyOnceWith(code);
    interruption.end();
    expect(process.listenerCount(signal)).toBe(before);
  },
);
