import type { Assembler, Lanes } from './assembler.js';
import { type Band, Bands, starts, upTo } from './bands.js';
import { bytesOf, type FeatureLayout, vectorBytesOf, vectorsOf } from './featureLayout.js';
import { at, type Gpr, type Label } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadOperand, scratch, type Task } from './kernel.js';
import { Registers } from './registers.js';

const float = 4;
const lineBytes = 64;
/**
 * A read from memory takes a hundred nanoseconds, and the processor's own prefetching does not follow so many
 * streams.
 */
const aheadBytes = 768;

/**
 * Independent sums of each vector of channels, as far as there are registers for them beside those of the
 * passes.
 */
function sumsOf(lanes: Lanes, vectors: number): number {
  return lanes === 8 && vectors > 1 ? 1 : Math.floor(4 / vectors);
}

/**
 * An array that code reads or writes in order, with the bytes to the next pixel and to the next vectors of
 * channels.
 */
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
  /** Runs before the first pixel: loads the channels' numbers. */
  readonly begin: () => void;
  /** Runs for the pixel at `offset`, which is added to the independent sum number `sum`. */
  readonly pixel: (sum: number, offset: number) => void;
  /** Runs after the last pixel. */
  readonly end?: () => void;
}

/** Moves a vector of numbers of the current channels between a register and an operand. */
export interface ChannelAccess {
  readonly load: (operand: number, into: number, offset?: number) => void;
  /** 0 where the mask has no 1. */
  readonly loadWhere: (mask: number, operand: number, into: number) => void;
  readonly store: (operand: number, from: number, offset?: number) => void;
}

const [groupCount, runCount, pixelCount, ...free] = scratch;
/** Registers for the addresses of streams. */
export const streamRegisters = free;

/** Registers of a pass over all pixels. */
export class PassRegisters extends Registers {
  readonly #vectors: number;
  readonly #sums: number;

  constructor(lanes: Lanes, vectors: number, sums: number) {
    super(lanes);
    this.#vectors = vectors;
    this.#sums = sums;
  }

