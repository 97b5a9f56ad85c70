import sharp from 'sharp';
import { PALM } from '../../src/vision/palm/dataset.js';

interface Colours {
  readonly rows: number[][];
  readonly labels: number[];
}

async function meanColours(dataDir: string, mode: 'train' | 'validation'): Promise<Colours> {
  const { files } = await PALM.open({ dataDir, mode, cache: false });
  const stats = await Promise.all(files.map(({ path }) => sharp(path).stats()));
  return {
    rows: stats.map(({ channels }) => channels.map(({ mean }) => mean)),
    labels: files.map(({ label }) => label),
  };
}

/** Three standardised features, by gradient descent to convergence. @returns the share that is right in `test` */
function logisticRegression(train: Colours, test: Colours): number {
  const columns = train.rows[0].map((_, c) => {
    const values = train.rows.map((row) => row[c]);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    return { mean, deviation: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) };
  });
  const features = (row: number[]) => [1, ...row.map((x, c) => (x - columns[c].mean) / columns[c].deviation)];
  const weights = [0, 0, 0, 0];
  const score = (x: number[]) => x.reduce((sum, value, i) => sum + weights[i] * value, 0);
  const inputs = train.rows.map(features);
  for (let step = 0; step < 3000; step++) {
    const gradient = [0, 0, 0, 0];
    for (const [i, x] of inputs.entries()) {
      const error = 1 / (1 + Math.exp(-score(x))) - train.labels[i];
      for (const [k, value] of x.entries()) gradient[k] += (error * value) / inputs.length;
    }
    for (const k of weights.keys()) weights[k] -= gradient[k];
  }
  const right = test.rows.filter((row, i) => score(features(row)) > 0 === (test.labels[i] === 1));
  return right.length / test.rows.length;
}

/** How many of the validation images a logistic regression on the mean colour of the training images gets right. */
export async function meanColourAccuracy(dataDir: string): Promise<number> {
  return logisticRegression(await meanColours(dataDir, 'train'), await meanColours(dataDir, 'validation'));
}
