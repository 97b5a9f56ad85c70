import { expect, it } from 'vitest';
import { Normalization } from '../../../src/engine/onednn/code/norm.js';
import { normBackward, normBackwardOfSum } from '../../../src/engine/onednn/code/normBackward.js';
import { normForward } from '../../../src/engine/onednn/code/normForward.js';
import { MemoryDesc, NativeMemory } from '../../../src/engine/onednn/ffi.js';
import type { Shape } from '../../../src/graph/shape.js';
import { RandomGenerator } from '../../../src/random.js';
import { expectAgreement } from '../../engines.js';
import { describeWith } from '../../needs.js';
import { Features, type Layout, nameOf, numbers, run, type Width, widths } from './features.js';

const epsilon = 1e-3;
const floor = 1e-3;
const normal = (length: number, seed: number, scale = 1, shift = 0) => {
  const generator = new RandomGenerator(seed);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = generator.normal() * scale + shift;
  return values;
};

interface Channel {
  readonly mean: number;
  readonly variance: number;
  readonly dScale: number;
  readonly dShift: number;
}

/** The textbook's formulas, in double precision. */
function reference(
  shape: Shape,
  x: Float32Array,
  dy: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  relu: boolean,
) {
  const [batch, channels, height, width] = shape;
  const pixels = height * width;
  const y = new Float32Array(x.length);
  const dx = new Float32Array(x.length);
  const statistics: Channel[] = [];
  for (let c = 0; c < channels; c++) {
    const all = (body: (i: number) => void) => {
      for (let n = 0; n < batch; n++) {
        const start = (n * channels + c) * pixels;
        for (let i = start; i < start + pixels; i++) body(i);
      }
    };
    const size = batch * pixels;
    const average = (f: (i: number) => number) => {
      let sum = 0;
      all((i) => {
        sum += f(i);
      });
      return sum / size;
    };
    const mean = average((i) => x[i]);
    const variance = average((i) => (x[i] - mean) ** 2);
    const deviation = Math.sqrt(variance + epsilon);
    const hat = (i: number) => (x[i] - mean) / deviation;
    const line = (i: number) => hat(i) * scale[c] + shift[c];
    const gradient = (i: number) => (relu && line(i) <= 0 ? 0 : dy[i]);
    const [g, gh] = [average(gradient), average((i) => gradient(i) * hat(i))];
    all((i) => {
      y[i] = relu ? Math.max(0, line(i)) : line(i);
      dx[i] = (scale[c] / deviation) * (gradient(i) - g - hat(i) * gh);
    });
    statistics.push({ mean, variance, dScale: gh * size, dShift: g * size });
  }
  return { y, dx, statistics };
}

/** The code for a batch norm, with the operands that it has in every case. */
function prepared(
  shape: Shape,
  layout: Layout,
  width: Width,
  { relu, sum, mean }: { readonly relu: boolean; readonly sum: boolean; readonly mean: number },
) {
  const channels = shape[1];
  const features = () => new Features(shape, layout, ...width);
  const [x, y, dy, dx] = [features(), features(), features(), features()];
  x.write(normal(x.length, 1, 2, mean));
  dy.write(normal(dy.length, 2));
  const scale = numbers(channels, normal(channels, 3, 0.3, 1));
  const shift = numbers(channels, normal(channels, 4));
  const norm = new Normalization({ layout: x.features, channels, padded: false, epsilon, relu, sum });
  const working = (desc: MemoryDesc) => ({ memory: new NativeMemory(desc.size) });
  const [sums, factor, coefficients] = [norm.sums, norm.factor, norm.coefficients].map(working);
  const [mu, variance, dScale, dShift] = [0, 1, 2, 3].map(() => numbers(channels));
  return {
    ...{ norm, features, x, y, dy, dx, scale, shift, mu, variance, dScale, dShift },
    forward: [x, y, sums, factor, scale, shift, mu, variance],
    backward: [x, dy, dx, sums, coefficients, factor, mu, variance, shift, dScale, dShift],
  };
}

/** The gradients are those of the textbook. */
function expectGradients(
  { dScale, dShift, dx }: ReturnType<typeof prepared>,
  expected: ReturnType<typeof reference>,
  tolerance: number,
): void {
  const channel = (name: keyof Channel) => expected.statistics.map((statistics) => statistics[name]);
  expectAgreement(dScale.data, channel('dScale'), 'gradient of scale', { tolerance: 1e-4, floor });
  expectAgreement(dShift.data, channel('dShift'), 'gradient of shift', { tolerance: 1e-4, floor });
  expectAgreement(dx.read(), expected.dx, 'dx', { tolerance, floor });
}

const cases = ([, lanes]: Width): readonly (readonly [
  shape: Shape,
  relu: boolean,
  threads: number,
  mean: number,
])[] => [
  [[2, 3 * lanes, 3, 5], true, 1, 2],
  [[2, 16, 3, 5], false, 1, 0],
  [[3, 48, 7, 6], true, 2, 0],
  [[1, 64, 30, 31], true, 2, 1],
  [[2, 80, 9, 9], false, 2, -3],
  [[2, 256, 5, 5], true, 2, 0.5],
  [[1, 2048, 7, 7], false, 2, 0],
  [[10, 32, 1, 1], true, 1, 0],
  [[7, 80, 1, 1], true, 2, 0],
  // Images that a thread takes together, the last ones fewer; and blocks that are too large for the second cache.
  [[7, 80, 10, 10], true, 2, 0],
  [[2, 4 * lanes, 100, 101], true, 2, 1],
];

