import { version } from '../../version.js';
import { bashBody, zshBody } from './bash.js';
import { fishScript } from './fish.js';
import type { CommandEntry } from './table.js';

/** Scripts that complete commands, options and values in a shell. They do not start Node. */
export const shells: Readonly<Record<string, (table: readonly CommandEntry[]) => string>> = {
  bash: (table) => `# Completions of fovea ${version} for bash\n${bashBody(table)}`,
  zsh: (table) => `#compdef fovea\n# Completions of fovea ${version} for zsh\n${zshBody(table)}`,
  fish: (table) => `# Completions of fovea ${version} for fish\n${fishScript(table)}`,
};
