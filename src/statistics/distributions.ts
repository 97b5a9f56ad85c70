/** Distribution functions, each accurate to about 13 digits. */

const rootTwoPi = Math.sqrt(2 * Math.PI);

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / rootTwoPi;
}

/**
 * P(X ≤ x) of the standard normal distribution: the series of Marsaglia (J Stat Softw 2004;11(4)) near 0,
 * and Laplace's continued fraction in the tails.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const tail = upperTail(Math.abs(x));
  return x < 0 ? tail : 1 - tail;
}

/** Two-sided p-value of a standard normal deviate. */
export function twoSidedP(z: number): number {
  return Math.min(1, 2 * upperTail(Math.abs(z)));
}

/** P(X > x) for x ≥ 0. */
function upperTail(x: number): number {
  if (x > 40) return 0;
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let k = 3; term > sum * 1e-17; k += 2) {
      term *= (x * x) / k;
      sum += term;
    }
    return 0.5 - normalDensity(x) * sum;
  }
  let fraction = x;
  for (let k = 160; k >= 1; k--) fraction = x + k / fraction;
  return normalDensity(x) / fraction;
}

/**
 * The x with P(X ≤ x) = share: the start of Abramowitz & Stegun 26.2.23, improved by Halley's method. −∞ and
 * ∞ for shares of 0 and 1.
 */
export function normalQuantile(share: number): number {
  if (share <= 0) return Number.NEGATIVE_INFINITY;
  if (share >= 1) return Number.POSITIVE_INFINITY;
  if (share > 0.5) return -normalQuantile(1 - share);
  const t = Math.sqrt(-2 * Math.log(share));
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (let i = 0; i < 3; i++) {
    const step = (normalCdf(x) - share) / normalDensity(x);
    x -= step / (1 + (x * step) / 2);
  }
  return x;
}

/**
 * ln Γ(x) for x > 0, after Lanczos (SIAM J Numer Anal 1964;1:86-96), with Godfrey's coefficients for g = 7.
 */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const base = x + 6.5;
  const series = lanczos.reduce((sum, coefficient, k) => sum + (k === 0 ? coefficient : coefficient / (x - 1 + k)), 0);
  return Math.log(rootTwoPi * series) + (x - 0.5) * Math.log(base) - base;
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/**
 * P(X ≤ x) of the beta distribution, the regularized incomplete beta function: its continued fraction (DLMF
 * 8.17.22), evaluated by Lentz's method.
 */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(1 - x, b, a);
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  return (Math.exp(logFront) / a) * betaFraction(x, a, b);
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const awayFromZero = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let product = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      change = d * c;
      product *= change;
    }
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return product;
}

/** The x where an increasing function of shares reaches a value. */
export function shareWhere(increasing: (x: number) => number, value: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 100 && low < high; i++) {
    const middle = (low + high) / 2;
    if (increasing(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Two-sided p-value of a value of Student's t distribution; the degrees of freedom need not be whole. */
export function studentP(t: number, freedom: number): number {
  return betaCdf(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** The value of Student's t distribution whose two-sided p-value is `p`. */
export function studentQuantile(p: number, freedom: number): number {
  const share = shareWhere((x) => betaCdf(x, freedom / 2, 0.5), p);
  return Math.sqrt((freedom * (1 - share)) / share);
}
