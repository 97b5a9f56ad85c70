import { bytesOf, type FeatureLayout } from './featureLayout.js';

/**
 * The pixels of a band should stay in the first cache while the code processes one vector of channels after
 * another.
 */
const bandBytes = 32 * 1024;
const fewestPixels = 32;
/** Bytes of each array that stay in the second cache until a thread reads it again. */
const cachedBytes = 1 << 20;
/** With fewer blocks, some threads would have no work. */
const fewestBlocks = 4;
/** The mean of this many values is close enough to the mean of all. */
const mostFirst = 8;
const float = 4;

export const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Runs of pixels of the same channels, processed by one thread. */
export interface Band {
  readonly runs: number;
  /** Pixels in each run. */
  readonly pixels: number;
  /** Offsets for its routine, in the order of {@link starts}. */
  readonly numbers: readonly number[];
}

/**
 * Four offsets in bytes: a band's first pixel, the first of all pixels with its channels, the numbers of its
 * first channel, and the place of its sums.
 */
export const starts = { pixel: 0, origin: 1, channel: 2, sums: 3 } as const;

/** Features `[N, C, H, W]`, cut into blocks of channels, and blocks into bands. */
export class Bands {
  /** Number of bands of a block. */
  readonly slices: number;
  /** Offsets in bytes of each channel's first few values. */
  readonly firstPixels: readonly number[];
  /** Bands of each block of channels. */
  readonly blocks: readonly (readonly Band[])[];
  /**
   * Whether one block completes all phases before the next begins, so that its data stay in the second cache.
   */
  readonly isLocal: boolean;
  /** Bytes from one pixel, and from one run of pixels, to the next. */
  readonly steps: { readonly pixel: number; readonly run: number };

  constructor(layout: FeatureLayout, channels: number) {
    const { planes, rows, columns } = layout;
    const samples = (planes * rows * columns * layout.channels) / channels;
    const pixel = layout.channels * bytesOf(layout);
    const plane = rows * columns * pixel;
    const blocks = channels / layout.channels;
    // Channels side by side would share a fraction of the cache's sets with those of other pixels.
    this.isLocal = blocks >= fewestBlocks && samples * pixel <= cachedBytes;
    // All pixels are one run if all channels are side by side, or if an image is one pixel (then at a
    // distance).
    const isOneRun = blocks === 1 || plane === pixel;
    const [runs, size] = isOneRun ? [1, samples] : [planes / blocks, rows * columns];
    this.steps = { pixel: isOneRun ? blocks * pixel : pixel, run: blocks * plane };
    const longest = Math.max(fewestPixels, Math.floor(bandBytes / pixel));
    // A band is a part of a run, or some short runs.
    const [perRun, together] = [Math.ceil(size / longest), Math.max(1, Math.floor(longest / size))];
    this.firstPixels = upTo(Math.min(mostFirst, size)).map((i) => i * this.steps.pixel);
    this.slices = perRun * Math.ceil(runs / together);
    const bandOf = (of: number, slice: number): Band => {
      const [run, part] = [Math.floor(slice / perRun) * together, slice % perRun];
      const channel = of * layout.channels * float;
      return {
        runs: Math.min(together, runs - run),
        pixels: Math.min(longest, size - part * longest),
        numbers: [
          of * plane + run * this.steps.run + part * longest * this.steps.pixel,
          of * plane,
          channel,
          2 * slice * channels * float + channel,
        ],
      };
    };
    this.blocks = upTo(blocks).map((of) => upTo(this.slices).map((slice) => bandOf(of, slice)));
  }
}
