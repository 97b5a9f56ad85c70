import { Tensor } from '../../tensor/tensor.js';
import { lookSide, type Measured } from './measure.js';

/** The nearest pictures of each picture, by its look and mean colours. */
export interface Neighbours {
  /** Share of each class among the nearest pictures, `[pictures, classes]`. */
  readonly shares: Float64Array;
  /** Mean distance to them. */
  readonly distances: Float64Array;
}

const nearest = 10;
/** Beyond so many pictures the search would take minutes. */
export const mostPictures = 100_000;

/** Candidates by products in single precision, of which exact distances choose the nearest. */
const candidateCount = 2 * nearest;
const rowsAtOnce = 128;
const featureSize = lookSide ** 2 + 3;

/**
 * Finds the nearest pictures of each, without itself, pictures of its group and its copies: an out-of-sample
 * prediction for every picture.
 *
 * @param groups pictures of one group do not predict one another
 * @param onRows called with the number of pictures that are done
 */
export async function neighboursOf(
  measured: readonly Measured[],
  labels: readonly number[],
  groups: readonly (string | null)[],
  classes: number,
  onRows: (done: number) => void = () => {},
): Promise<Neighbours> {
  const count = measured.length;
  const features = featuresOf(measured);
  const lengths = Float64Array.from({ length: count }, (_, i) => squaredLength(features, i));
  const shares = new Float64Array(count * classes);
  const distances = new Float64Array(count);
  const all = Tensor.fromData(features, [count, featureSize]);
  const candidates = new Nearest(candidateCount);
  const found = new Nearest(nearest);
  for (let begin = 0; begin < count; begin += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, count - begin);
    const own = Tensor.fromData(features.slice(begin * featureSize, (begin + rows) * featureSize), [rows, featureSize]);
    const products = await own.matmul(all, { transposeY: true }).data();
    for (let row = 0; row < rows; row++) {
      const i = begin + row;
      const mayPredict = (j: number) => j !== i && (groups[i] === null || groups[i] !== groups[j]);
      candidates.clear();
      for (let j = 0, at = row * count; j < count; j++, at++) {
        const distance = lengths[j] - 2 * products[at];
        if (distance < candidates.limit && mayPredict(j)) candidates.add(j, distance);
      }
      found.clear();
      candidates.each((j) => found.add(j, squaredDistance(features, i, j)));
      found.each((j, distance) => {
        shares[i * classes + labels[j]]++;
        distances[i] += Math.sqrt(distance);
      });
      const used = Math.max(1, found.size);
      for (let c = 0; c < classes; c++) shares[i * classes + c] /= used;
      distances[i] /= used;
    }
    onRows(begin + rows);
  }
  return { shares, distances };
}

/** Values of each picture, around their means: products of values far from 0 lose digits. */
function featuresOf(measured: readonly Measured[]): Float32Array {
  const features = new Float32Array(measured.length * featureSize);
  measured.forEach(({ look, colour }, i) => {
    features.set(look, i * featureSize);
    // Three means stand beside 64 cells.
    for (let c = 0; c < 3; c++) features[i * featureSize + look.length + c] = 3 * colour[c];
  });
  for (let k = 0; k < featureSize; k++) {
    let sum = 0;
    for (let at = k; at < features.length; at += featureSize) sum += features[at];
    const mean = sum / measured.length;
    for (let at = k; at < features.length; at += featureSize) features[at] -= mean;
  }
  return features;
}

function squaredLength(features: Float32Array, i: number): number {
  let sum = 0;
  for (let at = i * featureSize; at < (i + 1) * featureSize; at++) sum += features[at] ** 2;
  return sum;
}

function squaredDistance(features: Float32Array, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < featureSize; k++) sum += (features[i * featureSize + k] - features[j * featureSize + k]) ** 2;
  return sum;
}

/** The pictures of the least distances, in their order; of equal distances those that were added first. */
class Nearest {
  private readonly pictures: Int32Array;
  private readonly distances: Float64Array;
  size = 0;
  /** Pictures at this distance and beyond are not kept. */
  limit = Number.POSITIVE_INFINITY;

  constructor(private readonly most: number) {
    this.pictures = new Int32Array(most);
    this.distances = new Float64Array(most);
  }

  clear(): void {
    this.size = 0;
    this.limit = Number.POSITIVE_INFINITY;
  }

  add(picture: number, distance: number): void {
    if (distance >= this.limit) return;
    let place = this.size < this.most ? this.size++ : this.most - 1;
    while (place > 0 && this.distances[place - 1] > distance) {
      this.distances[place] = this.distances[place - 1];
      this.pictures[place] = this.pictures[place - 1];
      place--;
    }
    this.distances[place] = distance;
    this.pictures[place] = picture;
    if (this.size === this.most) this.limit = this.distances[this.most - 1];
  }

  each(use: (picture: number, distance: number) => void): void {
    for (let k = 0; k < this.size; k++) use(this.pictures[k], this.distances[k]);
  }
}
