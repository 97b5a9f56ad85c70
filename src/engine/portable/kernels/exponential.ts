import type { Assembler, Vector } from '../../kernels/assembler.js';

/** Cephes, `expf`: e^r = 1 + r + r²·p(r) for |r| ≤ ln(2)/2, highest power first. */
const exponential = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
];

/** ln 2 as a sum of two numbers, of which the first has few digits. */
const [highLn2, lowLn2] = [0.693359375, -2.1219444e-4];

/** Below `least` e^x is no normal number, and the results are the same. At `most` it is infinite. */
const [least, most] = [-87, 89];

function polynomial(to: Assembler, coefficients: readonly number[], x: Vector): Vector {
  return coefficients.slice(1).reduce((sum, coefficient) => {
    const next = to.constant(coefficient);
    to.addProduct(next, sum, x);
    return next;
  }, to.constant(coefficients[0]));
}

/** e^x; numbers below −87 count as −87, above 88.4 the result is infinite, and NaN stays NaN. */
function exp(to: Assembler, x: Vector): Vector {
  const within = to.apply('max', to.apply('min', x, to.constant(most)), to.constant(least));
  const n = to.call('round', to.apply('mul', within, to.constant(Math.LOG2E)));
  to.addProduct(within, n, to.constant(-highLn2));
  to.addProduct(within, n, to.constant(-lowLn2));
  const result = to.apply('add', within, to.constant(1));
  to.addProduct(result, polynomial(to, exponential, within), to.apply('mul', within, within));
  return to.apply('mul', result, to.powerOfTwo(n));
}

/** `1 / (1 + e^−x)` */
export function sigmoid(to: Assembler, x: Vector): Vector {
  const one = to.constant(1);
  return to.apply('div', one, to.apply('add', one, exp(to, to.call('neg', x))));
}

/**
 * Abramowitz and Stegun, 7.1.26: erfc x = p(1/(1 + 0.3275911·x))·e^−x² for x ≥ 0 with an error of 1.5e-7,
 * highest power first.
 */
const complement = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592, 0];
const complementScale = 0.3275911;

/** e^(−x²/2), and the share of a standard normal distribution below x. */
function normal(to: Assembler, x: Vector): { readonly bell: Vector; readonly share: Vector } {
  const one = to.constant(1);
  const bell = exp(to, to.apply('mul', to.apply('mul', x, x), to.constant(-0.5)));
  const scaled = to.apply('mul', to.call('abs', x), to.constant(complementScale * Math.SQRT1_2));
  const t = to.apply('div', one, to.apply('add', one, scaled));
  const half = to.apply('mul', to.constant(0.5), polynomial(to, complement, t));
  const tail = to.apply('mul', half, bell);
  const isNegative = to.compare('less', x, to.zero());
  return { bell, share: to.select(isNegative, tail, to.apply('sub', one, tail)) };
}

/** x times the share of a standard normal distribution below x. */
export function gelu(to: Assembler, x: Vector): Vector {
  return to.apply('mul', x, normal(to, x).share);
}

/** The derivative of {@link gelu}. */
export function geluSlope(to: Assembler, x: Vector): Vector {
  const { bell, share } = normal(to, x);
  const slope = to.copy(share);
  to.addProduct(slope, to.apply('mul', x, to.constant(1 / Math.sqrt(2 * Math.PI))), bell);
  return slope;
}

/** Cephes, `tanhf`: tanh x = x + x³·p(x²) for |x| < 0.625, highest power first. */
const small = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];
const smallest = 0.625;

export function tanh(to: Assembler, x: Vector): Vector {
  const one = to.constant(1);
  const grown = exp(to, to.apply('add', x, x));
  const large = to.apply('sub', one, to.apply('div', to.constant(2), to.apply('add', grown, one)));
  const square = to.apply('mul', x, x);
  const near = to.copy(x);
  to.addProduct(near, polynomial(to, small, square), to.apply('mul', square, x));
  return to.select(to.compare('less', to.call('abs', x), to.constant(smallest)), near, large);
}
