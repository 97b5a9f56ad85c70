import { type Assembler, at, type Gpr, type Label } from './assembler.js';
import { loadOperand, scratch, type Task } from './kernel.js';
import { bytesOf, lanes, type Pixels, vectorBytes, vectorsOf } from './pixels.js';

/** Pixels of a band should stay in the first cache while one vector of channels after another is gone through. */
const bandBytes = 32 * 1024;
const fewestPixels = 32;
/** Sums of one channel that run side by side, in so many registers for all vectors. */
const mostSums = 4;
const float = 4;

export const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Pixels that lie side by side, gone through by one thread. */
interface Band {
  readonly pixels: number;
  /** What its routine reads, as {@link starts} says. */
  readonly numbers: readonly number[];
}

/**
 * Bytes to a band's first pixel, to the first pixel of all that has its channels, to the numbers of its first channel,
 * and to where its sums go.
 */
const starts = { pixel: 0, origin: 1, channel: 2, sums: 3 } as const;

/** Something that code goes through: how many bytes further it is at the next pixel, and at the next vectors of channels. */
export interface Stream {
  readonly at: Gpr;
  readonly operand: number;
  readonly start: number;
  readonly perPixel: number;
  readonly perGroup: number;
}

/** Code for some vectors of channels at many pixels. */
export interface Body {
  readonly streams: readonly Stream[];
  /** Before the first pixel: loads the channels' numbers. */
  readonly begin: () => void;
  /** A pixel at `offset`; `sum` tells apart those that are added up side by side. */
  readonly pixel: (sum: number, offset: number) => void;
  /** After the last pixel; `sums` of them were added up side by side. */
  readonly end?: (sums: number) => void;
}

/** Moves 16 numbers between a register and where an operand has those of the channels at hand. */
export interface ChannelAccess {
  readonly load: (operand: number, into: number) => void;
  readonly store: (operand: number, from: number, offset?: number) => void;
}

const [groupCount, pixelCount, ...free] = scratch;
/** Registers for the addresses of streams. */
export const streamRegisters = free;

/**
 * Features of `[N, C, H, W]` cut into bands, each with one or all blocks of channels, for code that sums over all pixels of a
 * channel. Each band leaves two sums a channel in its slice of an array `[slices, 2, C]`.
 */
export class Bands {
  readonly slices: number;
  /** Vectors of channels that are worked on side by side. */
  readonly vectors: number;
  readonly #bands: readonly Band[];

