import { expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { RandomGenerator, withGenerator } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { binaryCrossEntropy } from '../../src/train/losses.js';
import { beta, mixedObjective } from '../../src/train/mixing.js';

setEngine('reference');

const images = Tensor.fromData(
  Float32Array.from({ length: 3 * 64 }, (_, i) => Math.floor(i / 64)),
  [3, 1, 8, 8],
);
const labels = Tensor.fromData(Int32Array.of(0, 1, 2));

/** The loss is the sum of the labels, by which the shares can be seen; the outputs are the mixed images. */
async function mixedBy(options: Parameters<typeof mixedObjective>[0], seed: number) {
  const objective = withGenerator(new RandomGenerator(seed), () =>
    mixedObjective(options, images, labels, {
      forward: (mixed) => mixed,
      loss: (_, classes) =>
        classes
          .cast('float32')
          .mul(Tensor.fromData(Float32Array.of(1, 10, 100)))
          .sum(),
    }),
  );
  return { mixed: await objective.outputs.data('float32'), loss: await objective.loss.item() };
}

test.each([{ mixup: 0.4 }, { cutmix: 1 }])(
  '%o mixes each image with the one before it, and the losses by the same shares',
  async (options) => {
    for (let seed = 0; seed < 5; seed++) {
      const { mixed, loss } = await mixedBy(options, seed);
      // Image 1 has ones; the part of image 0 in it has zeros.
      const share = mixed.subarray(64, 128).reduce((sum, value) => sum + value, 0) / 64;
      const own = 0 + 10 * 1 + 100 * 2;
      const other = 2 + 10 * 0 + 100 * 1;
      expect(loss).toBeCloseTo(share * own + (1 - share) * other, 3);
      if ('mixup' in options) expect(share).toBeGreaterThanOrEqual(0.5);
      else expect(mixed.every((value) => Number.isInteger(value))).toBe(true);
    }
  },
);

test('the same generator gives the same mixture', async () => {
  expect(await mixedBy({ mixup: 1, cutmix: 1 }, 7)).toEqual(await mixedBy({ mixup: 1, cutmix: 1 }, 7));
});

test.each([0.2, 1, 5])('numbers of the beta distribution with %d have its mean and variance', (alpha) => {
  const generator = new RandomGenerator(3);
  const numbers = Array.from({ length: 4000 }, () => beta(generator, alpha));
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  expect(numbers.every((x) => x >= 0 && x <= 1)).toBe(true);
  expect(mean).toBeCloseTo(0.5, 1);
  expect(variance).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 1);
});

test('label smoothing spreads a share of the targets over all classes', async () => {
  const logits = [0.3, -1.2, 2, 0.1, 0.5, -0.4];
  const classes = [2, 0];
  const weight = [0.5, 2, 1];
  const rows = [logits.slice(0, 3), logits.slice(3)].map((row) => {
    const sum = Math.log(row.reduce((total, x) => total + Math.exp(x), 0));
    return row.map((x) => sum - x);
  });
  const share = 0.2;
  const expected = (weights: readonly number[]) => {
    const total = rows.reduce((all, row, i) => {
      const spread = row.reduce((some, loss, c) => some + loss * weights[c], 0) / 3;
      return all + (1 - share) * weights[classes[i]] * row[classes[i]] + share * spread;
    }, 0);
    return total / classes.reduce((sum, c) => sum + weights[c], 0);
  };
  const x = Tensor.fromData(Float32Array.from(logits), [2, 3]);
  const y = Tensor.fromData(Int32Array.from(classes));
  expect(await F.crossEntropy(x, y, { labelSmoothing: share }).item()).toBeCloseTo(expected([1, 1, 1]), 5);
  const weighted = F.crossEntropy(x, y, { labelSmoothing: share, weight: Tensor.fromData(Float32Array.from(weight)) });
  expect(await weighted.item()).toBeCloseTo(expected(weight), 5);
  const one = Tensor.fromData(Float32Array.of(0.7, -0.2), [2, 1]);
  const targets = [0.9, 0.1];
  const losses = [0.7, -0.2].map((z, i) => Math.log1p(Math.exp(z)) - targets[i] * z);
  const smooth = binaryCrossEntropy(one, Tensor.fromData(Int32Array.of(1, 0)), undefined, { labelSmoothing: share });
  expect(await smooth.item()).toBeCloseTo((losses[0] + losses[1]) / 2, 5);
});