  /** One for each vector of channels. */
  perVector(): readonly number[] {
    return this.vectors(this.#vectors);
  }

  /** For the independent sums of all vectors: sum `i` of vector `v` is at `i · vectors + v`. */
  sums(): readonly number[] {
    return this.vectors(this.#sums * this.#vectors);
  }
}

/** The tasks of each block of channels. */
export type Phase = readonly (readonly Task[])[];

/**
 * Code that sums over all pixels of each channel of features `[N, C, H, W]`, band by band. Each band writes
 * two sums per channel to its slice of an array `[slices, 2, C]`.
 */
export class ChannelPasses {
  /** Number of vectors of channels that are processed side by side. */
  readonly vectors: number;
  /** Number of independent sums of each vector, so that an addition need not wait for the one before. */
  readonly #sums: number;
  /** Bytes of a vector of float32. */
  readonly #vectorBytes: number;
  readonly #bands: Bands;

  /** @param needsRegisters leaves more registers to the passes */
  constructor(
    readonly layout: FeatureLayout,
    readonly channels: number,
    needsRegisters = false,
  ) {
    const isShort = needsRegisters && layout.lanes === 8;
    this.vectors = isShort ? 1 : vectorsOf(layout);
    this.#sums = isShort ? 2 : sumsOf(layout.lanes, this.vectors);
    this.#vectorBytes = layout.lanes * float;
    this.#bands = new Bands(layout, channels);
  }

  get slices(): number {
    return this.#bands.slices;
  }

  /** Offsets in bytes of each channel's first few values. */
  get firstPixels(): readonly number[] {
    return this.#bands.firstPixels;
  }

  /** Bytes of an array with one number for each channel. */
  get channelBytes(): number {
    return this.channels * float;
  }

  /** Number of values of a channel. */
  get samples(): number {
    const { planes, rows, columns, channels } = this.layout;
    return (planes * rows * columns * channels) / this.channels;
  }

  get #groupBytes(): number {
    return this.vectors * vectorBytesOf(this.layout);
  }

  features(register: Gpr, operand: number): Stream {
    return {
      at: register,
      operand,
      start: starts.pixel,
      perPixel: this.#bands.steps.pixel,
      perGroup: this.#groupBytes,
    };
  }

  /** Each channel's first value. */
  origin(register: Gpr, operand: number): Stream {
    return { ...this.features(register, operand), start: starts.origin, perPixel: 0 };
  }

  perChannel(register: Gpr, operand: number): Stream {
    return { at: register, operand, start: starts.channel, perPixel: 0, perGroup: this.vectors * this.#vectorBytes };
  }

  /** The band's slice of the array of sums. */
  sums(register: Gpr, operand: number): Stream {
    return { ...this.perChannel(register, operand), start: starts.sums };
  }

  /** Vector `v` of the features of a pixel. */
  vector({ at: base }: Stream, v: number, offset = 0) {
    return at(base, offset + v * vectorBytesOf(this.layout));
  }

  /** Registers for a pass. */
  registers(): PassRegisters {
    return new PassRegisters(this.layout.lanes, this.vectors, this.#sums);
  }

  /** Adds up the independent sums, and writes two sums for each channel. */
  storeSums(to: Assembler, place: Stream, ...both: readonly (readonly number[])[]): void {
    both.forEach((sums, which) => {
      for (const v of upTo(this.vectors)) {
        for (let i = 1; i < this.#sums; i++) to.v('add', sums[v], sums[v], sums[i * this.vectors + v]);
        to.vstore(at(place.at, which * this.channelBytes + v * this.#vectorBytes), sums[v]);
      }
    });
  }

  /** The tasks for all bands. */
  over(to: Assembler, body: Body): Phase {
    const routines = new Map<string, Label>();
    const taskOf = ({ runs, pixels, numbers }: Band) => {
      const key = `${runs} ${pixels}`;
      const routine = routines.get(key) ?? this.#routine(to, body, runs, pixels);
      routines.set(key, routine);
      return { routine, numbers };
    };
    return this.#bands.blocks.map((bands) => bands.map(taskOf));
  }

  #routine(to: Assembler, { streams, begin, pixel, end }: Body, runs: number, pixels: number): Label {
    const sums = this.#sums;
    const [blocks, rest] = [Math.floor(pixels / sums), pixels % sums];
    const routine = to.label();
    const moving = streams.filter(({ perPixel }) => perPixel > 0);
    const advance = (bytes: number) => {
      for (const { at: base } of moving) to.addConstant(base, bytes);
    };
    const { pixel: perPixel, run: perRun } = this.#bands.steps;
    const aheadPixels = Math.ceil(aheadBytes / this.#groupBytes);
    // In a short run, that address would be after its end.
    const ahead = runs > 1 && pixels < 4 * aheadPixels ? perRun : aheadPixels * perPixel;
    const groups = (this.layout.channels * bytesOf(this.layout)) / this.#groupBytes;
    to.bind(routine);
    for (const stream of streams) loadOperand(to, stream.at, stream.operand, stream.start);
    to.repeat(groupCount, groups, () => {
      begin();
      to.repeat(runCount, runs, () => {
        if (blocks > 0) {
          to.repeat(pixelCount, blocks, () => {
            for (const stream of moving) this.#prefetch(to, stream, sums, ahead);
            for (const sum of upTo(sums)) pixel(sum, sum * perPixel);
            advance(sums * perPixel);
          });
        }
        for (const sum of upTo(rest)) pixel(sum, sum * perPixel);
        if (runs > 1) advance(perRun - blocks * sums * perPixel);
      });
      end?.();
      // Groups of channels are side by side, and so are images.
      if (groups > 1) {
        for (const stream of streams) to.addConstant(stream.at, stream.perGroup - blocks * sums * stream.perPixel);
      }
    });
    to.ret();
    return routine;
  }

  /** Prefetches the cache lines of pixels at a distance of `ahead` bytes. */
  #prefetch(to: Assembler, { at: base }: Stream, pixels: number, ahead: number): void {
    const vectors = upTo(pixels).flatMap((pixel) => upTo(this.vectors).map((v) => [pixel, v] as const));
    const bytes = vectors.map(([pixel, v]) => pixel * this.#bands.steps.pixel + v * vectorBytesOf(this.layout));
    const lines = new Set(bytes.map((byte) => Math.floor(byte / lineBytes)));
    for (const line of lines) to.prefetch(at(base, ahead + line * lineBytes));
  }

  /** The code of some phases. Each needs the results of the phase before for the same channels. */
  code(write: (to: Assembler) => readonly Phase[]): KernelCode {
    const blocks = this.#bands.blocks.length;
    const { lanes } = this.layout;
    if (!this.#bands.isLocal) {
      // The same band of all blocks is side by side in memory.
      const across = (phase: Phase) => upTo(phase[0].length).flatMap((i) => phase.map((tasks) => tasks[i]));
      return kernelCode(lanes, (to) => write(to).map(across));
    }
    const through = (phases: readonly Phase[], block: number) => phases.flatMap((phase) => phase[block]);
    return kernelCode(
      lanes,
      (to) => {
        const phases = write(to);
        return [upTo(blocks).flatMap((block) => through(phases, block))];
      },
      { together: 2 * this.slices + this.channels / lanes / blocks },
    );
  }

  /**
   * Tasks that add up the sums of all slices in two registers, for each vector of channels, and then run
   * `body`.
   */
  overChannels(
    to: Assembler,
    sums: number,
    [first, second]: readonly [number, number],
    body: (access: ChannelAccess) => void,
  ): Phase {
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
      load: (operand, into, offset = 0) => {
        loadOperand(to, pointer, operand, 0);
        to.vload(into, at(pointer, offset));
      },
      loadWhere: (mask, operand, into) => {
        loadOperand(to, pointer, operand, 0);
        to.vloadWhere(mask, into, at(pointer));
      },
      store: (operand, from, offset = 0) => {
        loadOperand(to, pointer, operand, 0);
        to.vstore(at(pointer, offset), from);
      },
    });
    to.ret();
    const { lanes, rows, columns, channels: together } = this.layout;
    // Vectors side by side in one pixel, or each in planes of its own.
    const toNext = (together === this.channels ? lanes : rows * columns * together) * bytesOf(this.layout);
    const perBlock = upTo(this.channels / lanes / this.#bands.blocks.length);
    const taskOf = (vector: number) => ({ routine, numbers: [vector * this.#vectorBytes, vector * toNext] });
    return this.#bands.blocks.map((_, block) => perBlock.map((i) => taskOf(block * perBlock.length + i)));
  }
}
