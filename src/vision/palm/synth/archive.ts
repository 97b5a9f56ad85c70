import type { Readable } from 'node:stream';
import writeExcelFile from 'write-excel-file/node';
import { ZipFile } from 'yazl';

/** A file for an archive: its bytes, or a stream of them. */
export interface ArchiveEntry {
  readonly name: string;
  readonly data: Buffer | Readable;
}

/** The same time in all archives, so that the same pictures give the same bytes. */
const mtime = new Date('2019-01-01T00:00:00Z');

/**
 * A zip archive, written while its files arrive. They are not compressed, since pictures would not become
 * smaller.
 */
export function zipOf(entries: Iterable<ArchiveEntry> | AsyncIterable<ArchiveEntry>): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const fail = (error: unknown) => output.destroy(error as Error);
  // An error before anybody reads must not end the process. Readers that come later get it all the same.
  output.on('error', () => {});
  zip.on('error', fail);
  const fill = async () => {
    for await (const { name, data } of entries) {
      const options = { mtime, compress: false };
      if (Buffer.isBuffer(data)) {
        zip.addBuffer(data, name, options);
      } else {
        // The library does not handle errors of the stream, and an error without a listener ends the process.
        data.on('error', fail);
        zip.addReadStream(data, name, options);
      }
    }
    zip.end();
  };
  fill().catch(fail);
  return output;
}

/** An Excel workbook with one sheet. */
export function workbookOf(rows: readonly (readonly (string | number)[])[]): Promise<Buffer> {
  return writeExcelFile(rows.map((row) => row.map((value) => ({ value })))).toBuffer();
}
