import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Commands by which root installs pip and the OpenMP runtime. */
const commands: readonly (readonly [program: string, command: string])[] = [
  ['apt-get', "sh -c 'apt-get update && apt-get install -y python3-pip libgomp1'"],
  ['dnf', 'dnf install -y python3-pip libgomp'],
  ['zypper', 'zypper install -y python3-pip libgomp1'],
  ['pacman', 'pacman -S --noconfirm python-pip gcc-libs'],
];

/**
 * A command that may help where no way works.
 *
 * @param again the call of setup
 */
export function helpCommand(again: string): string {
  const [, command] = commands.find(([program]) => isInstalled(program)) ?? [];
  if (command === undefined) return `${again}, with a network and pip for Python 3`;
  return `${process.getuid?.() === 0 ? command : `sudo ${command}`} && ${again}`;
}

/** {@link helpCommand} where the cache is to blame. */
export function helpForCache(again: string): string {
  return `FOVEA_CACHE=FOLDER ${again}, with a folder that you may write to and 300 MB of space`;
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
