import { slimRun } from '../../run/slim.js';
import { formatCount } from '../../text/numbers.js';
import { print, printJson, type Terminal } from '../terminal.js';

/** Prints how much space it will free, and the consequences, and then frees it. */
export async function slim(path: string, { json = false }: { readonly json?: boolean }, terminal: Terminal) {
  const bytes = await slimRun(path, (found) => {
    if (json) return;
    if (found === 0) print(terminal, `${path} has no optimizer's state any more: there is nothing to free.`);
    else print(terminal, `Removing the optimizer's state of ${path}, which frees ${formatCount(found)} bytes …`);
  });
  if (json) printJson(terminal, 'slim.result', { run: path, freed: bytes });
  else if (bytes > 0) {
    print(
      terminal,
      'Done. The training cannot be resumed any more; eval, predict and train --pretrained work as before.',
    );
  }
  return 0;
}
