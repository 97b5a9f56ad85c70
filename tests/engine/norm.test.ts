import { expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import * as o from '../../src/ops/index.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { type Build, checkOp, noise, stepsOf } from '../engines.js';

it.each([4, 8, 16])('batch norm behind a convolution with groups of %i channels runs in the library', async (width) => {
  setEngine('onednn');
  const groups = 8;
  const channels = groups * width;
  const build: Build = (x, weight, scale, shift) => {
    const y = F.conv2d(x, weight, null, { groups, padding: 1 });
    return new Tensor(o.batchNormTrain({ epsilon: 1e-5 }, y.value, scale.value, shift.value)[0]);
  };
  const parameters = [noise([channels], 3, 0.2, 1), noise([channels], 4)];
  const inputs = [noise([2, channels, 6, 6], 1), noise([channels, width, 3, 3], 2, 0.2), ...parameters];
  const { steps } = await stepsOf(() => checkOp(build, inputs));
  const norms = steps.filter(({ name }) => name.startsWith('batchNorm'));
  expect(norms.length).toBeGreaterThan(0);
  // A step of kind `kernel` would be TypeScript's loop.
  expect(norms.filter(({ kind }) => kind === 'typescript')).toEqual([]);
});

it.each([
  [1, 16, 1, 1],
  [2, 16, 1, 1],
  [1, 32, 1, 3],
  [3, 16, 2, 2],
  [2, 17, 1, 1],
])('batch norm and a sum behind it: features of [%i, %i, %i, %i]', async (...shape) => {
  const channels = shape[1];
  const norm = (x: Tensor, scale: Tensor, shift: Tensor) =>
    new Tensor(o.batchNormTrain({ epsilon: 1e-2 }, x.value, scale.value, shift.value)[0]);
  const parameters = [noise([channels], 3, 0.2, 1), noise([channels], 4)];
  const features = [noise(shape, 1), noise(shape, 2)];
  await checkOp((x, r, scale, shift) => norm(x, scale, shift).add(r), [...features, ...parameters]);
  await checkOp((x, r, scale, shift) => F.relu(norm(x, scale, shift).add(r)), [...features, ...parameters]);
  await checkOp((x, r, scale, shift) => F.relu(norm(x, scale, shift)).add(r), [...features, ...parameters]);
});
