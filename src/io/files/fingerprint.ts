import { createHash } from 'node:crypto';
import { openInput } from './input.js';

export interface Fingerprint {
  readonly bytes: number;
  readonly sha256: string;
}

/** Size and SHA-256 of a file, read piece by piece. */
export async function fingerprint(path: string): Promise<Fingerprint> {
  const handle = await openInput(path);
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(1 << 20);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, bytes);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(piece.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
