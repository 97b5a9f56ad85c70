import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findData, namedDatasets } from '../run/catalog/datasets.js';
import { splitRole } from '../vision/datasets/splits.js';
import { setFolders } from '../vision/palm/record.js';
import { archive } from './data/archives.js';
import type { Workspace } from './workspace.js';

/** Folders that hold no data. */
export const noData = /^(\.|runs$|fixes$|node_modules$)/;
const table = /\.(csv|tsv|xlsx)$/i;
/** Folders that are looked into, to see whether they are data. */
const mostLookedAt = 100;

/** Data that a training may have: folders and tables of the studio's folder, and sets with a name. */
export async function dataChoices(workspace: Workspace): Promise<string[]> {
  const found = await dataIn(await workspace.path(''), '');
  const named = Object.entries(namedDatasets).filter(
    ([, { location, locationOptional }]) => !location || locationOptional,
  );
  return [...found, ...named.map(([name]) => name)];
}

/** Tables and folders in a folder, and those in folders without pictures of their own. */
async function dataIn(root: string, below: string): Promise<string[]> {
  const entries = await entriesOf(join(root, below));
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (noData.test(entry.name)) continue;
    const path = join(below, entry.name);
    if (entry.isFile() && table.test(entry.name)) found.push(`csv:${path}`);
    if (!entry.isDirectory()) continue;
    const inside = await entriesOf(join(root, path));
    const names = inside.map(({ name }) => name);
    if (names.includes('config.json')) continue;
    found.push(`${Object.values(setFolders).some((set) => names.includes(set)) ? 'palm' : 'folder'}:${path}`);
    // Folders of classes and parts belong to the folder itself.
    if (below === '' && (await hasSets(root, path, inside))) found.push(...(await dataIn(root, path)));
  }
  return found;
}

/** Whether folders in a folder are data of their own: they hold folders, and are no parts such as train. */
async function hasSets(root: string, path: string, inside: readonly Dirent[]): Promise<boolean> {
  if (inside.some((entry) => entry.isFile() && table.test(entry.name))) return true;
  for (const entry of inside.slice(0, mostLookedAt)) {
    if (!entry.isDirectory() || splitRole(entry.name) !== null) continue;
    const within = await entriesOf(join(root, path, entry.name));
    if (within.filter((own) => own.isDirectory()).length > 1) return true;
  }
  return false;
}

/** The entries of a folder; none where it may not be read. */
const entriesOf = (path: string) => readdir(path, { withFileTypes: true }).catch((): Dirent[] => []);

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
