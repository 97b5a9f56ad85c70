import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const lookMs = 200;
const pieceBytes = 2 ** 18;

/**
 * Follows a growing file of JSON lines, as server-sent events; ends with it.
 *
 * @param isOver whether nothing will be added any more
 */
export async function* followEvents(
  path: string,
  isOver: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  yield 'retry: 1000\n\n';
  let handle: FileHandle | null = null;
  let place = 0;
  let rest = '';
  const decoder = new TextDecoder();
  try {
    while (!signal.aborted) {
      // Lines that were written before the end are still read.
      const over = isOver();
      handle ??= await open(path, 'r').catch(() => null);
      let read = 0;
      if (handle !== null) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(pieceBytes), 0, pieceBytes, place);
        read = bytesRead;
        place += read;
        const lines = (rest + decoder.decode(buffer.subarray(0, read), { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        const text = lines.map((line) => `data: ${line}\n\n`).join('');
        if (text !== '') yield text;
      }
      if (read > 0) continue;
      if (over) {
        yield 'event: over\ndata: {}\n\n';
        return;
      }
      await sleep(lookMs);
    }
  } finally {
    await handle?.close();
  }
}
