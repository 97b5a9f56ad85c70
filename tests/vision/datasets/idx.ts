/** The bytes of an IDX file, with any magic number, sizes and contents. */
export function idx(magic: number, sizes: readonly number[], data: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(magic);
  sizes.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([header, Uint8Array.from(data)]);
}

/** Images of 28 x 28 in which pixel p of image i is (i + p) mod 256, and labels i mod 10, as MNIST's files. */
export function mnistFiles(n: number): { images: Buffer; labels: Buffer } {
  const images = new Uint8Array(n * 784).map((_, at) => Math.floor(at / 784) + (at % 784));
  const labels = new Uint8Array(n).map((_, i) => i % 10);
  return { images: idx(0x803, [n, 28, 28], images), labels: idx(0x801, [n], labels) };
}
