/** Tiny shared libraries, byte by byte: tests need no compiler. */

/** Numbers of processors in ELF headers. */
export const machines = { x64: 62, arm64: 183 } as const;
type Arch = keyof typeof machines;

export interface TinyLibrary {
  /** Default: that of this process. */
  readonly arch?: Arch;
  /** Release that `dnnl_version` reports. */
  readonly version?: readonly [number, number, number];
  /** Further functions; they return an address. */
  readonly functions?: readonly string[];
  /** Its own name, by which other libraries need it. Default `libtiny.so`. */
  readonly name?: string;
  /** Libraries that it needs. */
  readonly needs?: readonly string[];
}

/** Code of a function that returns the address of the data `distance` bytes behind its begin. */
function addressOf(arch: Arch, distance: number): Buffer {
  const code = Buffer.alloc(16);
  if (arch === 'x64') {
    // lea rax, [rip + distance - 7]; ret
    code.set([0x48, 0x8d, 0x05]);
    code.writeInt32LE(distance - 7, 3);
    code[7] = 0xc3;
  } else {
    // adr x0, distance; ret
    code.writeUInt32LE((0x10000000 | ((distance & 3) << 29) | ((distance >> 2) << 5)) >>> 0, 0);
    code.writeUInt32LE(0xd65f03c0, 4);
  }
  return code;
}

const align = (bytes: number) => Math.ceil(bytes / 16) * 16;
const headerBytes = 64 + 3 * 56;

/** A library that exports `dnnl_version` and other functions. One segment holds everything, readable and executable. */
export function tinyLibrary({
  arch = process.arch as Arch,
  version = [2, 6, 0],
  functions = [],
  name: own = 'libtiny.so',
  needs = [],
}: TinyLibrary = {}): Buffer {
  const names = ['dnnl_version', ...functions];
  const strings = ['', own, ...needs, ...names];
  const offsets = new Map<string, number>();
  let text = '';
  for (const name of strings) {
    offsets.set(name, text.length);
    text += `${name}\0`;
  }
  const places = { code: align(headerBytes), data: 0, symbols: 0, hash: 0, strings: 0, dynamic: 0, end: 0 };
  places.data = places.code + 16;
  places.symbols = places.data + 16;
  places.hash = align(places.symbols + 24 * (names.length + 1));
  places.strings = align(places.hash + 4 * (3 + names.length + 1));
  places.dynamic = align(places.strings + text.length);
  const entries: [tag: number, value: number][] = [
    ...needs.map((name): [number, number] => [1, offsets.get(name) as number]),
    [14, offsets.get(own) as number],
    [4, places.hash],
    [5, places.strings],
    [6, places.symbols],
    [10, text.length],
    [11, 24],
    [0, 0],
  ];
  places.end = places.dynamic + 16 * entries.length;
  const file = Buffer.alloc(places.end);
  const u16 = (at: number, value: number) => file.writeUInt16LE(value, at);
  const u32 = (at: number, value: number) => file.writeUInt32LE(value, at);
  const u64 = (at: number, value: number) => file.writeBigUInt64LE(BigInt(value), at);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  u16(16, 3);
  u16(18, machines[arch]);
  u32(20, 1);
  u64(32, 64);
  u16(52, 64);
  u16(54, 56);
  u16(56, 3);
  u16(58, 64);
  const segment = (at: number, type: number, flags: number, from: number, bytes: number, alignment: number) => {
    u32(at, type);
    u32(at + 4, flags);
    for (const [i, value] of [from, from, from, bytes, bytes, alignment].entries()) u64(at + 8 + 8 * i, value);
  };
  // The loader writes into the table of the dynamic section.
  segment(64, 1, 7, 0, places.end, 0x1000);
  segment(120, 2, 6, places.dynamic, 16 * entries.length, 8);
  // Without this entry the stack must be executable, which the GNU C library refuses from 2.41 on.
  segment(176, 0x6474e551, 6, 0, 0, 16);

  addressOf(arch, places.data - places.code).copy(file, places.code);
  for (const [i, part] of version.entries()) u32(places.data + 4 * i, part);
  for (const [i, name] of names.entries()) {
    const at = places.symbols + 24 * (i + 1);
    u32(at, offsets.get(name) as number);
    // A global function in some section.
    file.set([0x12, 0], at + 4);
    u16(at + 6, 1);
    u64(at + 8, places.code);
    u64(at + 16, 16);
  }
  // One chain holds all symbols.
  u32(places.hash, 1);
  u32(places.hash + 4, names.length + 1);
  u32(places.hash + 8, names.length > 0 ? 1 : 0);
  for (let i = 1; i <= names.length; i++) u32(places.hash + 12 + 4 * i, i < names.length ? i + 1 : 0);
  file.write(text, places.strings, 'latin1');
  for (const [i, [tag, value]] of entries.entries()) {
    u64(places.dynamic + 16 * i, tag);
    u64(places.dynamic + 16 * i + 8, value);
  }
  return file;
}
