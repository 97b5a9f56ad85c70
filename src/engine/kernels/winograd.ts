import type { BasicAssembler, Vector } from './assembler.js';

/**
 * Winograd's F(4×4, 3×3) (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016): a tile of
 * 4×4 results comes from 6×6 inputs by 36 products instead of 144. The transforms interpolate polynomials at
 * 0, ±a, ±b and infinity; these points keep rounding errors small, and their powers are exact in float32.
 */
const [a, b] = [0.625, 1.5];
const [aa, bb] = [a * a, b * b];

/** Results of a tile along one axis, inputs under it, and taps of the window. */
export const tileSize = 4;
export const tileInputs = 6;
const taps = 3;
/** Places of a transformed tile. */
export const places = tileInputs * tileInputs;

/** Divisors of the transformed weights, at 0, ±a and ±b. */
const divisors = [aa * bb, 2 * aa * (aa - bb), 2 * bb * (bb - aa)] as const;

type Transform = (to: BasicAssembler, values: readonly Vector[]) => Vector[];

/** `x + y·factor` */
function plus(to: BasicAssembler, x: Vector, y: Vector, factor: number): Vector {
  const sum = to.copy(x);
  to.addProduct(sum, y, to.constant(factor));
  return sum;
}

const scaled = (to: BasicAssembler, x: Vector, factor: number): Vector => to.apply('mul', x, to.constant(factor));

/** The sum and the difference. */
const pair = (to: BasicAssembler, x: Vector, y: Vector): Vector[] => [to.apply('add', x, y), to.apply('sub', x, y)];

/** Six inputs. */
const ofInputs: Transform = (to, [d0, d1, d2, d3, d4, d5]) => [
  plus(to, plus(to, d4, d2, -(aa + bb)), d0, aa * bb),
  ...pair(to, plus(to, d4, d2, -bb), scaled(to, plus(to, d3, d1, -bb), a)),
  ...pair(to, plus(to, d4, d2, -aa), scaled(to, plus(to, d3, d1, -aa), b)),
  plus(to, plus(to, d5, d3, -(aa + bb)), d1, aa * bb),
];

/** The values at six places; four results. */
const toResults: Transform = (to, [m0, m1, m2, m3, m4, m5]) => {
  const [[sumA, differenceA], [sumB, differenceB]] = [pair(to, m1, m2), pair(to, m3, m4)];
  return [
    to.apply('add', m0, to.apply('add', sumA, sumB)),
    plus(to, scaled(to, differenceA, a), differenceB, b),
    plus(to, scaled(to, sumA, aa), sumB, bb),
    to.apply('add', m5, plus(to, scaled(to, differenceA, a * aa), differenceB, b * bb)),
  ];
};

/** The three weights of a row or column of the window. */
const ofWeights: Transform = (to, [g0, g1, g2]) => {
  const at = (point: number, divisor: number) =>
    pair(to, plus(to, scaled(to, g0, 1 / divisor), g2, (point * point) / divisor), scaled(to, g1, point / divisor));
  return [scaled(to, g0, 1 / divisors[0]), ...at(a, divisors[1]), ...at(b, divisors[2]), to.copy(g2)];
};

/** The gradients of four results. */
const ofGradients: Transform = (to, [y0, y1, y2, y3]) => {
  const at = (point: number, square: number) =>
    pair(to, plus(to, y0, y2, square), plus(to, scaled(to, y1, point), y3, point * square));
  return [to.copy(y0), ...at(a, aa), ...at(b, bb), to.copy(y3)];
};

/** The gradients at six places; those of three weights. */
const toWeights: Transform = (to, [u0, u1, u2, u3, u4, u5]) => {
  const [[sumA, differenceA], [sumB, differenceB]] = [pair(to, u1, u2), pair(to, u3, u4)];
  const [, divisorA, divisorB] = divisors;
  return [
    plus(to, plus(to, scaled(to, u0, 1 / divisors[0]), sumA, 1 / divisorA), sumB, 1 / divisorB),
    plus(to, scaled(to, differenceA, a / divisorA), differenceB, b / divisorB),
    plus(to, plus(to, u5, sumA, aa / divisorA), sumB, bb / divisorB),
  ];
};

/** A transform of squares, with its numbers of rows before and after. */
export interface SquareTransform {
  readonly transform: Transform;
  readonly size: number;
  readonly results: number;
}

export const inputTransform: SquareTransform = { transform: ofInputs, size: tileInputs, results: tileInputs };
export const resultTransform: SquareTransform = { transform: toResults, size: tileInputs, results: tileSize };
export const weightTransform: SquareTransform = { transform: ofWeights, size: taps, results: tileInputs };
export const gradientTransform: SquareTransform = { transform: ofGradients, size: tileSize, results: tileInputs };
export const weightResultTransform: SquareTransform = { transform: toWeights, size: tileInputs, results: taps };

/**
 * Transforms a square of vectors along both axes. `finish` gets the results row by row.
 *
 * @param load a vector by row and column
 */
export function transformSquare(
  to: BasicAssembler,
  { transform, size, results }: SquareTransform,
  load: (row: number, column: number) => Vector,
  finish: (row: number, results: readonly Vector[]) => void,
): void {
  const indices = Array.from({ length: size }, (_, i) => i);
  to.scope(() => {
    const kept = indices.map((column) => {
      const along = Array.from({ length: results }, () => to.zero());
      to.scope(() => {
        const loaded = indices.map((row) => load(row, column));
        transform(to, loaded).forEach((value, i) => {
          to.assign(along[i], value);
        });
      });
      return along;
    });
    for (let row = 0; row < results; row++) {
      to.scope(() =>
        finish(
          row,
          transform(
            to,
            indices.map((column) => kept[column][row]),
          ),
        ),
      );
    }
  });
}

/** The rows of {@link inputTransform} and {@link gradientTransform} as factors of their inputs. */
const inputRows: readonly (readonly number[])[] = [
  [aa * bb, 0, -(aa + bb), 0, 1, 0],
  ...[a, -a].map((point) => [0, -point * bb, -bb, point, 1, 0]),
  ...[b, -b].map((point) => [0, -point * aa, -aa, point, 1, 0]),
  [0, aa * bb, 0, -(aa + bb), 0, 1],
];
const gradientRows: readonly (readonly number[])[] = [
  [1, 0, 0, 0],
  ...[a, -a, b, -b].map((point) => [1, point, point * point, point ** 3]),
  [0, 0, 0, 1],
];

/** One row of {@link transformSquare}, of inputs or of gradients of results. */
export function transformRowOf(
  to: BasicAssembler,
  { transform, size }: SquareTransform,
  row: number,
  load: (row: number, column: number) => Vector,
): Vector[] {
  const factors = (transform === ofInputs ? inputRows : gradientRows)[row];
  const kept = Array.from({ length: size }, (_, column) => {
    const sum = to.zero();
    factors.forEach((factor, i) => {
      if (factor !== 0) to.scope(() => to.addProduct(sum, load(i, column), to.constant(factor)));
    });
    return sum;
  });
  return transform(to, kept);
}
