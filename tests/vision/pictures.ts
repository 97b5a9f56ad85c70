import sharp from 'sharp';

/** A small JPEG of one colour that the name decides about, so that no two names have the same picture. */
export async function jpeg(name: string, width = 8, height = 6): Promise<Buffer> {
  const value = Array.from(name).reduce((sum, letter) => (31 * sum + (letter.codePointAt(0) as number)) % 2 ** 24, 7);
  const background = { r: value & 255, g: (value >> 8) & 255, b: value >> 16 };
  const picture = await sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();
  const comment = Buffer.from(name);
  const segment = Buffer.from([0xff, 0xfe, (comment.length + 2) >> 8, (comment.length + 2) & 255]);
  return Buffer.concat([picture.subarray(0, 2), segment, comment, picture.subarray(2)]);
}

/** A JPEG whose second half is missing. */
export async function halfJpeg(): Promise<Buffer> {
  const noise = Uint8Array.from({ length: 100 * 100 * 3 }, (_, i) => (i * i * 31) >>> 5);
  const whole = await sharp(noise, { raw: { width: 100, height: 100, channels: 3 } })
    .jpeg()
    .toBuffer();
  return whole.subarray(0, whole.length / 2);
}
