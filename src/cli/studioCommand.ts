import type { Command } from 'commander';
import { naturalNumber } from './options.js';
import type { Terminal } from './terminal.js';

/** Adds `studio`. Its code is loaded when it is called. */
export function studioCommand(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('studio')
    .description('look at data, train, evaluate and compare in the browser, on this machine alone')
    .argument('[folder]', 'folder with data and runs; new runs are made in its folder runs', '.')
    .option('--port <n>', 'port of the page (default: any that is free)', naturalNumber)
    .option('--no-open', 'print the address, and open no browser')
    .action(async (folder, options) =>
      exit(await (await import('./commands/studio.js')).studio(folder, options, terminal)),
    );
}