  constructor(
    readonly pixels: Pixels,
    readonly channels: number,
  ) {
    const { planes, rows, columns } = pixels;
    this.vectors = vectorsOf(pixels);
    const pixel = this.#pixelBytes;
    const blocks = channels / pixels.channels;
    // Where all channels lie side by side, all images are one plane.
    const [count, size] = blocks === 1 ? [1, planes * rows * columns] : [planes, rows * columns];
    const most = Math.max(fewestPixels, Math.floor(bandBytes / pixel));
    const perPlane = Math.ceil(size / most);
    this.slices = (count / blocks) * perPlane;
    this.#bands = upTo(count * perPlane).map((i) => {
      const [plane, band] = [Math.floor(i / perPlane), i % perPlane];
      const block = plane % blocks;
      const slice = Math.floor(plane / blocks) * perPlane + band;
      const channel = block * pixels.channels * float;
      return {
        pixels: Math.min(most, size - band * most),
        numbers: [
          (plane * size + band * most) * pixel,
          block * size * pixel,
          channel,
          2 * slice * this.channelBytes + channel,
        ],
      };
    });
  }

  /** Of one number for each channel. */
  get channelBytes(): number {
    return this.channels * float;
  }

  /** Values of a channel. */
  get samples(): number {
    const { planes, rows, columns, channels } = this.pixels;
    return (planes * rows * columns * channels) / this.channels;
  }

  get #pixelBytes(): number {
    return this.pixels.channels * bytesOf(this.pixels);
  }

  get #groupBytes(): number {
    return this.vectors * lanes * bytesOf(this.pixels);
  }

  features(register: Gpr, operand: number): Stream {
    return { at: register, operand, start: starts.pixel, perPixel: this.#pixelBytes, perGroup: this.#groupBytes };
  }

  /** Each channel's first value. */
  origin(register: Gpr, operand: number): Stream {
    return { ...this.features(register, operand), start: starts.origin, perPixel: 0 };
  }

  perChannel(register: Gpr, operand: number): Stream {
    return { at: register, operand, start: starts.channel, perPixel: 0, perGroup: this.vectors * vectorBytes };
  }

  /** Where the band's sums go. */
  sums(register: Gpr, operand: number): Stream {
    return { ...this.perChannel(register, operand), start: starts.sums };
  }

  /** Vector `v` of the features of a pixel. */
  vector({ at: base }: Stream, v: number, offset = 0) {
    return at(base, offset + v * lanes * bytesOf(this.pixels));
  }

  /** Sets the registers of two sums to 0. */
  clearSums(to: Assembler, ...sums: readonly [number, number]): void {
    for (const sum of sums) for (const i of upTo(mostSums)) to.vzero(sum + i);
  }

  /** Adds up what ran side by side, and writes two sums a channel. */
  storeSums(to: Assembler, place: Stream, used: number, ...sums: readonly [number, number]): void {
    sums.forEach((sum, which) => {
      for (const v of upTo(this.vectors)) {
        for (let i = 1; i < used; i++) to.v('add', sum + v, sum + v, sum + i * this.vectors + v);
        to.vstore(at(place.at, which * this.channelBytes + v * vectorBytes), sum + v);
      }
    });
  }

  /** Tasks that go through all bands. */
  over(to: Assembler, body: Body): Task[] {
    const routines = new Map<number, Label>();
    return this.#bands.map(({ pixels, numbers }) => {
      const routine = routines.get(pixels) ?? this.#routine(to, body, pixels);
      routines.set(pixels, routine);
      return { routine, numbers };
    });
  }

  #routine(to: Assembler, { streams, begin, pixel, end }: Body, pixels: number): Label {
    const groups = this.pixels.channels / lanes / this.vectors;
    const sums = Math.floor(mostSums / this.vectors);
    const [blocks, rest] = [Math.floor(pixels / sums), pixels % sums];
    const routine = to.label();
    to.bind(routine);
    for (const stream of streams) loadOperand(to, stream.at, stream.operand, stream.start);
    to.repeat(groupCount, groups, () => {
      begin();
      if (blocks > 0) {
        to.repeat(pixelCount, blocks, () => {
          for (const sum of upTo(sums)) pixel(sum, sum * this.#pixelBytes);
          for (const stream of streams) to.addConstant(stream.at, sums * stream.perPixel);
        });
      }
      for (const sum of upTo(rest)) pixel(sum, sum * this.#pixelBytes);
      end?.(sums);
      if (groups === 1) return;
      for (const stream of streams) to.addConstant(stream.at, stream.perGroup - blocks * sums * stream.perPixel);
    });
    to.ret();
    return routine;
  }

  /** Tasks that add up the sums of all slices in two registers, for each vector of channels, and go on from there. */
  overChannels(
    to: Assembler,
    sums: number,
    [first, second]: readonly [number, number],
    body: (access: ChannelAccess) => void,
  ): Task[] {
    const [pointer] = free;
    const routine = to.label();
    to.bind(routine);
    to.vzero(first);
    to.vzero(second);
    loadOperand(to, pointer, sums, 0);
    to.repeat(pixelCount, this.slices, () => {
      to.v('add', first, first, at(pointer));
      to.v('add', second, second, at(pointer, this.channelBytes));
      to.addConstant(pointer, 2 * this.channelBytes);
    });
    body({
      load: (operand, into) => {
        loadOperand(to, pointer, operand, 0);
        to.vload(into, at(pointer));
      },
      store: (operand, from, offset = 0) => {
        loadOperand(to, pointer, operand, 0);
        to.vstore(at(pointer, offset), from);
      },
    });
    to.ret();
    const { rows, columns, channels: together } = this.pixels;
    // Vectors side by side in one pixel, or each in planes of its own.
    const toNext = (together === this.channels ? lanes : rows * columns * together) * bytesOf(this.pixels);
    return upTo(this.channels / lanes).map((vector) => ({
      routine,
      numbers: [vector * vectorBytes, vector * toNext],
    }));
  }
}
