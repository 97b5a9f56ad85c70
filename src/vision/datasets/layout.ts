import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { inWords, listed } from '../../text/list.js';
import { caseTwins, classNameOf, likeNames, spelling } from '../../text/names.js';
import {
  describePassedOver,
  type ListingOptions,
  listPictures,
  type PassedOver,
  type PictureListing,
  passing,
} from './listing.js';
import { alike, candidatesOf, isInverted, partFolders, requireNoFolds, requireSeparateNames } from './partFolders.js';
import { type SplitRole, splitRole } from './splits.js';

/** A picture of a folder, with the class and the part of the data that its path means. */
export interface PlacedPicture {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly className: string;
  /** Null where the folder has no parts. */
  readonly role: SplitRole | null;
}

/** How the pictures of a folder are understood. */
export interface FolderLayout {
  readonly root: string;
  readonly pictures: readonly PlacedPicture[];
  /** The folder of each part; empty if there are no parts. */
  readonly parts: Readonly<Partial<Record<SplitRole, string>>>;
  /** Whether the folders of the parts are inside the folders of the classes. */
  readonly isInverted: boolean;
  readonly passedOver: readonly PassedOver[];
  /** More notes for the user. */
  readonly notes: readonly string[];
  /** The place of the class folders if the given folder is probably too far up, for messages; else null. */
  deeper(className: string): { readonly text: string; readonly names: readonly string[] } | null;
}

type Place = Pick<PlacedPicture, 'className' | 'role'>;

/**
 * Reads the layout of a folder:
 *
 * - `CLASS/…/PICTURE`: classes without parts.
 * - `PART/CLASS/…/PICTURE`: a folder with the usual name of a part ({@link splitRole}) is one if it contains
 *   folders and no pictures directly. So a class may be called `train`.
 * - `CLASS/PART/…/PICTURE`: this holds if all pictures of all classes are in such folders, and there are
 *   training pictures.
 *
 * Names that combine a class and a part (`cat_train`, `cat_test`) are refused. Folders without a picture are
 * ignored. A folder that {@link isClutter} recognizes is no class.
 *
 * @throws {FileError} for a folder that cannot be read, has no classes, can be understood in two ways, has
 *   two folders for one part, a part without pictures, or a class whose pictures all have formats that are
 *   not read
 */
export async function readLayout(root: string, options: ListingOptions = {}): Promise<FolderLayout> {
  const listing = await listPictures(root, options);
  return layoutOf(root, listing);
}

/** The layout of a folder that was listed before. @throws {FileError} as {@link readLayout} */
function layoutOf(root: string, listing: PictureListing): FolderLayout {
  const candidates = candidatesOf(listing.pictures);
  if (candidates.length === 0) throw noClasses(root, listing);
  const parts = partFolders(root, candidates);
  const inverted = parts === null && isInverted(candidates);
  if (parts === null && !inverted) {
    requireSeparateNames(root, candidates);
    requireNoFolds(root, candidates);
  }
  const place = (path: string): Place | null => {
    const [first, second, third] = path.split('/');
    if (second === undefined) return null;
    if (parts === null) return { className: classNameOf(first), role: inverted ? splitRole(second) : null };
    const role = parts.get(first);
    return role === undefined || third === undefined ? null : { className: classNameOf(second), role };
  };
  const pictures: PlacedPicture[] = [];
  const [strays, unlabelled]: string[][] = [[], []];
  for (const path of listing.pictures) {
    const found = place(path);
    if (found !== null) pictures.push({ path, ...found });
    else if (parts !== null && path.includes('/') && splitRole(path.split('/')[0]) !== null) unlabelled.push(path);
    else strays.push(path);
  }
  requireReadable(root, listing, pictures, place);
  requireParts(root, listing, parts);
  const empty = emptyFolders(listing, parts);
  const passedOver = [
    ...(strays.length > 0 ? [passing('pictures in no folder of a class', strays)] : []),
    ...(unlabelled.length > 0 ? [passing('pictures without a class', unlabelled)] : []),
    ...(empty.length > 0 ? [passing('folders without pictures', empty)] : []),
    ...listing.passedOver,
  ];
  return {
    root,
    pictures,
    parts: inverted
      ? insideNames(pictures)
      : Object.fromEntries([...(parts ?? [])].map(([name, role]) => [role, name])),
    isInverted: inverted,
    passedOver,
    notes: [
      ...spellings(pictures, parts === null ? 0 : 1),
      ...twins(pictures),
      ...(parts === null && !inverted ? alike(candidates) : []),
    ],
    deeper: (className) => deeperFolders(root, pictures, parts, className),
  };
}

/** A folder name of each part, for classes that contain their parts. */
function insideNames(pictures: readonly PlacedPicture[]): Partial<Record<SplitRole, string>> {
  return Object.fromEntries(pictures.map(({ role, path }) => [role, path.split('/')[1]]));
}

