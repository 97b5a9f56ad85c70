import { InputError } from '../../../errors.js';
import { RandomGenerator } from '../../../random.js';

export interface PrincipalComponents {
  /** The points on the components: `[n, components]`. */
  readonly points: Float64Array;
  /** Directions of length 1, the one with the largest variance first: `[components, size]`. */
  readonly components: Float64Array;
  /** Share of the variance of all points that each component has. */
  readonly explained: readonly number[];
}

/** Directions that are computed beside the wanted ones, so that those are found sooner. */
const more = 6;
const mostRounds = 300;
/** Change of the variances at which the search ends, as a share of the largest one. */
const precision = 1e-13;

/**
 * Principal component analysis (Pearson 1901): the directions in which points differ most. They are found by
 * subspace iteration on the centred points, so that no covariance matrix is made. The sign of a component is
 * such that its largest number, by magnitude, is positive, as in scikit-learn.
 *
 * @param values points, one after the other
 * @param size numbers of a point
 * @param components how many (2)
 * @throws {InputError} for numbers that do not fit together, or a value that is not finite
 */
export function principalComponents(values: ArrayLike<number>, size: number, components = 2): PrincipalComponents {
  const n = values.length / size;
  if (!(Number.isInteger(size) && size > 0 && Number.isInteger(n) && n > 1)) {
    throw new InputError(`[pca] points: expected two or more of ${size} numbers each, got ${values.length} in all`);
  }
  if (!(Number.isInteger(components) && components > 0 && components <= Math.min(n, size))) {
    throw new InputError(
      `[pca] components: expected an integer from 1 to ${Math.min(n, size)}, got ${components} for ${n} points of ${size} numbers`,
    );
  }
  const { centred, total } = centre(values, n, size);
  const width = Math.min(components + more, n, size);
  const generator = new RandomGenerator(0);
  let basis: Float64Array[] = Array.from({ length: width }, () =>
    Float64Array.from({ length: size }, () => generator.normal()),
  );
  orthonormalize(basis);
  let before = new Array<number>(width).fill(0);
  for (let round = 0; round < mostRounds; round++) {
    const turned = rotate(centred, basis, size);
    basis = turned.basis;
    const changes = turned.variances.slice(0, components).map((variance, i) => Math.abs(variance - before[i]));
    before = turned.variances;
    if (Math.max(...changes) <= precision * (before[0] || 1)) break;
    basis = covarianceTimes(centred, basis, size);
    orthonormalize(basis);
  }
  const directions = new Float64Array(components * size);
  for (const [k, direction] of basis.slice(0, components).entries()) {
    const largest = direction.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    for (let j = 0; j < size; j++) directions[k * size + j] = largest < 0 ? -direction[j] : direction[j];
  }
  const points = new Float64Array(n * components);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < components; k++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += centred[i * size + j] * directions[k * size + j];
      points[i * components + k] = sum;
    }
  }
  return {
    points,
    components: directions,
    explained: before.slice(0, components).map((variance) => (total === 0 ? 0 : variance / total)),
  };
}

function centre(values: ArrayLike<number>, n: number, size: number) {
  const mean = new Float64Array(size);
  for (let i = 0; i < n; i++) for (let j = 0; j < size; j++) mean[j] += values[i * size + j] / n;
  const centred = new Float64Array(n * size);
  let total = 0;
  for (let i = 0; i < centred.length; i++) {
    centred[i] = values[i] - mean[i % size];
    total += centred[i] ** 2;
  }
  if (!Number.isFinite(total)) throw new InputError('[pca] points: expected finite numbers, got others');
  return { centred, total };
}

/** The product of the centred points' transpose, themselves and each vector. */
function covarianceTimes(centred: Float64Array, basis: readonly Float64Array[], size: number): Float64Array[] {
  const results = basis.map(() => new Float64Array(size));
  for (let begin = 0; begin < centred.length; begin += size) {
    for (const [k, vector] of basis.entries()) {
      let along = 0;
      for (let j = 0; j < size; j++) along += centred[begin + j] * vector[j];
      const result = results[k];
      for (let j = 0; j < size; j++) result[j] += along * centred[begin + j];
    }
  }
  return results;
}

/** Gram-Schmidt, twice, which keeps the directions orthogonal to rounding. */
function orthonormalize(basis: readonly Float64Array[]): void {
  for (const [k, vector] of basis.entries()) {
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis.slice(0, k)) {
        let along = 0;
        for (let j = 0; j < vector.length; j++) along += vector[j] * other[j];
        for (let j = 0; j < vector.length; j++) vector[j] -= along * other[j];
      }
      const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
      if (length > 0) for (let j = 0; j < vector.length; j++) vector[j] /= length;
    }
  }
}

/** Turns an orthonormal basis within its space such that the variances along it fall and are uncorrelated. */
function rotate(centred: Float64Array, basis: readonly Float64Array[], size: number) {
  const width = basis.length;
  const matrix = Array.from({ length: width }, () => new Float64Array(width));
  const along = new Float64Array(width);
  for (let begin = 0; begin < centred.length; begin += size) {
    for (let k = 0; k < width; k++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += centred[begin + j] * basis[k][j];
      along[k] = sum;
    }
    for (let k = 0; k < width; k++) for (let l = 0; l < width; l++) matrix[k][l] += along[k] * along[l];
  }
  const { values, vectors } = symmetricEigen(matrix);
  const order = values.map((_, i) => i).sort((a, b) => values[b] - values[a]);
  const turned = order.map((e) => {
    const direction = new Float64Array(size);
    for (let k = 0; k < width; k++) {
      for (let j = 0; j < size; j++) direction[j] += vectors[k][e] * basis[k][j];
    }
    return direction;
  });
  return { basis: turned, variances: order.map((e) => values[e]) };
}

/** Jacobi's method for a small symmetric matrix; eigenvectors are the columns of `vectors`. */
function symmetricEigen(matrix: readonly Float64Array[]) {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const vectors = a.map((_, i) => Float64Array.from({ length: n }, (__, j) => Number(i === j)));
  for (let sweep = 0; sweep < 60; sweep++) {
    let [off, all] = [0, 0];
    for (let p = 0; p < n; p++) {
      for (let q = 0; q < n; q++) {
        all += a[p][q] ** 2;
        if (p !== q) off += a[p][q] ** 2;
      }
    }
    if (off <= 1e-30 * all) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p][q] === 0) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k++) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (const row of vectors) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
      }
    }
  }
  return { values: a.map((row, i) => row[i]), vectors };
}
