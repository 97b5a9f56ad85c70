import { join } from 'node:path';
import { InputError } from '../errors.js';
import { makeFolder, writeFileAtomic } from '../io/files/atomic.js';
import type { DataFixes } from '../run/catalog/datasets.js';
import { excludeFile, excludeTable, readFixes, relabelFile, relabelTable } from '../run/dataCheck/fixes.js';
import { safeCell } from '../text/csv.js';
import type { Workspace } from './workspace.js';

/** Folder of proposed corrections below that of the studio. */
const fixesFolder = 'fixes';
const reason = 'decided in the studio';

/** One decision about a picture: its label, `exclude`, or null for leaving it as it is. */
export type PictureDecision = { readonly label: string } | 'exclude' | null;

/** The decisions of people about pictures of one data set: tables that `--fixes` takes. */
export class StudioFixes {
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

  async read(): Promise<DataFixes> {
    return readFixes(join(this.#root, this.name)).catch((error: unknown) => {
      // There are none yet.
      if (error instanceof InputError && /got (no such path|neither)/.test(error.message)) {
        return { excluded: [], relabelled: {} };
      }
      throw error;
    });
  }

  decide(files: readonly string[], decision: PictureDecision): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#change(files.map(safeCell), decision));
    return this.#last;
  }

  async #change(names: readonly string[], decision: PictureDecision): Promise<void> {
    const before = await this.read();
    const excluded = new Set(before.excluded);
    const labels = new Map(Object.entries(before.relabelled));
    for (const name of names) {
      excluded.delete(name);
      labels.delete(name);
      if (decision === 'exclude') excluded.add(name);
      else if (decision !== null) labels.set(name, safeCell(decision.label));
    }
    const folder = join(this.#root, this.name);
    await makeFolder(folder);
    const rows = [...labels].map(([name, label]) => [name, label, reason] as const);
    await writeFileAtomic(join(folder, relabelFile), relabelTable(rows));
    await writeFileAtomic(
      join(folder, excludeFile),
      excludeTable([...excluded].map((name) => [name, reason] as const)),
    );
  }
}

/** The decisions by the place of the data. */
export class AllFixes {
  readonly #workspace: Workspace;
  readonly #known = new Map<string, StudioFixes>();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  of(location: string): StudioFixes {
    const known = this.#known.get(location) ?? new StudioFixes(this.#workspace, location);
    this.#known.set(location, known);
    return known;
  }
}
