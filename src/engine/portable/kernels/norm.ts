import type { Assembler, Pointer, Vector } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { float } from '../../kernels/tile.js';
import { type ChannelVector, groupBytes, groupsOf, ofGroup } from './channels.js';

/** Features with their channels last, as a matrix `[pixels, channels]`. */
export interface NormShape {
  readonly pixels: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly relu: boolean;
}

/** Pixels whose statistics are computed at once and then joined with those before. */
const pixelsAtOnce = 32;

/** Calls `block` for all pixels in blocks, which have `count` pixels each. */
function overBlocks(to: Assembler, pixels: number, block: (count: number) => void): void {
  to.repeat(Math.floor(pixels / pixelsAtOnce), () => block(pixelsAtOnce));
  if (pixels % pixelsAtOnce > 0) to.scope(() => block(pixels % pixelsAtOnce));
}

/** Calls `body` for some pixels; the pointers move from pixel to pixel. */
function overPixels(
  to: Assembler,
  pixels: number,
  channels: number,
  moved: readonly Pointer[],
  body: () => void,
): void {
  to.repeat(pixels, () => {
    body();
    for (const pointer of moved) to.advance(pointer, channels * float);
  });
}

const loads = (to: Assembler, from: Pointer, vectors: readonly ChannelVector[]): Vector[] =>
  vectors.map(({ bytes, lanes }) => to.loadPart(from, bytes, lanes));

function stores(to: Assembler, values: readonly Vector[], target: Pointer, vectors: readonly ChannelVector[]): void {
  vectors.forEach(({ bytes, lanes }, v) => {
    to.storePart(values[v], target, bytes, lanes);
  });
}

/** Mean and sum of squared differences of each channel (Chan, Golub and LeVeque, 1983). */
function statistics(
  to: Assembler,
  x: Pointer,
  { pixels, channels }: NormShape,
  vectors: readonly ChannelVector[],
): readonly { readonly mean: Vector; readonly squares: Vector }[] {
  const all = vectors.map(() => ({ mean: to.zero(), squares: to.zero() }));
  const seen = to.zero();
  const block = to.pointer(x);
  overBlocks(to, pixels, (count) => {
    const means = vectors.map(() => to.zero());
    const at = to.pointer(block);
    overPixels(to, count, channels, [at], () => {
      loads(to, at, vectors).forEach((value, v) => {
        to.applyTo(means[v], 'add', means[v], value);
      });
    });
    for (const mean of means) to.applyTo(mean, 'mul', mean, to.constant(1 / count));
    const squares = vectors.map(() => to.zero());
    to.point(at, block);
    overPixels(to, count, channels, [at], () => {
      loads(to, at, vectors).forEach((value, v) => {
        const difference = to.apply('sub', value, means[v]);
        to.addProduct(squares[v], difference, difference);
      });
    });
    const total = to.apply('add', seen, to.constant(count));
    const share = to.apply('div', to.constant(count), total);
    all.forEach(({ mean, squares: sum }, v) => {
      const difference = to.apply('sub', means[v], mean);
      to.addProduct(mean, difference, share);
      to.applyTo(sum, 'add', sum, squares[v]);
      to.addProduct(sum, to.apply('mul', difference, difference), to.apply('mul', seen, share));
    });
    to.assign(seen, total);
    to.point(block, at);
  });
  return all;
}

interface Line {
  readonly factor: Vector;
  readonly offset: Vector;
}

/** `factor·x + offset` for every pixel, with a summand and ReLU if there are. */
function scaled(
  to: Assembler,
  { pixels, channels, relu }: NormShape,
  vectors: readonly ChannelVector[],
  lines: readonly Line[],
  [x, y, summand]: readonly Pointer[],
): void {
  const moved = [x, y, ...(summand === undefined ? [] : [summand])].map((pointer) => to.pointer(pointer));
  overPixels(to, pixels, channels, moved, () => {
    vectors.forEach(({ bytes, lanes }, v) => {
      to.scope(() => {
        const [from, target, added] = moved;
        const value = to.copy(lines[v].offset);
        to.addProduct(value, to.loadPart(from, bytes, lanes), lines[v].factor);
        if (added !== undefined) to.applyTo(value, 'add', value, to.loadPart(added, bytes, lanes));
        to.storePart(relu ? to.apply('max', value, to.zero()) : value, target, bytes, lanes);
      });
    });
  });
}