for (const [feature, width] of widths)
  describeWith(feature, `batch norm in code, ${nameOf(width)}`, () => theCodeFor(width));

function theCodeFor(width: Width): void {
  const [type] = width;
  const layouts = ['channelsLast', 'blocked'] as const;

  it.each(cases(width))('of [%s], relu %s, %i threads, around %f', (shape, relu, threads, mean) => {
    for (const layout of layouts) {
      const layer = prepared(shape, layout, width, { relu, sum: false, mean });
      const { norm, x, y, dy, scale, shift, mu, variance } = layer;
      run(normForward(norm), layer.forward, threads);
      run(normBackward(norm), layer.backward, threads);
      const expected = reference(shape, x.read(), dy.read(), scale.data, shift.data, relu);
      const channel = (name: keyof Channel) => expected.statistics.map((statistics) => statistics[name]);
      expectAgreement(mu.data, channel('mean'), 'mean', { tolerance: 1e-5, floor });
      expectAgreement(variance.data, channel('variance'), 'variance', { tolerance: 1e-5, floor });
      const tolerance = type === 'float32' ? 1e-4 : 2 ** -8;
      expectAgreement(y.read(), expected.y, 'y', { tolerance, floor });
      expectGradients(layer, expected, tolerance);
    }
  });

  it.each(cases(width))(
    'with something added, of [%s], relu %s, %i threads, around %f',
    (shape, relu, threads, mean) => {
      for (const layout of layouts) {
        const isSum = ((layout === 'blocked') === (type === 'float32')) !== (shape[2] % 2 === 0);
        const layer = prepared(shape, layout, width, { relu, sum: true, mean });
        const { norm, features, x, y, dy, scale, shift } = layer;
        const [summand, dy2, gradient] = [features(), features(), features()];
        summand.write(normal(x.length, 5));
        dy2.write(normal(dy.length, 6));
        run(normForward(norm), [...layer.forward, summand], threads);
        const plain = reference(shape, x.read(), dy.read(), scale.data, shift.data, false);
        const [added, first, second] = [summand.read(), dy.read(), dy2.read()];
        const sum = plain.y.map((value, i) => (relu ? Math.max(0, value + added[i]) : value + added[i]));
        const [exact, nearly] = type === 'float32' ? [1e-5, 1e-4] : [2 ** -8, 2 ** -7];
        expectAgreement(y.read(), sum, 'y', { tolerance: exact, floor });
        run(normBackwardOfSum(norm, isSum), [...layer.backward, y, gradient, ...(isSum ? [dy2] : [])], threads);
        const passed = y.read();
        const wanted = first.map((d, i) => (relu && passed[i] <= 0 ? 0 : d + (isSum ? second[i] : 0)));
        expectAgreement(gradient.read(), wanted, 'gradient of the sum', { tolerance: exact, floor });
        expectGradients(layer, reference(shape, x.read(), wanted, scale.data, shift.data, false), nearly);
      }
    },
  );
}

describeWith('avx2', 'batch norm in code', () => {
  it('is not written for other layouts and other numbers of channels', () => {
    const create = (desc: MemoryDesc) => Normalization.create(desc, { epsilon, relu: false, sum: false });
    expect(create(MemoryDesc.channelsLast([1, 16, 4, 4], 'float32'))).not.toBeNull();
    expect(create(MemoryDesc.channelsLast([1, 20, 4, 4], 'float32'))).toBeNull();
    expect(create(MemoryDesc.plain([1, 16, 4, 4], 'float32'))).toBeNull();
  });
});

describeWith('bf16', 'batch norm of channels far from 0', () => {
  it('keeps the variance of a channel far from 0, and of one that is constant', () => {
    const shape = [4, 16, 20, 20];
    const [x, y] = [0, 1].map(() => new Features(shape, 'channelsLast', 'bfloat16', 16));
    const pixels = 400;
    // 100 and 100.5 in turn in channel 0, where bfloat16 has steps of a half; 7 everywhere in channel 1.
    x.write(
      Float32Array.from({ length: x.length }, (_, i) => {
        const channel = Math.floor(i / pixels) % 16;
        if (channel === 0) return 100 + (i % 2) / 2;
        return channel === 1 ? 7 : i % 5;
      }),
    );
    const norm = new Normalization({
      layout: x.features,
      channels: 16,
      padded: false,
      epsilon,
      relu: false,
      sum: false,
    });
    const [sums, factor] = [norm.sums, norm.factor].map((desc) => ({ memory: new NativeMemory(desc.size) }));
    const [scale, shift, mean, variance] = [1, 0, 0, 0].map((value) => numbers(16, new Float32Array(16).fill(value)));
    run(normForward(norm), [x, y, sums, factor, scale, shift, mean, variance]);
    expect(mean.data[0]).toBeCloseTo(100.25, 4);
    expect(variance.data[0]).toBeCloseTo(0.0625, 6);
    expect([mean.data[1], variance.data[1]]).toEqual([7, 0]);
  });
});