/** @throws {FileError} for a class that has pictures, but none in a format that is read */
function requireReadable(
  root: string,
  { foreign }: PictureListing,
  pictures: readonly PlacedPicture[],
  place: (path: string) => Place | null,
): void {
  const key = ({ className, role }: Place) => `${role ?? ''}/${className}`;
  const known = new Set(pictures.map(key));
  const lacking = new Map<string, string[]>();
  for (const [path] of foreign) {
    const found = place(path);
    if (found === null || known.has(key(found))) continue;
    lacking.set(key(found), [...(lacking.get(key(found)) ?? []), path]);
  }
  const [first] = lacking.values();
  if (first === undefined) return;
  const formats = [...new Set(first.map((path) => foreign.get(path)))].join(', ');
  const folder = first[0].split('/').slice(0, -1).join('/');
  throw new FileError(
    `[folder] ${join(root, folder)}: expected pictures that can be read, got ${first.length} of the format ${formats} ` +
      'alone; save them as JPEG or PNG, or remove the folder',
  );
}

/** @throws {FileError} for an empty folder for training or validation beside other parts */
function requireParts(
  root: string,
  { folders, pictures }: PictureListing,
  parts: ReadonlyMap<string, SplitRole> | null,
) {
  if (parts === null) return;
  for (const folder of folders) {
    const role = folder.includes('/') ? null : splitRole(folder);
    if (role === null || role === 'test' || pictures.some((path) => path.startsWith(`${folder}/`))) continue;
    throw new FileError(
      `[folder] ${join(root, folder)}: expected pictures for ${role}, got none; add some or remove the folder`,
    );
  }
}

/** Folders without pictures, which would be classes otherwise. */
function emptyFolders({ folders, pictures }: PictureListing, parts: ReadonlyMap<string, SplitRole> | null): string[] {
  const filled = new Set(pictures.flatMap((path) => path.split('/').map((_, i, all) => all.slice(0, i + 1).join('/'))));
  return folders.filter((folder) => {
    const [first, ...rest] = folder.split('/');
    const isClassPlace = rest.length === (parts?.has(first) ? 1 : 0);
    return isClassPlace && !filled.has(folder);
  });
}

/**
 * Folders that are one class, since their names look the same. @param place position of the class in a path
 */
function spellings(pictures: readonly PlacedPicture[], place: number): string[] {
  return likeNames(pictures.map(({ path }) => path.split('/')[place])).map(
    (names) =>
      `the folders ${inWords([...names].sort().map((name) => `'${spelling(name)}'`))} are one class, ${classNameOf(names[0])}`,
  );
}

/** Names of classes that differ only in upper and lower case. */
function twins(pictures: readonly PlacedPicture[]): string[] {
  return caseTwins(pictures.map(({ className }) => className)).map(
    (names) => `the classes ${inWords(names)} differ in capitals alone`,
  );
}

/** Follows chains of folders that contain a single folder, from a class down to a folder with several. */
function deeperFolders(
  root: string,
  pictures: readonly PlacedPicture[],
  parts: ReadonlyMap<string, SplitRole> | null,
  className: string,
): ReturnType<FolderLayout['deeper']> {
  const own = pictures.filter((picture) => picture.className === className).map(({ path }) => path.split('/'));
  const top = parts === null ? 1 : 2;
  const tops = [...new Set(own.map((path) => path.slice(0, top).join('/')))];
  if (tops.length > 1) {
    const names = [...new Set(own.map((path) => path[top]))];
    const isDeep = parts !== null && names.length > 1 && own.every((path) => path.length > top + 1);
    if (!isDeep) return null;
    return {
      text: `whose pictures are in its folders ${inWords(names)}; move these up, out of ${inWords(tops)}`,
      names,
    };
  }
  for (let depth = top; own.every((path) => path.length > depth + 1); depth++) {
    const names = [...new Set(own.map((path) => path[depth]))];
    if (names.length === 1) continue;
    const inside = names.map((name) => [...own[0].slice(top, depth), name].join('/'));
    const folder = join(root, ...own[0].slice(0, depth));
    return { text: `whose pictures are in its folders ${inWords(inside)}; give folder:${folder}`, names };
  }
  return null;
}

function noClasses(root: string, { pictures, foreign, passedOver, folders }: PictureListing): FileError {
  const refuse = (got: string, todo: string) =>
    new FileError(`[folder] ${root}: expected a folder for each class, got ${got}; ${todo}`);
  if (pictures.length > 0) {
    const count = pictures.length === 1 ? 'a picture' : `${pictures.length} pictures`;
    return refuse(
      `none but ${count} directly in the folder`,
      `make a folder for each class, or give the folder above if this is one of the classes`,
    );
  }
  if (foreign.size > 0) return refuse(describePassedOver(passedOver), 'save pictures as JPEG or PNG');
  if (folders.length > 0) return refuse(`no picture in ${listed(folders)}`, 'check the path');
  return refuse('none', 'check the path');
}
