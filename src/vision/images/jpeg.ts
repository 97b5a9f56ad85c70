/**
 * Fixes oddities of a JPEG that do no harm. The decoder warns of damage and of oddities alike, so code that
 * accepts no damaged picture would refuse both. Here the oddities are fixed in a copy, which must cause no
 * warning at all.
 */

/** Codes of markers, behind 0xFF. */
const marker = {
  temporary: 0x01,
  startOfFrame: 0xc0,
  huffmanTables: 0xc4,
  firstRestart: 0xd0,
  lastRestart: 0xd7,
  startOfImage: 0xd8,
  endOfImage: 0xd9,
  startOfScan: 0xda,
  quantizationTables: 0xdb,
  jfif: 0xe0,
  adobe: 0xee,
} as const;

/** Longer stretches between segments are lost segments. */
const mostJunk = 4096;

interface Component {
  readonly id: number;
  readonly table: number;
}

/** The definitions up to some place of the file. */
interface Known {
  components: readonly Component[];
  isProgressive: boolean;
  hasJunk: boolean;
  readonly quantization: Set<number>;
  /** Class · 16 + number: 0 to 3 for the first coefficients, 16 to 19 for the others. */
  readonly huffman: Set<number>;
}

/**
 * The same picture without
 * - spectral limits of a scan that mean nothing in a sequential picture,
 * - a JFIF version other than 1,
 * - an undefined colour transform of Adobe's, if the colours are clear without it,
 * - bytes between segments, and a second start of the image.
 *
 * Null if there is nothing of the kind, or if it may be a sign of damage.
 */
export function withoutOddities(bytes: Uint8Array): Uint8Array | null {
  const result = Uint8Array.from(bytes);
  const kept: Uint8Array[] = [];
  const known: Known = {
    components: [],
    isProgressive: false,
    hasJunk: false,
    quantization: new Set(),
    huffman: new Set(),
  };
  let edits = 0;
  const set = (at: number, value: number) => {
    if (result[at] !== value) edits++;
    result[at] = value;
  };
  let adobeAt = -1;
  let hasJfif = false;
  let before = 0;
  let from = 0;
  let at = 2;
  if (bytes[2] === 0xff && bytes[3] === marker.startOfImage) {
    kept.push(result.subarray(0, 2));
    [from, at, edits] = [4, 4, 1];
  }
  for (;;) {
    const place = nextMarker(bytes, at);
    if (place === null) return null;
    if (place > at) {
      if (before === 0 || before === marker.adobe || isSegment(bytes.subarray(at, place))) return null;
      known.hasJunk = true;
      kept.push(result.subarray(from, at));
      [from, at] = [place, place];
      edits++;
    }
    while (bytes[at + 1] === 0xff) at++;
    const code = bytes[at + 1];
    if (code === marker.endOfImage) break;
    if (code === marker.startOfImage) return null;
    if (code === marker.temporary || (code >= marker.firstRestart && code <= marker.lastRestart)) {
      at += 2;
      continue;
    }
    const length = 256 * bytes[at + 2] + bytes[at + 3];
    const end = at + 2 + length;
    if (!(length >= 2) || end > bytes.length) return null;
    const body = bytes.subarray(at + 4, end);
    if (code === marker.jfif && body.length >= 14 && startsWith(body, 'JFIF\0')) {
      hasJfif = true;
      set(at + 9, 1);
    }
    if (code === marker.adobe && body.length >= 12 && startsWith(body, 'Adobe')) adobeAt = at + 4 + 11;
    if (code === marker.quantizationTables && !readQuantization(body, known)) return null;
    if (code === marker.huffmanTables && !readHuffman(body, known)) return null;
    if (code >= marker.startOfFrame && code <= 0xcf && code !== marker.huffmanTables) {
      // Only baseline, extended and progressive pictures with Huffman coding are decoded here.
      if (code > marker.startOfFrame + 2 || known.components.length > 0 || !readFrame(body, known)) return null;
      known.isProgressive = code === marker.startOfFrame + 2;
    }
    before = code;
    at = end;
    if (code !== marker.startOfScan) continue;
    if (!readScan(body, known)) return null;
    if (!known.isProgressive) {
      set(end - 3, 0);
      set(end - 2, 63);
      set(end - 1, 0);
    }
    if (adobeAt >= 0 && !hasJfif && known.components.length === 3 && bytes[adobeAt] > 1) {
      // Decoders assume luma and chroma for such colours, unless they are named red, green and blue.
      if (known.components.map(({ id }) => String.fromCharCode(id)).join('') === 'RGB') return null;
      set(adobeAt, 1);
    }
    const next = endOfScan(bytes, at);
    if (next === null) break;
    // Bytes after the data of a scan may be more of its data, so none of them count as junk.
    at = next;
  }
  if (edits === 0) return null;
  kept.push(result.subarray(from));
  return Buffer.concat(kept);
}

