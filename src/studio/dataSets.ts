import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findData, namedDatasets } from '../run/catalog/datasets.js';
import { archive } from './data/archives.js';
import type { Workspace } from './workspace.js';

/** Folders that hold no data. */
export const noData = /^(\.|runs$|fixes$|node_modules$)/;

/** Data that a training may have: folders and tables of the studio's folder, and sets with a name. */
export async function dataChoices(workspace: Workspace): Promise<string[]> {
  const root = await workspace.path('');
  const entries = await readdir(root, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (noData.test(entry.name)) continue;
    if (entry.isFile() && /\.(csv|tsv|xlsx)$/i.test(entry.name)) found.push(`csv:${entry.name}`);
    if (!entry.isDirectory()) continue;
    const inside = await readdir(join(root, entry.name)).catch((): string[] => []);
    if (!inside.includes('config.json')) found.push(`folder:${entry.name}`);
  }
  const named = Object.entries(namedDatasets).filter(
    ([, { location, locationOptional }]) => !location || locationOptional,
  );
  return [...found, ...named.map(([name]) => name)];
}

/** Archives in the studio's folder, which no training reads. */
export async function archivesOf(workspace: Workspace): Promise<string[]> {
  const entries = await readdir(await workspace.path(''), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() && archive.test(entry.name) ? [entry.name] : [])).sort();
}

/**
 * Data with the place on disk that they name below the folder of the studio.
 *
 * @throws {InputError} for an unknown kind, and a {@link Refusal} for another place
 */
export async function placedIn(workspace: Workspace, data: string): Promise<string> {
  const colon = data.indexOf(':');
  if (colon < 0) {
    findData(data);
    return data;
  }
  const path = await workspace.path(data.slice(colon + 1));
  const placed = `${data.slice(0, colon)}:${path}`;
  findData(placed);
  return placed;
}
