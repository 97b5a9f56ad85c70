import type { OpParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import { type AxisTaps, windowTaps } from '../../planned/windowTaps.js';
import type { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import { type Assembler, vectorRegisters as registersOf } from './assembler.js';
import { at, type Label } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadOperand, scratch, type Task } from './kernel.js';

/** This code needs AVX-512's registers. */
const lanes = 16;
const vectorBytes = 4 * lanes;
const vectorRegisters = registersOf[lanes];
/** Most instructions in the loop over input channels. In longer loops, decoding is the bottleneck. */
const mostInstructions = 2000;
/** Larger kernels need too much code, and larger images too many tasks. */
const [mostTaps, mostTasks] = [49, 20_000];
/** Input is read again for other output channels, so it should stay in a core's own cache. */
const chunkBytes = 384 * 1024;
/** With this many parts of the work, threads end at nearly the same time. */
const fewestParts = 32;
/** Number of tiles that one thread computes with the same weights. */
const fewestTiles = 4;
/**
 * Weights are read in order, once for each tile. The processor's own prefetching stops at the end of a page.
 */
const aheadBytes = 4096;

/** Shapes of input, weight and result. */
interface ConvShapes {
  readonly x: Shape;
  readonly weight: Shape;
  readonly y: Shape;
}

/** Operands that a convolution may have. */
interface Extras {
  readonly bias: boolean;
  readonly summand: boolean;
}

/** Rows or columns: the size of the input, and the window of each result. */
interface Axis {
  readonly input: number;
  readonly windows: readonly AxisTaps[];
  readonly stride: number;
  readonly pad: number;
}

/**
 * Neighbouring pixels of a row of results. For each, it has the columns of the kernel that have input under
 * them.
 */
interface Tile {
  readonly start: number;
  readonly taps: readonly (readonly number[])[];
}

/** A tile in its row. */
interface Place {
  readonly row: number;
  readonly tile: Tile;
}

const [y, x, weights, bias, blocksLeft, channelsLeft, kernelRows] = scratch;

/**
 * y = activation(x * weight + bias) for one image in float32 (`*` is the convolution), or the same with the
 * old contents of y added before the activation. A tile has the results of some pixels for some blocks of 16
 * output channels. They stay in registers until all products are added up.
 */
export class DirectConvolution {
  private constructor(
    readonly shapes: ConvShapes,
    readonly isRectified: boolean,
    readonly rows: Axis,
    readonly columns: Axis,
    /** Blocks of output channels that are computed together. */
    readonly blocks: number,
    readonly tiles: readonly Tile[],
  ) {}

  /**
   * `null` where the library is as fast (more than one image), and where there is no code: for another
   * processor, groups, dilation, a large kernel or image, another activation or layout.
   *
   * @param layouts of x, weight and y
   */
  static create(
    shapes: ConvShapes,
    params: OpParams['conv2d'],
    layouts: readonly MemoryDesc[],
  ): DirectConvolution | null {
    const { x, weight, y } = shapes;
    const { stride, padding, dilation, groups, activation } = params;
    const [out, channels, height, width] = weight;
    if (x[0] > 1 || groups !== 1 || dilation.some((n) => n !== 1)) return null;
    if (out % lanes !== 0 || channels % lanes !== 0 || height * width > mostTaps) return null;
    if (activation !== undefined && activation.fn !== 'relu') return null;
    if (!areBlocked(layouts) || codeLanes('float32') !== lanes) return null;
    // No tile has more results than this, so such an image has too many tasks. Listing its windows takes
    // gigabytes.
    if (y[2] * y[3] * (out / lanes) > mostTasks * mostPixels(1)) return null;
    const axis = (input: number, output: number, kernel: number, which: 0 | 1): Axis => {
      const pad = padding[2 * which];
      return { input, windows: windowTaps(input, output, kernel, stride[which], pad), stride: stride[which], pad };
    };
    // If no result reads neighbours of its pixel, an image is one long row.
    const isPointwise = [height, width, ...stride].every((n) => n === 1) && padding.every((n) => n === 0);
    const rows = isPointwise ? axis(1, 1, 1, 0) : axis(x[2], y[2], height, 0);
    const columns = isPointwise ? axis(x[2] * x[3], y[2] * y[3], 1, 1) : axis(x[3], y[3], width, 1);
    if ([...rows.windows, ...columns.windows].some((window) => window.length === 0)) return null;
    const blocks = bestBlocks(columns.windows.length, out / lanes);
    const tiles = tilesOf(columns.windows, mostPixels(blocks));
    if (rows.windows.length * tiles.length * (out / lanes / blocks) > mostTasks) return null;
    return new DirectConvolution(shapes, activation !== undefined, rows, columns, blocks, tiles);
  }

  /** Operands: y, x, weights, bias. */
  code(extras: Extras): KernelCode {
    const { shapes, rows, blocks, tiles } = this;
    const outBlocks = shapes.weight[0] / lanes;
    const places = rows.windows.flatMap((_, row) => tiles.map((tile) => ({ row, tile })));
    const together = this.#together(places.length);
    const write = (to: Assembler) => {
      const nothing = to.label();
      to.bind(nothing);
      to.ret();
      const routineFor = this.#routines(to, extras);
      const tasks: Task[] = [];
      for (let first = 0; first < places.length; first += together) {
        const run = places.slice(first, first + together);
        for (let block = 0; block < outBlocks; block += blocks) {
          const count = Math.min(blocks, outBlocks - block);
          for (const place of run)
            tasks.push({ routine: routineFor(count, place), numbers: this.#offsets(block, place) });
          for (let i = run.length; i < together; i++) tasks.push({ routine: nothing, numbers: [] });
        }
      }
      return [tasks];
    };
    return kernelCode(lanes, write, { together });
  }

  /** Number of tiles that one thread computes with the same weights. */
  #together(places: number): number {
    const [out, channels] = this.shapes.weight;
    const bytes = (channels / lanes) * this.#planeBytes;
    const groups = Math.ceil(out / lanes / this.blocks);
    const parts = Math.ceil(Math.max(bytes / chunkBytes, fewestParts / groups));
    return Math.min(places, Math.max(fewestTiles, Math.ceil(places / parts)));
  }

  /** Bytes of input before the next block of channels. */
  get #planeBytes(): number {
    return this.rows.input * this.columns.input * vectorBytes;
  }

  /** Bytes of weights for a block of output channels. */
  get #weightBytes(): number {
    const [, channels, height, width] = this.shapes.weight;
    return channels * height * width * vectorBytes;
  }

  /**
   * Offsets of a tile's results, of the input under their corner (which may be padding), of the weights and
   * of the biases.
   */
  #offsets(block: number, { row, tile }: Place): readonly number[] {
    const { rows, columns } = this;
    const result = (block * rows.windows.length + row) * columns.windows.length + tile.start;
    const [top, left] = [row * rows.stride - rows.pad, tile.start * columns.stride - columns.pad];
    const corner = top * columns.input + left;
    return [result * vectorBytes, corner * vectorBytes, block * this.#weightBytes, block * vectorBytes];
  }

  /**
   * Tiles that differ only in their place share a routine. It is written when the first of them asks for it.
   */
  #routines(to: Assembler, extras: Extras): (count: number, place: Place) => Label {
    const written = new Map<string, Label>();
    const once = (key: string, write: () => void): Label => {
      const found = written.get(key);
      if (found !== undefined) return found;
      const label = to.label();
      written.set(key, label);
      to.bind(label);
      write();
      return label;
    };
    const { windows } = this.rows;
    const isFull = windows.every(({ length }) => length === this.shapes.weight[2]);
    return (count, { row, tile }) => {
      const key = `${count}:${tile.taps.join(';')}`;
      const body = once(key, () => this.#convolve(to, count, tile, isFull, extras));
      if (isFull) return body;
      const bits = windows[row].reduce((sum, { k }) => sum | (1 << k), 0);
      return once(`${key}:${bits}`, () => {
        to.set(kernelRows, bits);
        to.jump(body);
      });
    };
  }

  /**
   * @param isFull whether there is input under all rows of the kernel; if not, a register has the rows
   */
  #convolve(to: Assembler, count: number, { taps }: Tile, isFull: boolean, extras: Extras): void {
    const { shapes, isRectified } = this;
    const [, channels, height, width] = shapes.weight;
    const pixels = taps.length;
    const sums = Array.from({ length: count }, (_, block) => taps.map((_, pixel) => block * pixels + pixel));
    loadOperand(to, y, 0, 0);
    loadOperand(to, x, 1, 1);
    loadOperand(to, weights, 2, 2);
    if (extras.bias) loadOperand(to, bias, 3, 3);
    sums.forEach(([first, ...others], block) => {
      if (extras.bias) to.vload(first, at(bias, block * vectorBytes));
      else to.vzero(first);
      for (const sum of others) to.vcopy(sum, first);
    });
    to.repeat(blocksLeft, channels / lanes, () => {
      for (let row = 0; row < height; row++) {
        const next = to.label();
        if (!isFull) {
          to.testBits(kernelRows, 1 << row);
          to.jump(next, 'zero');
        }
        for (let column = 0; column < width; column++) this.#addTap(to, sums, taps, row, column);
        to.bind(next);
      }
      to.addConstant(x, this.#planeBytes);
      to.addConstant(weights, height * width * lanes * vectorBytes);
    });
    const zero = vectorRegisters - 1;
    if (isRectified) to.vzero(zero);
    sums.forEach((ofBlock, block) => {
      ofBlock.forEach((sum, pixel) => {
        const place = at(y, (block * shapes.y[2] * shapes.y[3] + pixel) * vectorBytes);
        if (extras.summand) to.v('add', sum, sum, place);
        // If an operand is NaN, the result is the second operand.
        if (isRectified) to.v('max', sum, zero, sum);
        to.vstore(place, sum);
      });
    });
    to.ret();
  }

  /** Adds the products of 16 input channels at one place of the kernel. */
  #addTap(to: Assembler, sums: readonly (readonly number[])[], taps: Tile['taps'], row: number, column: number): void {
    const [, , height, width] = this.shapes.weight;
    const { stride, input } = this.columns;
    const under = [...taps.keys()].filter((pixel) => taps[pixel].includes(column));
    if (under.length === 0) return;
    const number = vectorRegisters - 1;
    const weightOf = (block: number) => number - 1 - block;
    const [tap, isPointwise] = [row * width + column, height * width === 1];
    const pixelAt = (pixel: number) => (row * input + column + pixel * stride) * vectorBytes;
    const perChannel = height * width * (sums.length + taps.length * (1 + sums.length));
    const unroll = [16, 8, 4, 2].find((n) => n * perChannel <= mostInstructions) ?? 1;
    to.repeat(channelsLeft, lanes / unroll, () => {
      for (let channel = 0; channel < unroll; channel++) {
        sums.forEach((_, block) => {
          const offset = block * this.#weightBytes + (tap * lanes + channel) * vectorBytes;
          to.vload(weightOf(block), at(weights, offset));
          to.prefetch(at(weights, offset + aheadBytes));
        });
        for (const pixel of under) {
          to.vbroadcast(number, at(x, pixelAt(pixel) + channel * 4));
          // Prefetches input of the next tile. If results read neighbours, most of it has been read already.
          if (isPointwise && pixel % unroll === channel) to.prefetch(at(x, pixelAt(taps.length + pixel)));
          sums.forEach((ofBlock, block) => {
            to.v('addMul', ofBlock[pixel], number, weightOf(block));
          });
        }
      }
      if (unroll === lanes) return;
      to.addConstant(x, unroll * 4);
      to.addConstant(weights, unroll * vectorBytes);
    });
    if (unroll === lanes) return;
    to.addConstant(x, -lanes * 4);
    to.addConstant(weights, -lanes * vectorBytes);
  }
}

