import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A program could not be started, or did nothing. */
export class ProgramError extends Error {}

/** A program that is not installed. */
export class ProgramMissing extends ProgramError {}

export interface ProgramOptions {
  /** Working folder (that of this process). */
  readonly cwd?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program. */
  readonly signal?: AbortSignal;
  /** The program is ended if it neither prints nor writes to `progress` for this many milliseconds. */
  readonly idleMs: number;
  /** Folders whose size is watched (none). */
  readonly progress?: readonly string[];
}

export interface ProgramResult {
  readonly status: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
  /** Standard output and errors, or the end of them. */
  readonly output: string;
}

const mostOutput = 1 << 20;
const pollMs = 500;
const graceMs = 3000;
/** Windows has no groups of processes. */
const hasGroups = process.platform !== 'win32';

/**
 * Runs a program without input, so that it cannot ask, and in a group of processes of its own, so that it
 * ends together with those that it has started.
 *
 * @throws {ProgramMissing} if it is not installed
 * @throws {ProgramError} if it cannot be started, or does nothing
 * @throws the reason of `signal` once it is aborted
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { cwd, env = {}, signal, idleMs, progress = [] }: ProgramOptions,
): Promise<ProgramResult> {
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: hasGroups,
    windowsHide: true,
  });
  const end = (name: NodeJS.Signals) => {
    if (!hasGroups) child.kill(name);
    else if (child.pid !== undefined) endGroup(child.pid, name);
  };
  const atExit = () => end('SIGKILL');
  let [out, err, output, active, size, hangs] = ['', '', '', Date.now(), 0, false];
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    killer ??= setTimeout(() => end('SIGKILL'), graceMs);
    end('SIGTERM');
  };
  const receive = (text: string, isOut: boolean) => {
    active = Date.now();
    output = (output + text).slice(-mostOutput);
    if (isOut) out = (out + text).slice(-mostOutput);
    else err = (err + text).slice(-mostOutput);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => receive(text, true));
  child.stderr.setEncoding('utf8').on('data', (text: string) => receive(text, false));
  const watch = setInterval(async () => {
    const now = await bytesIn(progress);
    if (now !== size) [size, active] = [now, Date.now()];
    if (Date.now() - active < idleMs) return;
    hangs = true;
    stop();
  }, pollMs);
  process.on('exit', atExit);
  signal?.addEventListener('abort', stop);
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    signal?.throwIfAborted();
    if (hangs) throw new ProgramError(`${command} did nothing for ${idleMs / 1000} s, and was ended`);
    return { status: status ?? 1, out, err, output };
  } catch (error) {
    const { code, syscall = '' } = error as NodeJS.ErrnoException;
    if (!syscall.startsWith('spawn')) throw error;
    if (code === 'ENOENT') throw new ProgramMissing(`${command} is not installed`, { cause: error });
    throw new ProgramError(`${command} cannot be started (${code})`, { cause: error });
  } finally {
    clearInterval(watch);
    clearTimeout(killer);
    process.off('exit', atExit);
    signal?.removeEventListener('abort', stop);
    // A program that was ended may leave children that it had started.
    end('SIGKILL');
  }
}

function endGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (error) {
    // sudo runs as root, and passes a signal on to its command.
    if ((error as NodeJS.ErrnoException).code === 'EPERM')
      spawnSync('sudo', ['-n', 'kill', `-${name}`, '--', `-${pid}`], { stdio: 'ignore' });
  }
}

async function bytesIn(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    for (const name of await readdir(folder, { recursive: true }).catch((): string[] => [])) {
      bytes += await stat(join(folder, name)).then(
        (found) => found.size,
        () => 0,
      );
    }
  }
  return bytes;
}
