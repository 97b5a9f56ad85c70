import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { makeFolder, writeFileAtomic } from '../../io/files/atomic.js';
import { readFixes, relabelFile, relabelTable } from '../../run/dataCheck/fixes.js';
import { safeCell } from '../../text/csv.js';
import type { Workspace } from '../workspace.js';

/** Folder of proposed corrections below that of the studio. */
const fixesFolder = 'fixes';
const reason = 'said in the studio';

/** The labels that people propose for pictures of one data set: a table that `--fixes` takes. */
export class Relabelling {
  readonly #root: string;
  /** Below the folder of the studio. */
  readonly name: string;
  // Two tabs may write at the same time.
  #last: Promise<void> = Promise.resolve();

  /** @param data location of the data */
  constructor(workspace: Workspace, data: string) {
    this.#root = workspace.root;
    const last = data.split(/[\\/]/).findLast((part) => part !== '') ?? 'data';
    this.name = `${fixesFolder}/${last}`;
  }

  /** The proposed labels by the names of pictures. */
  async read(): Promise<Readonly<Record<string, string>>> {
    const path = join(this.#root, this.name);
    return readFixes(path).then(
      ({ relabelled }) => relabelled,
      (error: unknown) => {
        // There are none yet.
        if (error instanceof InputError && /got (no such path|neither)/.test(error.message)) return {};
        throw error;
      },
    );
  }

  /** @param label null takes a proposal back */
  write(file: string, label: string | null): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#change(file, label));
    return this.#last;
  }

  async #change(file: string, label: string | null): Promise<void> {
    const labels = { ...(await this.read()) };
    const name = safeCell(file);
    if (label === null) delete labels[name];
    else labels[name] = safeCell(label);
    const folder = join(this.#root, this.name);
    await makeFolder(folder);
    const rows = Object.entries(labels).map(([key, value]) => [key, value, reason] as const);
    await writeFileAtomic(join(folder, relabelFile), relabelTable(rows));
  }
}