/** Whether features are in blocks of 16 channels, and weights in blocks of 16 by 16. */
function areBlocked([x, weight, y]: readonly MemoryDesc[]): boolean {
  const features = [{ axis: 1, size: lanes }];
  const isBlocked =
    x.hasBlocks(features) && y.hasBlocks(features) && weight.hasBlocks([...features, { axis: 0, size: lanes }]);
  return isBlocked && [x, weight, y].every(({ dtype }) => dtype === 'float32');
}

/**
 * The number of pixels whose sums fit in registers, together with a weight of each block and one number of x.
 */
function mostPixels(blocks: number): number {
  return Math.floor((vectorRegisters - 1) / blocks) - 1;
}

/**
 * The number of blocks of output channels to compute together. A core multiplies and adds two vectors in a
 * cycle, and an addition to a sum waits four cycles for the one before. Loads cost little in comparison, but
 * they decide between numbers of blocks that are otherwise equal.
 */
function bestBlocks(columns: number, outBlocks: number): number {
  const cycles = (blocks: number, pixels: number) => Math.max((blocks * pixels) / 2, 4) + 0.37 * blocks + 0.07 * pixels;
  const cost = (blocks: number) => {
    const tiles = Math.ceil(columns / mostPixels(blocks));
    const [groups, rest] = [Math.floor(outBlocks / blocks), outBlocks % blocks];
    const ofRest = rest === 0 ? 0 : cycles(rest, columns / tiles);
    return tiles * (groups * cycles(blocks, columns / tiles) + ofRest);
  };
  return [1, 2, 3, 4].reduce((best, blocks) => (cost(blocks) < cost(best) ? blocks : best));
}

/** Divides a row into tiles of nearly the same size. */
function tilesOf(windows: readonly AxisTaps[], most: number): Tile[] {
  const count = Math.ceil(windows.length / most);
  return Array.from({ length: count }, (_, i) => {
    const [start, end] = [i, i + 1].map((n) => Math.floor((n * windows.length) / count));
    return { start, taps: windows.slice(start, end).map((window) => window.map(({ k }) => k)) };
  });
}
