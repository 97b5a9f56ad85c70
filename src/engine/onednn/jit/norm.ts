import { numel } from '../../../graph/shape.js';
import { MemoryDesc, runsCode } from '../ffi.js';
import { type Assembler, at, type Gpr, type Label } from './assembler.js';
import { type KernelCode, kernelCode, loadOperand, scratch, type Task } from './kernel.js';
import { bytesOf, lanes, loadFeatures, type Pixels, pixelsOf, storeFeatures, vectorsOf } from './pixels.js';

/** Pixels of a band should stay in the first cache while one vector of channels after another is gone through. */
const bandBytes = 32 * 1024;
const fewestPixels = 32;
const float = 4;
const vectorBytes = float * lanes;
/** Sums of one channel run side by side in so many registers. */
const mostSums = 4;

/** Pixels that lie side by side, gone through by one thread. */
interface Band {
  readonly pixels: number;
  /** What its routine reads, as {@link numbers} says. */
  readonly numbers: readonly number[];
}

/**
 * Bytes to a band's first pixel, to the first pixel of all that has its channels, to the numbers of its first channel,
 * and to where its sums go.
 */
const numbers = { pixel: 0, origin: 1, channel: 2, sums: 3 } as const;

/** Something that code goes through: how many bytes further it is at the next pixel, and at the next vectors of channels. */
interface Stream {
  readonly at: Gpr;
  readonly operand: number;
  readonly start: number;
  readonly perPixel: number;
  readonly perGroup: number;
}

/** Code for some vectors of channels at many pixels. */
interface Body {
  readonly streams: readonly Stream[];
  /** Before the first pixel: loads the channels' numbers. */
  readonly begin: () => void;
  /** A pixel at `offset`; `sum` tells apart those that are added up side by side. */
  readonly pixel: (sum: number, offset: number) => void;
  /** After the last pixel; `sums` of them were added up side by side. */
  readonly end?: (sums: number) => void;
}

const [groupCount, pixelCount, ...free] = scratch;
const ranges = (n: number) => Array.from({ length: n }, (_, i) => i);

/**
 * Batch norm of features over images, rows and columns with the statistics of the batch (Ioffe and Szegedy, 2015), and with
 * relu if wanted. Features are read twice and written once: sums are of differences to each channel's first value, so that
 * one pass gives mean and variance.
 */
export class Normalization {
  readonly #bands: readonly Band[];
  readonly #slices: number;
  readonly #vectors: number;

