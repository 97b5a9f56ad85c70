/** An entry of an archive: a file, or something else of the given type. */
export interface TarEntry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** '0' (default) a file, '5' a folder, '2' a link, 'L' and 'x' long names. */
  readonly type?: string;
  readonly prefix?: string;
  /** Changes the header before its checksum is computed. */
  readonly spoil?: (header: Buffer) => void;
}

/** A tar archive in memory, ustar. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, content = '', type = '0', prefix = '', spoil }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write(type, 156);
    header.write('ustar\x0000', 257, 'latin1');
    header.write(prefix, 345, 155);
    header.write(' '.repeat(8), 148);
    spoil?.(header);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
