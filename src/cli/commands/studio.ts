import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../errors.js';
import { startStudio } from '../../studio/server.js';
import { Interruption } from '../interrupt.js';
import { print, type Terminal } from '../terminal.js';

const mostPort = 65_535;

/** Runs a studio until a signal ends it. */
export async function studio(
  folder: string,
  { port, open }: { readonly port?: number; readonly open: boolean },
  terminal: Terminal,
): Promise<number> {
  if (port !== undefined && port > mostPort) {
    throw new InputError(`[studio] --port: expected at most ${mostPort}, got ${port}`);
  }
  const interruption = new Interruption(terminal, 'ending; trainings save their state');
  try {
    const main = fileURLToPath(new URL('../main.js', import.meta.url));
    const running = await startStudio(folder, { port, program: [process.execPath, main] });
    print(terminal, `The studio of ${running.folder} is at\n\n  ${running.address}\n\nCtrl-C ends it.`);
    if (open) openBrowser(running.address);
    if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
    await running.close();
    return interruption.exitCode;
  } finally {
    interruption.end();
  }
}

const openers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['explorer'],
};

/** The address is printed as well, so that a machine without a browser is no problem. */
function openBrowser(address: string): void {
  const [program, ...args] = openers[process.platform] ?? ['xdg-open'];
  spawn(program, [...args, address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}