  private constructor(
    readonly x: MemoryDesc,
    readonly epsilon: number,
    readonly relu: boolean,
    readonly pixels: Pixels,
  ) {
    const { planes, rows, columns, channels } = pixels;
    this.#vectors = vectorsOf(pixels);
    const pixel = this.#pixelBytes;
    const blocks = this.#channels / channels;
    // Where all channels lie side by side, all images are one plane.
    const [count, size] = blocks === 1 ? [1, planes * rows * columns] : [planes, rows * columns];
    const most = Math.max(fewestPixels, Math.floor(bandBytes / pixel));
    const perPlane = Math.ceil(size / most);
    this.#slices = (count / blocks) * perPlane;
    this.#bands = ranges(count * perPlane).map((i) => {
      const [plane, band] = [Math.floor(i / perPlane), i % perPlane];
      const block = plane % blocks;
      const slice = Math.floor(plane / blocks) * perPlane + band;
      const channel = block * channels * float;
      return {
        pixels: Math.min(most, size - band * most),
        numbers: [
          (plane * size + band * most) * pixel,
          block * size * pixel,
          channel,
          2 * slice * this.#channels * float + channel,
        ],
      };
    });
  }

  /**
   * `null` where the library does as well, with float32, and where there is no code for it: another processor, another layout,
   * channels that 16 does not divide.
   */
  static create(x: MemoryDesc, epsilon: number, relu: boolean): Normalization | null {
    if (x.shape.length !== 4 || x.shape[1] % lanes !== 0) return null;
    const pixels = pixelsOf(x);
    return pixels?.type === 'bfloat16' && runsCode(pixels.type) ? new Normalization(x, epsilon, relu, pixels) : null;
  }

  /** What forward leaves for backward: the factor of each channel. */
  get factor(): MemoryDesc {
    return MemoryDesc.plain([this.#channels], 'float32');
  }

  /** Working memory of either direction: two sums a channel for each slice of the features. */
  get sums(): MemoryDesc {
    return MemoryDesc.plain([this.#slices, 2, this.#channels], 'float32');
  }

  /** Working memory of backward: five numbers a channel. */
  get coefficients(): MemoryDesc {
    return MemoryDesc.plain([5, this.#channels], 'float32');
  }

  /** Operands: x, y, sums, factor, scale, shift, mean, variance. y = (x − mean) · factor + shift. */
  forward(): KernelCode {
    const operand = { x: 0, y: 1, sums: 2, factor: 3, scale: 4, shift: 5, mean: 6, variance: 7 };
    const [first, second, third, fourth, fifth] = free;

    const addUp = (to: Assembler) => {
      const [x, origin, sums] = [
        this.#features(first, operand.x),
        { ...this.#features(second, operand.x), start: numbers.origin, perPixel: 0 },
        { ...this.#perChannel(third, operand.sums), start: numbers.sums },
      ];
      const [origins, totals, squares, values] = [0, 4, 8, 12];
      return this.#overBands(to, {
        streams: [x, origin, sums],
        begin: () => {
          for (const v of ranges(this.#vectors)) loadFeatures(to, this.pixels, origins + v, this.#vector(origin.at, v));
          for (const i of ranges(mostSums)) for (const sum of [totals, squares]) to.vzero(sum + i);
        },
        pixel: (sum, offset) => {
          for (const v of ranges(this.#vectors)) {
            const [i, value] = [sum * this.#vectors + v, values + v];
            loadFeatures(to, this.pixels, value, this.#vector(x.at, v, offset));
            to.v('sub', value, value, origins + v);
            to.v('add', totals + i, totals + i, value);
            to.v('addMul', squares + i, value, value);
          }
        },
        end: (used) => this.#storeSums(to, used, totals, squares, sums.at),
      });
    };

    const makeStatistics = (to: Assembler) => {
      const [total, square, value, inverse] = [0, 1, 2, 3];
      return this.#overChannels(to, operand.sums, total, square, (load, store) => {
        const [x] = [fourth];
        loadOperand(to, x, operand.x, 1);
        to.vconstant(inverse, 1 / this.#samples, fifth);
        to.v('mul', total, total, inverse);
        to.v('mul', square, square, inverse);
        to.v('mul', value, total, total);
        to.v('sub', square, square, value);
        to.vzero(value);
        to.v('max', square, square, value);
        store(operand.variance, square);
        loadFeatures(to, this.pixels, value, at(x));
        to.v('add', total, total, value);
        store(operand.mean, total);
        this.#deviation(to, square);
        load(operand.scale, value);
        to.v('div', value, value, square);
        store(operand.factor, value);
      });
    };

    const normalize = (to: Assembler) => {
      const [x, y] = [this.#features(first, operand.x), this.#features(second, operand.y)];
      const [mean, factor, shift] = [
        this.#perChannel(third, operand.mean),
        this.#perChannel(fourth, operand.factor),
        this.#perChannel(fifth, operand.shift),
      ];
      const [means, factors, shifts, values, zero] = [0, 4, 8, 12, 20];
      return this.#overBands(to, {
        streams: [x, y, mean, factor, shift],
        begin: () => {
          for (const v of ranges(this.#vectors)) {
            to.vload(means + v, at(mean.at, v * vectorBytes));
            to.vload(factors + v, at(factor.at, v * vectorBytes));
            to.vload(shifts + v, at(shift.at, v * vectorBytes));
          }
          to.vzero(zero);
        },
        pixel: (sum, offset) => {
          for (const v of ranges(this.#vectors)) {
            const value = values + sum * this.#vectors + v;
            loadFeatures(to, this.pixels, value, this.#vector(x.at, v, offset));
            to.v('sub', value, value, means + v);
            to.v('mulAdd', value, factors + v, shifts + v);
            if (this.relu) to.v('max', value, value, zero);
            storeFeatures(to, this.pixels, this.#vector(y.at, v, offset), value);
          }
        },
      });
    };

    return kernelCode(
      () => undefined,
      (to) => [addUp(to), makeStatistics(to), normalize(to)],
    );
  }

  /** Operands: x, dy, dx, sums, coefficients, factor, mean, variance, shift, dScale, dShift. */
  backward(): KernelCode {
    const operand = {
      x: 0,
      dy: 1,
      dx: 2,
      sums: 3,
      coefficients: 4,
      factor: 5,
      mean: 6,
      variance: 7,
      shift: 8,
      dScale: 9,
      dShift: 10,
    };
    const channels = this.#channels * float;
    const [first, second, third, fourth, fifth, sixth] = free;

    /** Loads the difference of x to its mean, and the gradient, which is 0 where relu cut off. */
    const loadBoth = (
      to: Assembler,
      x: { readonly at: Gpr; readonly into: number },
      dy: { readonly at: Gpr; readonly into: number },
      registers: { readonly mean: number; readonly factor: number; readonly shift: number; readonly zero: number },
      v: number,
      offset: number,
    ) => {
      const { mean, factor, shift, zero } = registers;
      loadFeatures(to, this.pixels, x.into, this.#vector(x.at, v, offset));
      to.v('sub', x.into, x.into, mean + v);
      if (!this.relu) {
        loadFeatures(to, this.pixels, dy.into, this.#vector(dy.at, v, offset));
        return;
      }
      to.vcopy(dy.into, x.into);
      to.v('mulAdd', dy.into, factor + v, shift + v);
      const k = 1 + v;
      to.vless(k, zero, dy.into);
      loadFeatures(to, this.pixels, dy.into, this.#vector(dy.at, v, offset), { k, zero: true });
    };
    const registers = { mean: 0, factor: 4, shift: 8, zero: 31 };

    const addUp = (to: Assembler) => {
      const [x, dy] = [this.#features(first, operand.x), this.#features(second, operand.dy)];
      const sums = { ...this.#perChannel(third, operand.sums), start: numbers.sums };
      const [mean, factor, shift] = [
        this.#perChannel(fourth, operand.mean),
        this.#perChannel(fifth, operand.factor),
        this.#perChannel(sixth, operand.shift),
      ];
      const [totals, products, values, gradients] = [12, 16, 20, 24];
      return this.#overBands(to, {
        streams: [x, dy, sums, mean, factor, shift],
        begin: () => {
          for (const v of ranges(this.#vectors)) {
            to.vload(registers.mean + v, at(mean.at, v * vectorBytes));
            if (!this.relu) continue;
            to.vload(registers.factor + v, at(factor.at, v * vectorBytes));
            to.vload(registers.shift + v, at(shift.at, v * vectorBytes));
          }
          to.vzero(registers.zero);
          for (const i of ranges(mostSums)) for (const sum of [totals, products]) to.vzero(sum + i);
        },
        pixel: (sum, offset) => {
          for (const v of ranges(this.#vectors)) {
            const i = sum * this.#vectors + v;
            const [value, gradient] = [values + v, gradients + v];
            loadBoth(to, { at: x.at, into: value }, { at: dy.at, into: gradient }, registers, v, offset);
            to.v('add', totals + i, totals + i, gradient);
            to.v('addMul', products + i, gradient, value);
          }
        },
        end: (used) => this.#storeSums(to, used, totals, products, sums.at),
      });
    };

    // dx = factor · (dy − mean(dy) − x̂ · mean(dy · x̂)) with x̂ = (x − mean) / deviation
    const makeCoefficients = (to: Assembler) => {
      const [total, product, value, deviation, perSample] = [0, 1, 2, 3, 4];
      return this.#overChannels(to, operand.sums, total, product, (load, store) => {
        store(operand.dShift, total);
        load(operand.variance, deviation);
        this.#deviation(to, deviation);
        to.v('div', product, product, deviation);
        store(operand.dScale, product);
        to.v('div', product, product, deviation);
        load(operand.factor, value);
        store(operand.coefficients, value, channels);
        to.vconstant(perSample, -1 / this.#samples, fifth);
        to.v('mul', value, value, perSample);
        to.v('mul', product, product, value);
        store(operand.coefficients, product, 3 * channels);
        to.v('mul', total, total, value);
        store(operand.coefficients, total, 4 * channels);
        load(operand.mean, value);
        store(operand.coefficients, value);
        load(operand.shift, value);
        store(operand.coefficients, value, 2 * channels);
      });
    };

    const differentiate = (to: Assembler) => {
      const [x, dy, dx] = [
        this.#features(first, operand.x),
        this.#features(second, operand.dy),
        this.#features(third, operand.dx),
      ];
      const coefficients = this.#perChannel(fourth, operand.coefficients);
      const [slopes, constants, values, gradients, results] = [12, 16, 20, 22, 24];
      return this.#overBands(to, {
        streams: [x, dy, dx, coefficients],
        begin: () => {
          const places = [registers.mean, registers.factor, registers.shift, slopes, constants];
          places.forEach((place, i) => {
            for (const v of ranges(this.#vectors)) {
              to.vload(place + v, at(coefficients.at, i * channels + v * vectorBytes));
            }
          });
          to.vzero(registers.zero);
        },
        pixel: (_, offset) => {
          for (const v of ranges(this.#vectors)) {
            const [value, gradient, result] = [values + (v & 1), gradients + (v & 1), results + (v & 1)];
            loadBoth(to, { at: x.at, into: value }, { at: dy.at, into: gradient }, registers, v, offset);
            to.vcopy(result, constants + v);
            to.v('addMul', result, slopes + v, value);
            to.v('addMul', result, registers.factor + v, gradient);
            storeFeatures(to, this.pixels, this.#vector(dx.at, v, offset), result);
          }
        },
      });
    };

    return kernelCode(
      () => undefined,
      (to) => [addUp(to), makeCoefficients(to), differentiate(to)],
    );
  }

  get #channels(): number {
    return this.x.shape[1];
  }

  get #pixelBytes(): number {
    return this.pixels.channels * bytesOf(this.pixels);
  }

  /** Values of a channel. */
  get #samples(): number {
    return numel(this.x.shape) / this.#channels;
  }

  #vector(base: Gpr, v: number, offset = 0) {
    return at(base, offset + v * lanes * bytesOf(this.pixels));
  }

  #features(register: Gpr, operand: number): Stream {
    const perGroup = this.#vectors * lanes * bytesOf(this.pixels);
    return { at: register, operand, start: numbers.pixel, perPixel: this.#pixelBytes, perGroup };
  }

  #perChannel(register: Gpr, operand: number): Stream {
    return { at: register, operand, start: numbers.channel, perPixel: 0, perGroup: this.#vectors * vectorBytes };
  }

  /** √(variance + ε), in place. */
  #deviation(to: Assembler, variance: number): void {
    const epsilon = 30;
    to.vconstant(epsilon, this.epsilon, free[0]);
    to.v('add', variance, variance, epsilon);
    to.vsqrt(variance, variance);
  }

  /** Adds up what ran side by side, and writes two sums a channel. */
  #storeSums(to: Assembler, used: number, first: number, second: number, place: Gpr): void {
    [first, second].forEach((sums, which) => {
      for (const v of ranges(this.#vectors)) {
        for (let i = 1; i < used; i++) to.v('add', sums + v, sums + v, sums + i * this.#vectors + v);
        to.vstore(at(place, which * this.#channels * float + v * vectorBytes), sums + v);
      }
    });
  }

  /** Goes through all bands. */
  #overBands(to: Assembler, { streams, begin, pixel, end }: Body): Task[] {
    const pixelBytes = this.#pixelBytes;
    const groups = this.pixels.channels / lanes / this.#vectors;
    const sums = Math.floor(mostSums / this.#vectors);
    const routines = new Map<number, Label>();
    const routineFor = (pixels: number): Label => {
      const routine = to.label();
      to.bind(routine);
      for (const stream of streams) loadOperand(to, stream.at, stream.operand, stream.start);
      const advance = (pixels: number) => {
        for (const stream of streams) to.addConstant(stream.at, pixels * stream.perPixel);
      };
      to.repeat(groupCount, groups, () => {
        begin();
        const [blocks, rest] = [Math.floor(pixels / sums), pixels % sums];
        if (blocks > 0) {
          to.repeat(pixelCount, blocks, () => {
            for (const sum of ranges(sums)) pixel(sum, sum * pixelBytes);
            advance(sums);
          });
        }
        for (const sum of ranges(rest)) pixel(sum, sum * pixelBytes);
        end?.(sums);
        if (groups === 1) return;
        for (const stream of streams) {
          to.addConstant(stream.at, stream.perGroup - blocks * sums * stream.perPixel);
        }
      });
      to.ret();
      return routine;
    };
    return this.#bands.map(({ pixels, numbers }) => {
      const routine = routines.get(pixels) ?? routineFor(pixels);
      routines.set(pixels, routine);
      return { routine, numbers };
    });
  }

  /** For each vector of channels adds up the sums of all slices in two registers, and goes on from there. */
  #overChannels(
    to: Assembler,
    sums: number,
    first: number,
    second: number,
    body: (
      load: (operand: number, into: number) => void,
      store: (operand: number, from: number, offset?: number) => void,
    ) => void,
  ): Task[] {
    const channels = this.#channels * float;
    const routine = to.label();
    to.bind(routine);
    const [pointer] = free;
    to.vzero(first);
    to.vzero(second);
    loadOperand(to, pointer, sums, 0);
    to.repeat(pixelCount, this.#slices, () => {
      to.v('add', first, first, at(pointer));
      to.v('add', second, second, at(pointer, channels));
      to.addConstant(pointer, 2 * channels);
    });
    body(
      (operand, into) => {
        loadOperand(to, pointer, operand, 0);
        to.vload(into, at(pointer));
      },
      (operand, from, offset = 0) => {
        loadOperand(to, pointer, operand, 0);
        to.vstore(at(pointer, offset), from);
      },
    );
    to.ret();
    const { rows, columns, channels: together } = this.pixels;
    const size = bytesOf(this.pixels);
    return ranges(this.#channels / lanes).map((vector) => {
      const channel = vector * lanes;
      // The first pixel of a plane of its own, or one place further in the first pixel of all.
      const origin =
        together === this.#channels ? channel * size : (channel / together) * rows * columns * together * size;
      return { routine, numbers: [channel * float, origin] };
    });
  }
}
