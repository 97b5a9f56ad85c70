/** A point between 0 and 1, and its share of an integral from 0 to 1. */
export interface QuadraturePoint {
  readonly point: number;
  readonly weight: number;
}

/**
 * The points and weights of Gauss-Legendre quadrature between 0 and 1: exact for polynomials up to the
 * degree 2·count − 1. The points are the zeros of the Legendre polynomial, found by Newton's method (Press
 * et al., Numerical Recipes, section 4.6).
 */
export function gaussLegendre(count: number): QuadraturePoint[] {
  const points: QuadraturePoint[] = [];
  for (let i = 0; i < count; i++) {
    let x = Math.cos((Math.PI * (count - i - 0.25)) / (count + 0.5));
    let slope = 1;
    for (let round = 0; round < 100; round++) {
      let [before, value] = [0, 1];
      for (let k = 1; k <= count; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
      slope = (count * (x * value - before)) / (x * x - 1);
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    points.push({ point: (x + 1) / 2, weight: 1 / ((1 - x * x) * slope * slope) });
  }
  return points;
}
