import { describe, expect, it } from 'vitest';
import { closeTo, formula, type GoldenTensor, loadGolden, opFiles } from './load.js';

function check(tensor: GoldenTensor): void {
  expect(tensor.data).toHaveLength(tensor.shape.reduce((a, b) => a * b, 1));
  const typed = tensor.dtype === 'int32' ? Int32Array.from(tensor.data) : Float32Array.from(tensor.data);
  for (const value of typed) expect(value).not.toBeNaN();
}

describe('golden files', () => {
  it.each(opFiles)('%s: every case is complete, and named once', (name) => {
    const { cases, version } = loadGolden(name);
    expect(version).toMatch(/^\d+\.\d+/);
    expect(new Set(cases.map((golden) => golden.name)).size).toBe(cases.length);
    for (const { inputs, outputs, dy, gradients } of cases) {
      for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) check(tensor);
      const [first] = Object.values(outputs);
      if (gradients === undefined) expect(first.dtype).toBe('int32');
      else expect(dy?.shape).toEqual(first.shape);
      for (const [input, gradient] of Object.entries(gradients ?? {})) {
        check(gradient);
        expect(gradient.shape).toEqual(inputs[input].shape);
      }
    }
  });

  it('optimizers: states have the shapes of their parameters', () => {
    const { cases, parameters, gradients } = loadGolden('optimizers');
    for (const step of gradients) expect(step.map((g) => g.shape)).toEqual(parameters.map((p) => p.shape));
    for (const { states } of cases) {
      expect(Object.keys(states)).toEqual(['1', '2', '3', '10']);
      for (const state of Object.values(states)) {
        expect(state.map(({ parameter }) => parameter.shape)).toEqual(parameters.map((p) => p.shape));
      }
    }
  });

  it('lenet: the formula gives the values that Python got', () => {
    const golden = loadGolden('lenet');
    expect(formula(8, 3, 0.5)).toEqual(Float32Array.from(golden.formulaValues.data));
    const parameters = golden.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(parameters).toBe(41_806);
    // Three steps of rate 0.001 move a weight by little: the samples must be near the formula.
    golden.trained.forEach(({ stride, values }, i) => {
      const { shape, seed, scale } = golden.parameters[i];
      const start = formula(
        shape.reduce((a, b) => a * b, 1),
        seed,
        scale,
      );
      closeTo(
        values,
        start.filter((_, j) => j % stride === 0),
        0,
        2e-3,
      );
    });
  });
});

describe('closeTo', () => {
  const golden: GoldenTensor = { shape: [2, 3], dtype: 'float32', data: [0, 1, 2, 3, 4, 100] };

  it('accepts values within the tolerance', () => {
    closeTo([0.001, 1, 2, 3, 4, 100.1], golden, 1e-3, 1e-3);
    closeTo([Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY], 0, 0);
  });

  it('names the worst element, measured in tolerances', () => {
    expect(() => closeTo([0, 1.01, 2, 3, 4.1, 100.2], golden, 1e-3, 0)).toThrow(
      '[closeTo] 3 of 6 elements differ; worst at [1,1]: expected 4, got 4.1, off by 25.0 times',
    );
  });

  it('rejects NaN, infinities and other lengths', () => {
    expect(() => closeTo([1, Number.NaN], [1, 2], 1, 1)).toThrow('worst at [1]: expected 2, got NaN');
    expect(() => closeTo([Number.NaN], [Number.NaN], 1, 1)).toThrow('1 of 1 elements differ');
    expect(() => closeTo([1, Number.POSITIVE_INFINITY], [1, 2], 1, 1)).toThrow('worst at [1]');
    expect(() => closeTo([1], [1, 2], 1, 1)).toThrow('length: expected 2 elements, got 1');
  });
});
