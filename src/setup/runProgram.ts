import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CacheFailed, WayFailed } from './work.js';

/** A program that is not installed. */
export class ProgramMissing extends WayFailed {}

export interface ProgramOptions {
  /** Working folder. */
  readonly cwd: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program. */
  readonly signal: AbortSignal;
  /** The program is ended if it neither prints nor writes to `progress` for this many milliseconds. */
  readonly idleMs: number;
  /** Folders whose size is watched. */
  readonly progress: readonly string[];
}

export interface ProgramResult {
  readonly status: number;
  /** Standard output. */
  readonly out: string;
  /** Standard output and errors, or the end of them. */
  readonly output: string;
}

const mostOutput = 1 << 20;
const pollMs = 500;
const graceMs = 3000;

/**
 * Runs a program without input, so that it cannot ask, and in a group of processes of its own, so that it
 * ends together with those that it has started.
 *
 * @throws {ProgramMissing} if it is not installed
 * @throws {WayFailed} if it cannot be started, or does nothing
 * @throws the reason of `signal` once it is aborted
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { cwd, env = {}, signal, idleMs, progress }: ProgramOptions,
): Promise<ProgramResult> {
  signal.throwIfAborted();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const end = (name: NodeJS.Signals) => child.pid !== undefined && endGroup(child.pid, name);
  const atExit = () => end('SIGKILL');
  let [out, output, active, size, hangs] = ['', '', Date.now(), 0, false];
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    killer ??= setTimeout(() => end('SIGKILL'), graceMs);
    end('SIGTERM');
  };
  const receive = (text: string, isOut: boolean) => {
    active = Date.now();
    output = (output + text).slice(-mostOutput);
    if (isOut) out = (out + text).slice(-mostOutput);
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
  signal.addEventListener('abort', stop);
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (hangs) throw new WayFailed(`${command} did nothing for ${idleMs / 1000} s, and was ended`);
    return { status: status ?? 1, out, output };
  } catch (error) {
    const { code, syscall = '' } = error as NodeJS.ErrnoException;
    if (!syscall.startsWith('spawn')) throw error;
    if (code === 'ENOENT') throw new ProgramMissing(`${command} is not installed`, { cause: error });
    throw new WayFailed(`${command} cannot be started (${code})`, { cause: error });
  } finally {
    clearInterval(watch);
    clearTimeout(killer);
    process.off('exit', atExit);
    signal.removeEventListener('abort', stop);
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

const mostLines = 3;
const mostLetters = 300;

/** The error for a program that failed, with the lines of its output that say why. */
export function failureOf(output: string): WayFailed {
  const full = /no space left on device|disk quota exceeded|file (?:size limit exceeded|too large)/i.exec(output)?.[0];
  if (full !== undefined) return new CacheFailed(`${full.toLowerCase()}; FOVEA_CACHE names another folder`);
  const lines = output.split('\n').flatMap((line) => (line.trim() === '' ? [] : line.trim()));
  const errors = lines.filter((line) => /^(E|Err|ERROR|error)\b/.test(line));
  // An exception of Python has its message in the last line.
  const isException = lines.some((line) => line.startsWith('Traceback'));
  const text = (errors.length > 0 && !isException ? errors : lines).slice(isException ? -1 : -mostLines).join('; ');
  return new WayFailed(text === '' ? 'it failed without a reason' : text.slice(0, mostLetters));
}
