import { cosineTransform } from '../cosines.js';
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
export const mostPictures = 20_000;

const cosines = cosineTransform(lookSide);
/** Frequencies down and across, the lowest first. */
const frequencies = Array.from(
  { length: lookSide ** 2 },
  (_, i) => [Math.floor(i / lookSide), i % lookSide] as const,
).sort((a, b) => a[0] + a[1] - b[0] - b[1]);

/**
 * The cosine transform of a look. It keeps distances. The first values hold most of them, so that a search
 * can leave most pictures after a few values.
 */
function spectrumOf(look: Float32Array): Float32Array {
  const rows = new Float64Array(look.length);
  for (let r = 0; r < lookSide; r++) {
    for (let k = 0; k < lookSide; k++) {
      for (let c = 0; c < lookSide; c++) rows[r * lookSide + k] += look[r * lookSide + c] * cosines[k * lookSide + c];
    }
  }
  return Float32Array.from(frequencies, ([down, across]) => {
    let sum = 0;
    for (let r = 0; r < lookSide; r++) sum += rows[r * lookSide + across] * cosines[down * lookSide + r];
    return sum;
  });
}

/**
 * Finds the nearest pictures of each, without itself, pictures of its group and its copies: an out-of-sample
 * prediction for every picture.
 *
 * @param groups pictures of one group do not predict one another
 */
export function neighboursOf(
  measured: readonly Measured[],
  labels: readonly number[],
  groups: readonly (string | null)[],
  classes: number,
): Neighbours {
  const count = measured.length;
  const size = (measured[0]?.look.length ?? 0) + 3;
  const features = new Float32Array(count * size);
  measured.forEach(({ look, colour }, i) => {
    features.set(spectrumOf(look), i * size);
    // Three means stand beside 64 cells.
    for (let c = 0; c < 3; c++) features[i * size + size - 3 + c] = 3 * colour[c];
  });
  const shares = new Float64Array(count * classes);
  const distances = new Float64Array(count);
  const [found, near] = [new Int32Array(nearest), new Float64Array(nearest)];
  for (let i = 0; i < count; i++) {
    near.fill(Number.POSITIVE_INFINITY);
    found.fill(-1);
    const own = i * size;
    for (let j = 0; j < count; j++) {
      if (j === i || (groups[i] !== null && groups[i] === groups[j])) continue;
      const most = near[nearest - 1];
      let sum = 0;
      for (let k = 0, at = j * size; k < size && sum < most; k += 4) {
        for (let l = k; l < Math.min(size, k + 4); l++) sum += (features[own + l] - features[at + l]) ** 2;
      }
      if (sum >= most) continue;
      let place = nearest - 1;
      while (place > 0 && near[place - 1] > sum) {
        near[place] = near[place - 1];
        found[place] = found[place - 1];
        place--;
      }
      near[place] = sum;
      found[place] = j;
    }
    let used = 0;
    for (let k = 0; k < nearest; k++) {
      if (found[k] < 0) continue;
      used++;
      shares[i * classes + labels[found[k]]]++;
      distances[i] += Math.sqrt(near[k]);
    }
    for (let c = 0; c < classes; c++) shares[i * classes + c] /= Math.max(1, used);
    distances[i] /= Math.max(1, used);
  }
  return { shares, distances };
}