/** The place of the next 0xFF that begins a marker. */
function nextMarker(bytes: Uint8Array, from: number): number | null {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    let code = at + 1;
    while (bytes[code] === 0xff) code++;
    if (code >= bytes.length) return null;
    if (bytes[code] !== 0) return at;
    at = code;
  }
  return null;
}

/** The place of the marker that ends the data of a scan; null if there is none. */
function endOfScan(bytes: Uint8Array, from: number): number | null {
  let at: number | null = from;
  do {
    at = nextMarker(bytes, at);
    if (at === null) return null;
    while (bytes[at + 1] === 0xff) at++;
    const code = bytes[at + 1];
    if (code < marker.firstRestart || code > marker.lastRestart) return at;
    at += 2;
  } while (at < bytes.length);
  return null;
}

/**
 * Whether these bytes may be a segment with a damaged first byte, or contain part of a segment that affects
 * colours.
 */
function isSegment(bytes: Uint8Array): boolean {
  return bytes[1] >= marker.startOfFrame || bytes.length > mostJunk || Buffer.from(bytes).includes('Adobe');
}

function readQuantization(body: Uint8Array, { quantization }: Known): boolean {
  let at = 0;
  while (at < body.length) {
    quantization.add(body[at] & 15);
    at += body[at] >> 4 === 0 ? 65 : 129;
  }
  return at === body.length;
}

function readHuffman(body: Uint8Array, { huffman }: Known): boolean {
  let at = 0;
  while (at + 17 <= body.length) {
    huffman.add(body[at]);
    at += body.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 17);
  }
  return at === body.length;
}

function readFrame(body: Uint8Array, known: Known): boolean {
  const count = body[5];
  if (body.length !== 6 + 3 * count) return false;
  known.components = Array.from({ length: count }, (_, i) => ({ id: body[6 + 3 * i], table: body[8 + 3 * i] }));
  return true;
}

/**
 * Whether the scan is complete. If bytes were left out, every table that it needs must have been read before.
 */
function readScan(body: Uint8Array, known: Known): boolean {
  const count = body[0];
  if (body.length !== 4 + 2 * count || known.components.length === 0) return false;
  if (!known.hasJunk) return true;
  const [start, , approximation] = body.subarray(1 + 2 * count);
  const needsFirst = known.isProgressive ? start === 0 && approximation >> 4 === 0 : true;
  const needsOthers = known.isProgressive ? start > 0 : true;
  for (let i = 0; i < count; i++) {
    const component = known.components.find(({ id }) => id === body[1 + 2 * i]);
    const tables = body[2 + 2 * i];
    if (component === undefined || !known.quantization.has(component.table)) return false;
    if (needsFirst && !known.huffman.has(tables >> 4)) return false;
    if (needsOthers && !known.huffman.has(16 + (tables & 15))) return false;
  }
  return true;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text;
}
