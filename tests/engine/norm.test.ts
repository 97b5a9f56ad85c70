import { expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import * as o from '../../src/ops/index.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { type Build, checkOp, fixed, given, noise, stepsOf } from '../engines.js';

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
  [2, 16, 5, 3],
  [3, 40, 4, 4],
  [2, 72, 7, 6],
  [1, 8, 1, 3],
  [2, 96, 28, 29],
])('batch norm and a gate behind it: features of [%i, %i, %i, %i]', async (...shape) => {
  setEngine('onednn');
  const channels = shape[1];
  const parameters = [noise([channels], 3, 0.6, 1), noise([channels], 4, 2)];
  for (const gate of [F.silu, F.hardswish]) {
    const norm = (x: Tensor, scale: Tensor, shift: Tensor) =>
      gate(new Tensor(o.batchNormTrain({ epsilon: 1e-3 }, x.value, scale.value, shift.value)[0]));
    await checkOp(norm, [noise(shape, 1, 2), ...parameters]);
    const behind: Build = (x, weight, scale, shift) => norm(F.conv2d(x, weight), scale, shift);
    await checkOp(behind, [noise(shape, 1), noise([channels, channels, 1, 1], 2, 0.3), ...parameters]);
  }
});

it('numbers behind the parameters reach no result where channels do not fill a vector', async () => {
  setEngine('onednn');
  const channels = 40;
  // The first row of a larger array: infinite numbers follow in memory.
  const logarithms = (seed: number) => {
    const { data } = noise([channels], seed, 0.3);
    return fixed(given(Float32Array.from([...data, ...new Array<number>(channels).fill(1000)]), [2, channels]));
  };
  const first = (x: Tensor) => x.exp().slice([0, 0], [1, channels]).reshape([channels]);
  for (const activation of [F.silu, F.relu, (x: Tensor) => x]) {
    const build: Build = (x, before, behind, scale, shift) => {
      const y = F.conv2d(x, before).value;
      const [normed] = o.batchNormTrain({ epsilon: 1e-3 }, y, first(scale).value, first(shift).value);
      return F.conv2d(activation(new Tensor(normed)), behind);
    };
    const weights = [3, 4].map((seed) => noise([channels, channels, 1, 1], seed, 0.3));
    await checkOp(build, [noise([2, channels, 5, 4], 2), ...weights, logarithms(5), logarithms(6)]);
  }
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
