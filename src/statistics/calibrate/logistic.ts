import { none } from '../value.js';
import { sigmoid } from './logits.js';

/** Maximum likelihood of P(1) = sigmoid(intercept + slope · x + offset). */
interface LogisticFit {
  readonly intercept: number;
  readonly slope: number;
  /** Standard errors from the information matrix. */
  readonly standardErrors: { readonly intercept: number; readonly slope: number };
}

const maxSteps = 100;

/**
 * Logistic regression on one variable by Newton's method with halved steps.
 *
 * @param targets from 0 to 1
 * @returns none if the targets are separated by x, so that there is no finite maximum
 */
export function fitLogistic(x: ArrayLike<number>, targets: ArrayLike<number>): LogisticFit | ReturnType<typeof none> {
  // Around their mean and of unit spread, so that neither the start nor the limits depend on the scale.
  const { center, spread } = scaleOf(x);
  if (spread === 0) return none('all log-odds are equal');
  const scaled = Float64Array.from(x, (value) => (value - center) / spread);
  let [a, b] = [0, 0];
  let loss = lossOf(scaled, targets, a, b);
  for (let step = 0; step < maxSteps; step++) {
    const { ga, gb, aa, ab, bb } = derivatives(scaled, targets, a, b);
    const determinant = aa * bb - ab * ab;
    if (!(determinant > 0)) break;
    let [da, db] = [(bb * ga - ab * gb) / determinant, (aa * gb - ab * ga) / determinant];
    let next = lossOf(scaled, targets, a - da, b - db);
    while (next > loss && Math.abs(da) + Math.abs(db) > 1e-15) {
      [da, db] = [da / 2, db / 2];
      next = lossOf(scaled, targets, a - da, b - db);
    }
    if (next > loss) break;
    [a, b, loss] = [a - da, b - db, next];
    if (Math.abs(da) + Math.abs(db) < 1e-13 * (1 + Math.abs(a) + Math.abs(b))) break;
  }
  if (Math.abs(b) > 1000 || loss < 1e-9 * x.length) return none('the log-odds separate the classes completely');
  const { aa, ab, bb } = derivatives(scaled, targets, a, b);
  const determinant = aa * bb - ab * ab;
  const [varA, varB, covariance] = [bb / determinant, aa / determinant, -ab / determinant];
  const shift = center / spread;
  return {
    intercept: a - b * shift,
    slope: b / spread,
    standardErrors: {
      intercept: Math.sqrt(varA + shift * shift * varB - 2 * shift * covariance),
      slope: Math.sqrt(varB) / spread,
    },
  };
}

/** Maximum likelihood of P(1) = sigmoid(intercept + offset), where both classes occur. */
export function fitIntercept(
  offset: ArrayLike<number>,
  targets: ArrayLike<number>,
): { value: number; standardError: number } {
  const excess = (a: number) => {
    let sum = 0;
    for (let i = 0; i < offset.length; i++) sum += sigmoid(a + offset[i]) - targets[i];
    return sum;
  };
  let low = -1;
  let high = 1;
  while (excess(low) > 0) low *= 2;
  while (excess(high) < 0) high *= 2;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (excess(middle) < 0) low = middle;
    else high = middle;
  }
  let information = 0;
  for (let i = 0; i < offset.length; i++) {
    const p = sigmoid(high + offset[i]);
    information += p * (1 - p);
  }
  return { value: high, standardError: 1 / Math.sqrt(information) };
}

function scaleOf(x: ArrayLike<number>): { center: number; spread: number } {
  const values = Array.from(x);
  const center = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.every((value) => value === values[0])) return { center, spread: 0 };
  return { center, spread: Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / values.length) };
}

function lossOf(x: ArrayLike<number>, targets: ArrayLike<number>, a: number, b: number): number {
  let loss = 0;
  for (let i = 0; i < x.length; i++) {
    const z = a + b * x[i];
    loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - targets[i] * z;
  }
  return loss;
}

/** First and second derivatives of the loss. */
function derivatives(x: ArrayLike<number>, targets: ArrayLike<number>, a: number, b: number) {
  let [ga, gb, aa, ab, bb] = [0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const p = sigmoid(a + b * x[i]);
    const weight = p * (1 - p);
    ga += p - targets[i];
    gb += (p - targets[i]) * x[i];
    aa += weight;
    ab += weight * x[i];
    bb += weight * x[i] * x[i];
  }
  return { ga, gb, aa, ab, bb };
}
