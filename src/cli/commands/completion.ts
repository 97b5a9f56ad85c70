import type { Command } from 'commander';
import { shells } from '../completion/scripts.js';
import { completionTable } from '../completion/table.js';
import type { Terminal } from '../terminal.js';

/** Prints the script that completes the commands of a program in a shell. */
export function completion(program: Command, shell: string, terminal: Terminal): number {
  terminal.stdout.write(shells[shell](completionTable(program)));
  return 0;
}
