import { afterEach, expect, it, vi } from 'vitest';
import { Interruption } from '../../src/cli/interrupt.js';

/** The signals of Windows, with its numbers. */
const signals = vi.hoisted(() => ({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15, SIGBREAK: 21, SIGKILL: 9 }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  constants: { signals },
}));

afterEach(() => {
  vi.restoreAllMocks();
});

it('a system without the signals of Unix is asked for none of them, and Ctrl-Break stops', async () => {
  const listeners = new Map<string | symbol, (signal: string) => void>();
  vi.spyOn(process, 'on').mockImplementation((event, listener) => {
    if (!Object.hasOwn(signals, event)) throw new Error(`uv_signal_start EINVAL: ${String(event)}`);
    listeners.set(event, listener as (signal: string) => void);
    return process;
  });
  const written: string[] = [];
  const stream = { write: (text: string) => void written.push(text) };
  const interruption = new Interruption({ stdout: stream, stderr: stream });
  listeners.get('SIGBREAK')?.('SIGBREAK');
  await new Promise(setImmediate);
  expect([interruption.signal.aborted, interruption.exitCode]).toEqual([true, 128 + 21]);
  expect(written.join('')).toMatch(/^fovea: SIGBREAK: saving the state/);
});
