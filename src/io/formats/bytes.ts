/** Characters that one call of `String.fromCharCode` takes: each is an argument on the stack. */
const charactersAtOnce = 4096;

/** The text of Latin-1 bytes. `TextDecoder('latin1')` would decode Windows-1252. */
export function latin1Text(bytes: Uint8Array): string {
  let text = '';
  for (let begin = 0; begin < bytes.length; begin += charactersAtOnce) {
    text += String.fromCharCode(...bytes.subarray(begin, begin + charactersAtOnce));
  }
  return text;
}

/** The Latin-1 bytes of a text without characters beyond U+00FF. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The UTF-8 encoding of Latin-1 bytes. */
export function utf8OfLatin1(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(utf8Length(bytes));
  let to = 0;
  for (const byte of bytes) {
    if (byte < 0x80) encoded[to++] = byte;
    else {
      encoded[to++] = 0xc0 | (byte >> 6);
      encoded[to++] = 0x80 | (byte & 0x3f);
    }
  }
  return encoded;
}

/** Number of bytes that {@link utf8OfLatin1} returns. */
export function utf8Length(bytes: Uint8Array): number {
  let high = 0;
  for (const byte of bytes) high += byte >> 7;
  return bytes.length + high;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

/**
 * Gathers small pieces, so that each piece has at least `least` bytes, but for the last and those before a
 * large one.
 */
export function* gathered(pieces: Iterable<Uint8Array>, least: number): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    if (piece.length < least) {
      small.push(piece);
      bytes += piece.length;
      if (bytes < least) continue;
    }
    if (small.length > 0) yield concatBytes(small);
    small = [];
    bytes = 0;
    if (piece.length >= least) yield piece;
  }
  if (small.length > 0) yield concatBytes(small);
}
