/** Tags of EXIF's first directory. */
const [make, model] = [0x010f, 0x0110];
/** EXIF of cameras has a few hundred entries at most. */
const mostEntries = 1000;

/**
 * Maker and model of the camera, from the EXIF block of a picture.
 *
 * @param exif with or without `Exif\0\0` in front
 * @returns null if the block does not say them, or is damaged
 */
export function cameraOf(exif: Uint8Array | undefined): string | null {
  if (exif === undefined) return null;
  const bytes = Buffer.from(exif.buffer, exif.byteOffset, exif.byteLength);
  const start = bytes.subarray(0, 4).toString('latin1') === 'Exif' ? 6 : 0;
  try {
    const tiff = bytes.subarray(start);
    const isLittle = tiff.subarray(0, 2).toString('latin1') === 'II';
    const two = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
    const four = (at: number) => (isLittle ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
    const directory = four(4);
    const entries = Math.min(mostEntries, two(directory));
    const found = new Map<number, string>();
    for (let i = 0; i < entries; i++) {
      const at = directory + 2 + 12 * i;
      const tag = two(at);
      if ((tag !== make && tag !== model) || two(at + 2) !== 2) continue;
      const length = four(at + 4);
      const from = length <= 4 ? at + 8 : four(at + 8);
      const text = tiff.subarray(from, from + Math.min(length, 100)).toString('latin1');
      found.set(tag, (text.split('\0')[0] ?? '').trim());
    }
    const name = [found.get(make), found.get(model)].filter((part) => part).join(' ');
    return name === '' ? null : name;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
