import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Limit for text files of this project, which are far smaller. */
const maxTextBytes = 2 ** 29;

/** The path exists, but is no file that can be read to its end. */
class NoFile extends Error {}

/**
 * Opens a file for reading. Folders, pipes and devices are refused at once: opening a pipe or reading a
 * device may never end.
 *
 * @throws an error whose `reasonOf` says what the path is, or the system's reason; callers add the name of
 * the file
 */
export async function openInput(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const info = await handle.stat();
  if (info.isFile()) return handle;
  await handle.close();
  throw new NoFile(info.isDirectory() ? 'a folder' : info.isFIFO() ? 'a pipe' : 'a device');
}

/**
 * Reads a file as a whole.
 *
 * @param maxBytes larger files are refused before anything is read
 * @throws what {@link openInput} throws
 */
export async function readInput(path: string, maxBytes = 2 ** 31): Promise<Buffer> {
  const handle = await openInput(path);
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new NoFile(`${size} bytes, where at most ${maxBytes} make sense`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Reads a text file of this project, in UTF-8. */
export async function readText(path: string): Promise<string> {
  return (await readInput(path, maxTextBytes)).toString('utf8');
}

/** Reads the first bytes of a file; fewer if the file is shorter. */
export async function readStart(path: string, bytes: number): Promise<Buffer> {
  const handle = await openInput(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Reads a file in pieces. */
export async function* streamInput(path: string): AsyncGenerator<Uint8Array> {
  const handle = await openInput(path);
  // The stream closes the handle, however it ends.
  yield* handle.createReadStream({ start: 0 });
}
