import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FileError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readInput } from '../../io/files/input.js';
import { readTar } from '../../io/files/tar.js';
import { NumpyArray } from '../../io/formats/paddle/numpy.js';
import { parsePickle } from '../../io/formats/paddle/pickle.js';

/** The files of CIFAR in the python and the binary version, in an archive or unpacked. */

/** A version of the data set. */
export interface CifarForm {
  /** Name of the data set in messages. */
  readonly name: 'cifar10' | 'cifar100';
  /** Folders in the archives: python version, binary version. */
  readonly folders: readonly [python: string, binary: string];
  /** Bytes in front of an image in the binary version. The last of them is its class. */
  readonly labelBytes: number;
}

/** The images of one file. */
export interface CifarBatch {
  readonly pixels: Uint8Array;
  readonly labels: readonly number[];
}

export const imageBytes = 3072;
/** The real archives unpack to 186 MB. */
const maxBytes = 2 ** 29;

/** A file with images, from an archive or a folder. */
export interface BatchFile {
  readonly name: string;
  /** Path for messages. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Reads all batches of one version from an archive or a folder. */
export async function readBatches(form: CifarForm, path: string, wanted: readonly string[]): Promise<BatchFile[]> {
  return (await isFolder(path)) ? readFolder(form, path, wanted) : readArchive(form, path, wanted);
}

/** @throws {FileError} if the file is damaged */
export function parseBatch(form: CifarForm, file: BatchFile): CifarBatch {
  return file.name.endsWith('.bin') ? parseBinary(form, file) : parsePython(form, file);
}

async function readArchive({ name }: CifarForm, path: string, wanted: readonly string[]): Promise<BatchFile[]> {
  const found = new Map<string, BatchFile>();
  const isWanted = (member: string) => wanted.includes(basename(member).replace(/\.bin$/, ''));
  for await (const member of readTar(path, isWanted, { maxBytes })) {
    const file = basename(member.name);
    if (found.has(file)) throw new FileError(`[${name}] ${path}: expected ${file} once, got it twice; get it again`);
    found.set(file, { name: file, path: `${path}: ${member.name}`, bytes: member.bytes });
  }
  return chosen(name, path, wanted, found, []);
}

async function readFolder({ name, folders }: CifarForm, path: string, wanted: readonly string[]): Promise<BatchFile[]> {
  const found = new Map<string, BatchFile>();
  for (const file of wanted.flatMap((batch) => [batch, `${batch}.bin`])) {
    const whole = join(path, file);
    if (!(await exists(whole))) continue;
    const bytes = await readInput(whole).catch((error: unknown) => {
      throw new FileError(`[${name}] ${whole}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
    });
    found.set(file, { name: file, path: whole, bytes });
  }
  return chosen(name, path, wanted, found, folders);
}

/** All batches of the python version, or all of the binary version. */
function chosen(
  name: string,
  path: string,
  wanted: readonly string[],
  found: ReadonlyMap<string, BatchFile>,
  folders: readonly string[],
): BatchFile[] {
  const versions = ['', '.bin'].map((ending) => wanted.map((batch) => found.get(batch + ending)));
  const whole = versions.find((files): files is BatchFile[] => files.every((file) => file !== undefined));
  if (whole !== undefined) return whole;
  const [python, binary] = versions.map((files) => wanted.filter((_, i) => files[i] === undefined));
  const missing = binary.length < python.length ? binary.map((batch) => `${batch}.bin`) : python;
  const orFolder = folders.length === 0 ? '' : `, or the folder ${folders.join(' or ')}`;
  throw new FileError(
    `[${name}] ${path}: expected ${wanted.join(', ')} there (or with .bin)${orFolder}, got no ${missing.join(', ')}; ` +
      'get the data set again',
  );
}

/** Python's pickle of `{ data: uint8 [n, 3072], labels or fine_labels: list }`. */
function parsePython({ name }: CifarForm, { path, bytes }: BatchFile): CifarBatch {
  const refuse = (what: string, expected: string, got: string) =>
    new FileError(`[${name}] ${path}: ${what}: expected ${expected}, got ${got}; get the data set again`);
  const batch = parsePickle(bytes, path);
  if (!(batch instanceof Map)) throw refuse('pickle', 'a dict', 'something else');
  const data: unknown = batch.get('data');
  const labels: unknown = batch.get('labels') ?? batch.get('fine_labels');
  if (!(data instanceof NumpyArray) || data.type !== 'u1' || data.shape.length !== 2 || data.shape[1] !== imageBytes) {
    const got = data instanceof NumpyArray ? `${data.type} [${data.shape.join(',')}]` : 'no array';
    throw refuse('data', `bytes [n,${imageBytes}]`, got);
  }
  const [count] = data.shape;
  if (!Array.isArray(labels) || labels.length !== count || !labels.every((label) => Number.isInteger(label))) {
    throw refuse('labels', `a list of ${count} integers`, Array.isArray(labels) ? `${labels.length}` : 'no list');
  }
  return { pixels: data.toTensor(path).data as Uint8Array, labels };
}

/** Each image has its class (in CIFAR-100 the group in front of it), then 3,072 bytes. */
function parseBinary({ name, labelBytes }: CifarForm, { path, bytes }: BatchFile): CifarBatch {
  const record = labelBytes + imageBytes;
  const count = bytes.length / record;
  if (count === 0 || !Number.isInteger(count)) {
    throw new FileError(
      `[${name}] ${path}: expected a multiple of ${record} bytes, got ${bytes.length}; get the data set again`,
    );
  }
  const pixels = new Uint8Array(count * imageBytes);
  const labels = Array.from({ length: count }, (_, i) => {
    pixels.set(bytes.subarray(i * record + labelBytes, (i + 1) * record), i * imageBytes);
    return bytes[i * record + labelBytes - 1];
  });
  return { pixels, labels };
}

export function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
