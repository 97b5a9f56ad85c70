import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { inWords, listed } from '../../text/list.js';
import { type SplitRole, splitRole, splitRoles } from './splits.js';

/** Decides which folders are parts of the data, and which are classes. */

/** A folder that may be a class or a part of the data. */
export interface Candidate {
  readonly name: string;
  readonly role: SplitRole | null;
  /** Pictures directly in this folder. */
  readonly direct: number;
  /** Subfolders that contain pictures. */
  readonly inner: ReadonlySet<string>;
}

/** The folders of a listing with pictures below them. */
export function candidatesOf(pictures: readonly string[]): Candidate[] {
  const found = new Map<string, { direct: number; inner: Set<string> }>();
  for (const path of pictures) {
    const [name, ...rest] = path.split('/');
    if (rest.length === 0) continue;
    const candidate = found.get(name) ?? { direct: 0, inner: new Set() };
    found.set(name, candidate);
    if (rest.length === 1) candidate.direct++;
    else candidate.inner.add(rest[0]);
  }
  // A class may be called `te`. A folder of folders beside `tr` hardly is one.
  const areFolders = [...found.values()].every(({ direct }) => direct === 0);
  const roles = areFolders ? splitRoles(found.keys()) : null;
  return [...found].map(([name, { direct, inner }]) => {
    return { name, role: roles === null ? splitRole(name) : (roles.get(name) ?? null), direct, inner };
  });
}

/** The folders that are parts of the data, with their roles; null if the folders are classes. */
export function partFolders(root: string, candidates: readonly Candidate[]): ReadonlyMap<string, SplitRole> | null {
  const named = candidates.filter(({ role, inner }) => role !== null && inner.size > 0);
  const certain = named.filter(({ direct }) => direct === 0);
  const others = candidates.filter(({ role }) => role === null);
  if (named.length === 0) {
    if (others.length === 0 && candidates.length > 1) throw withoutClasses(root, candidates);
    return null;
  }
  const ambiguous = (got: string) => {
    const [{ name }] = certain.length > 0 ? certain : named;
    return new FileError(
      `[folder] ${root}: expected parts of the data (train, validation …) with a folder for each class in them, or a ` +
        `folder for each class, got ${got}; if ${name} is a class, put its pictures directly into it or rename it, and if ` +
        `it is a part, move the rest away or give folder:${join(root, name)}`,
    );
  };
  if (certain.length === 0) {
    if (others.length > 0) return null;
    const [{ name, inner }] = named;
    throw ambiguous(`${name}, which holds pictures both directly and in ${listed([...inner])}`);
  }
  // If there are two parts, other folders are ignored. Beside a single one, the other folders may be classes,
  // and it may be one too.
  if (named.length === 1 && others.length > 0) {
    const [{ name, inner }] = named;
    const names = listed(others.map((other) => other.name));
    throw ambiguous(`${name} with pictures in its folders ${listed([...inner])}, and ${names} beside it`);
  }
  const parts = new Map<string, SplitRole>();
  for (const { name, role } of named) {
    const twin = [...parts].find(([, other]) => other === role);
    if (twin !== undefined) {
      throw new FileError(
        `[folder] ${root}: expected one folder for ${role}, got ${twin[0]} and ${name}; put them together, or move one away`,
      );
    }
    parts.set(name, role as SplitRole);
  }
  return parts;
}

/**
 * The error for folders named like parts, such as `train` and `test`, that contain pictures directly, and no
 * other folders.
 */
function withoutClasses(root: string, candidates: readonly Candidate[]): FileError {
  return new FileError(
    `[folder] ${root}: expected a folder for each class in ${inWords(candidates.map(({ name }) => name))}, got pictures ` +
      'directly in them; sort them into folders of classes, or rename the folders if they are classes',
  );
}

/** Whether all classes contain folders of parts. */
export function isInverted(candidates: readonly Candidate[]): boolean {
  const inside = candidates.flatMap(({ inner }) => [...inner].map(splitRole));
  const roles = new Set(inside);
  return candidates.every(({ direct }) => direct === 0) && !roles.has(null) && roles.size > 1 && roles.has('train');
}

/**
 * @throws {FileError} if the name of every folder combines a class and a part, such as `cat_train` and
 *   `cat_test`
 */
export function requireSeparateNames(root: string, candidates: readonly Candidate[]): void {
  const rolesOf = new Map<string, Set<SplitRole>>();
  for (const { name } of candidates) {
    const found = /^(?<part>\p{L}+)[_\s.-]+(?<stem>.+)$/u.exec(name)?.groups;
    const turned = /^(?<stem>.+?)[_\s.-]+(?<part>\p{L}+)$/u.exec(name)?.groups;
    const both = [found, turned].find((groups) => groups !== undefined && splitRole(groups.part) !== null);
    if (both === undefined) return;
    const roles = rolesOf.get(both.stem) ?? new Set();
    rolesOf.set(both.stem, roles.add(splitRole(both.part) as SplitRole));
  }
  const stem = [...rolesOf.keys()].find((key) => rolesOf.get(key)?.has('train') && (rolesOf.get(key)?.size ?? 0) > 1);
  if (stem === undefined) return;
  throw new FileError(
    `[folder] ${root}: expected a folder for each class, or parts of the data with a folder for each class in them, got ` +
      `classes and parts in one name (${listed(candidates.map(({ name }) => name))}); move the pictures into folders such ` +
      `as train/${stem}`,
  );
}

/** @throws {FileError} for folders that are numbered parts (`fold1`, `fold2`) with equal classes in each */
export function requireNoFolds(root: string, candidates: readonly Candidate[]): void {
  const inside = innerNames(candidates);
  const areFolds = candidates.every(({ name }) => /^(k?folds?|splits?|parts?|cv|sets?)[\s_.-]*\d+$/i.test(name));
  if (inside === null || !areFolds) return;
  throw new FileError(
    `[folder] ${root}: expected a folder for each class, got ${inWords(candidates.map(({ name }) => name))} with the ` +
      `folders ${inWords(inside)} in each, which look like parts of one data set; put them together, or rename them to ` +
      'train, validation and test',
  );
}

/** A note for {@link innerNames}: probably the given folder is too far up. */
export function alike(candidates: readonly Candidate[]): string[] {
  const names = innerNames(candidates);
  if (names === null) return [];
  return [`the pictures of every class are in its folders ${inWords(names)}; these are not taken for classes`];
}

/** The names of subfolders if every candidate contains the same ones, several of them, and nothing else. */
function innerNames(candidates: readonly Candidate[]): string[] | null {
  const [first, ...rest] = candidates.map(({ inner }) => [...inner].sort());
  const isAlike =
    first.length > 1 &&
    rest.length > 0 &&
    candidates.every(({ direct }) => direct === 0) &&
    rest.every((names) => names.join('/') === first.join('/'));
  return isAlike ? first : null;
}
