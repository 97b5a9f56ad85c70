import { stat } from 'node:fs/promises';
import { openRun, type TrainedRun } from '../run/evaluate.js';
import type { Workspace } from './workspace.js';

/** The trained run that was asked for last stays in memory, so that answers after the first one are quick. */
export class OpenRuns {
  readonly #workspace: Workspace;
  #last: { readonly path: string; readonly changed: number; readonly run: Promise<TrainedRun> } | null = null;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** @param name of the run below the folder of the studio */
  async open(name: string): Promise<TrainedRun> {
    const path = await this.#workspace.path(name);
    // Files of a run are renamed into place, which changes the folder.
    const { mtimeMs: changed } = await stat(path);
    if (this.#last?.path === path && this.#last.changed === changed) return this.#last.run;
    const run = openRun(path);
    this.#last = { path, changed, run };
    run.catch(() => {
      this.#last = null;
    });
    return run;
  }
}

/** A PNG file as the address of a picture. */
export function pictureAddress(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