/** `scale / √(variance + ε)` and `shift − mean·factor` */
function lineOf(to: Assembler, epsilon: number, mean: Vector, variance: Vector, scale: Vector, shift: Vector): Line {
  const deviation = to.call('sqrt', to.apply('add', variance, to.constant(epsilon)));
  const factor = to.apply('div', scale, deviation);
  return { factor, offset: to.apply('sub', shift, to.apply('mul', mean, factor)) };
}

/** Pointers to a group of channels. */
function atGroup(to: Assembler, group: Parameters<Assembler['advanceBy']>[1], operands: readonly Pointer[]): Pointer[] {
  return operands.map((operand) => {
    const pointer = to.pointer(operand);
    to.advanceBy(pointer, group, groupBytes(to));
    return pointer;
  });
}

/** Operands: x, mean, variance, scale, shift, y. */
export function normKernel(shape: NormShape): TaskKernel {
  return {
    tasks: groupsOf(shape.channels),
    scratch: 0,
    emit: (to, operands, first, end) => {
      to.range(first, end, (group) => {
        const [x, mean, variance, scale, shift, y] = atGroup(to, group, operands);
        ofGroup(to, shape.channels, group, (vectors) => {
          const [means, variances, scales, shifts] = [mean, variance, scale, shift].map((at) => loads(to, at, vectors));
          const lines = vectors.map((_, v) => lineOf(to, shape.epsilon, means[v], variances[v], scales[v], shifts[v]));
          scaled(to, shape, vectors, lines, [x, y]);
        });
      });
    },
  };
}

/** With statistics of the batch. Operands: x, scale, shift, summand if there is one, y, mean, variance. */
export function normTrainKernel(shape: NormShape, summand: boolean): TaskKernel {
  return {
    tasks: groupsOf(shape.channels),
    scratch: 0,
    emit: (to, operands, first, end) => {
      to.range(first, end, (group) => {
        const [x, scale, shift, ...others] = atGroup(to, group, operands);
        const added = summand ? others.slice(0, 1) : [];
        const [y, mean, variance] = others.slice(added.length);
        ofGroup(to, shape.channels, group, (vectors) => {
          const found = statistics(to, x, shape, vectors);
          const means = found.map((one) => one.mean);
          const variances = found.map(({ squares }) => to.apply('mul', squares, to.constant(1 / shape.pixels)));
          stores(to, means, mean, vectors);
          stores(to, variances, variance, vectors);
          const [scales, shifts] = [scale, shift].map((at) => loads(to, at, vectors));
          const lines = vectors.map((_, v) => lineOf(to, shape.epsilon, means[v], variances[v], scales[v], shifts[v]));
          scaled(to, shape, vectors, lines, [x, y, ...added]);
        });
      });
    },
  };
}

/** Additional operands of the gradient of batch norm. */
export interface NormBackwardExtras {
  /** The gradient is that of a sum, which is written. */
  readonly sum: boolean;
  /** A second gradient is added. */
  readonly second: boolean;
}

/**
 * Operands: x, mean, variance, scale, dy, y (with ReLU), dy2 (with a second gradient); dx, dScale, dShift,
 * the gradient of the sum (if there is one).
 */
