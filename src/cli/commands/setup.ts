import { engineInfo } from '../../engine/select.js';
import { libraryText, machineLibraries } from '../../setup/libraries.js';
import { obstacle } from '../../setup/machine.js';
import { SetupError, setUp, usualWays } from '../../setup/setUp.js';
import type { Library } from '../../setup/work.js';
import { Interruption } from '../interrupt.js';
import { complain, ownCommand, print, printJson, type Terminal } from '../terminal.js';

interface SetupCommandOptions {
  readonly offline?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

const usualTimeout = 60;

/** Gets oneDNN unless it is there. Where it cannot be had, says which engine computes, and why. */
export async function setup(options: SetupCommandOptions, terminal: Terminal): Promise<number> {
  const { quiet = false, json = false } = options;
  const isThere = machineLibraries.find() !== null;
  const interruption = new Interruption(terminal, 'removing everything that is not complete');
  try {
    const library = await getLibrary(options, terminal, interruption.signal);
    if (json) printJson(terminal, 'setup.result', { library, engine: engineInfo().description });
    else if (library === null) {
      const { name, description } = engineInfo();
      print(terminal, `setup: computing with ${name} (${description})`);
    } else if (!isThere || !quiet) print(terminal, `setup: ${libraryText(library)}`);
    return 0;
  } catch (error) {
    if (interruption.exitCode !== 0) return interruption.exitCode;
    if (!(error instanceof SetupError)) throw error;
    complain(terminal, error.message);
    complain(
      terminal,
      `until then computation is slower; this command would help: ${error.help(`${ownCommand()} setup`)}`,
    );
    return 2;
  } finally {
    interruption.end();
  }
}

/** `null` for a machine without a build of the library. */
async function getLibrary(
  { offline = false, timeout = usualTimeout, json = false }: SetupCommandOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Library | null> {
  const none = (reason: string) => {
    complain(terminal, `setup: ${reason}`);
    return null;
  };
  const reason = obstacle();
  if (reason !== null) return machineLibraries.find() ?? none(reason);
  const say = (line: string) => (json ? complain : print)(terminal, `setup: ${line}`);
  const idleMs = 1000 * timeout;
  try {
    return await setUp({ libraries: machineLibraries, offline, ways: usualWays, signal, idleMs, say });
  } catch (error) {
    // The builds that every distribution can use are for x86-64.
    if (error instanceof SetupError && process.arch !== 'x64') return none(error.message);
    throw error;
  }
}
