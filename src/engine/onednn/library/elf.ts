import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { endianness } from 'node:os';

/** Numbers of processors in the headers of ELF files. */
const machines: Readonly<Record<number, string>> = {
  3: '32-bit x86',
  21: 'POWER',
  22: 'IBM Z',
  40: '32-bit ARM',
  62: 'x86-64',
  183: 'ARM64',
  243: 'RISC-V',
};
/** The number for this process; undefined where only the loader can say. */
const ownMachine: number | undefined = { x64: 62, arm64: 183, ppc64: 21, s390x: 22, riscv64: 243 }[
  process.arch as string
];

const headerBytes = 64;
const segmentBytes = 56;
const sharedObject = 3;

/**
 * Why a file cannot be a shared library for this process; `null` if its headers are in order. To load a
 * file that ends too early can end the process, so this comes before the loader sees it.
 */
export function elfProblem(path: string): string | null {
  // Opening a FIFO would wait for its writer.
  if (!statSync(path).isFile()) return 'not a file';
  const file = openSync(path, 'r');
  try {
    return problemOf(file);
  } finally {
    closeSync(file);
  }
}

function problemOf(file: number): string | null {
  const { size } = fstatSync(file);
  const header = Buffer.alloc(headerBytes);
  const got = readSync(file, header, 0, headerBytes, 0);
  if (header.readUInt32BE(0) !== 0x7f454c46) return 'not a shared library: no ELF header';
  if (got < headerBytes) return cut(size);
  const [is64Bit, isLittle] = [header[4] === 2, header[5] === 1];
  const machine = isLittle ? header.readUInt16LE(18) : header.readUInt16BE(18);
  const isOwn = ownMachine === undefined || (machine === ownMachine && is64Bit);
  if (!isOwn || isLittle !== (endianness() === 'LE')) {
    return `made for another processor: ${machines[machine] ?? `ELF machine ${machine}`}`;
  }
  if (header.readUInt16LE(16) !== sharedObject) return 'not a shared library';
  return isLittle && endOfContents(file, header) > size ? cut(size) : null;
}

const cut = (size: number) => `cut off: it has ${size} bytes, and its header speaks of more`;

/** The first byte behind everything that the headers name: the table of sections, and the segments. */
function endOfContents(file: number, header: Buffer): number {
  const sections = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
  const [begin, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(56)];
  const segments = Buffer.alloc(count * segmentBytes);
  if (readSync(file, segments, 0, segments.length, begin) < segments.length) return Number.POSITIVE_INFINITY;
  const ends = Array.from({ length: count }, (_, i) => {
    const segment = segments.subarray(i * segmentBytes);
    return Number(segment.readBigUInt64LE(8) + segment.readBigUInt64LE(32));
  });
  return Math.max(sections, ...ends);
}