export function normBackwardKernel(shape: NormShape, { sum, second }: NormBackwardExtras): TaskKernel {
  const { pixels, channels, epsilon, relu } = shape;
  return {
    tasks: groupsOf(channels),
    scratch: 0,
    emit: (to, operands, first, end) => {
      to.range(first, end, (group) => {
        const [x, mean, variance, scale, dy, ...others] = atGroup(to, group, operands);
        const take = (exists: boolean) => (exists ? (others.shift() as Pointer) : null);
        const [y, dy2] = [take(relu), take(second)];
        const [dx, dScale, dShift] = others.splice(0, 3);
        const gradient = take(sum);
        /** The gradient of batch norm's own result. */
        const received = (at: Sources, { bytes, lanes }: ChannelVector): Vector => {
          let value = to.loadPart(at.dy, bytes, lanes);
          if (at.dy2 !== null) value = to.apply('add', value, to.loadPart(at.dy2, bytes, lanes));
          if (at.y === null) return value;
          const isZero = to.compare('lessEqual', to.loadPart(at.y, bytes, lanes), to.zero());
          return to.apply('andNot', value, isZero);
        };
        ofGroup(to, channels, group, (vectors) => {
          const centers = loads(to, mean, vectors);
          const sums = vectors.map(() => ({ plain: to.zero(), product: to.zero() }));
          const sources = { x: to.pointer(x), ...sourcesOf(to, { dy, y, dy2 }) };
          const written = gradient === null ? null : to.pointer(gradient);
          const moved = [...Object.values(sources), written].filter((pointer) => pointer !== null);
          overBlocks(to, pixels, (count) => {
            const parts = vectors.map(() => ({ plain: to.zero(), product: to.zero() }));
            overPixels(to, count, channels, moved, () => {
              vectors.forEach((vector, v) => {
                to.scope(() => {
                  const value = received(sources, vector);
                  if (written !== null) to.storePart(value, written, vector.bytes, vector.lanes);
                  const difference = to.apply('sub', to.loadPart(sources.x, vector.bytes, vector.lanes), centers[v]);
                  to.applyTo(parts[v].plain, 'add', parts[v].plain, value);
                  to.addProduct(parts[v].product, value, difference);
                });
              });
            });
            sums.forEach(({ plain, product }, v) => {
              to.applyTo(plain, 'add', plain, parts[v].plain);
              to.applyTo(product, 'add', product, parts[v].product);
            });
          });
          const one = to.constant(1);
          const inverses = loads(to, variance, vectors).map((value) =>
            to.apply('div', one, to.call('sqrt', to.apply('add', value, to.constant(epsilon)))),
          );
          stores(
            to,
            sums.map(({ plain }) => plain),
            dShift,
            vectors,
          );
          stores(
            to,
            sums.map(({ product }, v) => to.apply('mul', product, inverses[v])),
            dScale,
            vectors,
          );
          // dx = factor·(d − meanOfGradient − (x − center)·slope) = factor·d + x·slopes + offset
          const share = to.constant(1 / pixels);
          const factors = loads(to, scale, vectors).map((value, v) => to.apply('mul', value, inverses[v]));
          const slopes = sums.map(({ product }, v) => {
            const squared = to.apply('mul', inverses[v], inverses[v]);
            return to.apply('mul', to.apply('mul', product, squared), share);
          });
          const means = sums.map(({ plain }) => to.apply('mul', plain, share));
          const again =
            gradient === null
              ? { x: to.pointer(x), ...sourcesOf(to, { dy, y, dy2 }) }
              : { x: to.pointer(x), ...sourcesOf(to, { dy: gradient, y: null, dy2: null }) };
          const target = to.pointer(dx);
          const all = [...Object.values(again), target].filter((pointer) => pointer !== null);
          overPixels(to, pixels, channels, all, () => {
            vectors.forEach((vector, v) => {
              to.scope(() => {
                const difference = to.apply('sub', to.loadPart(again.x, vector.bytes, vector.lanes), centers[v]);
                const value = to.apply('sub', received(again, vector), means[v]);
                const slope = to.apply('mul', difference, slopes[v]);
                const result = to.apply('mul', factors[v], to.apply('sub', value, slope));
                to.storePart(result, target, vector.bytes, vector.lanes);
              });
            });
          });
        });
      });
    },
  };
}

/** Where the gradient of a result comes from. */
interface Sources {
  readonly dy: Pointer;
  readonly y: Pointer | null;
  readonly dy2: Pointer | null;
}

function sourcesOf(to: Assembler, { dy, y, dy2 }: Sources): Sources {
  const copy = (pointer: Pointer | null) => (pointer === null ? null : to.pointer(pointer));
  return { dy: to.pointer(dy), y: copy(y), dy2: copy(dy2) };
}
