import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Value } from '../../src/graph/node.js';
import type { OpName } from '../../src/graph/op.js';
import * as o from '../../src/ops/index.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { contracted, evaluate, expectAgreement, type Input, noise, tensorsOf } from '../engines.js';
import type { Case } from './cases/common.js';
import { composedGradients, gradients } from './cases/gradients.js';

/** Differentiable by the registry. A constant has a rule as well, and nothing to differentiate by. */
const differentiable = (Object.keys(o.ops) as OpName[]).filter((op) => o.ops[op].vjp !== null && op !== 'constant');

it('every differentiable op has cases', () => {
  expect(Object.keys(gradients).sort()).toEqual([...differentiable].sort());
});

/**
 * Step of the difference quotients. Outputs of size 1 to 10 carry float32 errors of 1e-6 at most, which the division
 * by 2·step turns into 1e-4; the quotient itself is off by step²/6 of the third derivative, 2e-5 of it.
 */
const step = 1 / 96;

/** Sum of the two errors above, relative to the largest gradient. */
const tolerance = 1e-3;

const all: readonly (readonly [string, readonly Case[]])[] = [
  ...differentiable.map((op) => [op, gradients[op] ?? []] as const),
  ...Object.entries(composedGradients),
];

describe.each(all)('gradient of %s = finite differences', (op, cases) => {
  beforeAll(() => setEngine('reference'));

  it.each(cases.map(({ name, ...rest }) => [name, rest] as const))('%s', async (_, { build, inputs }) => {
    const built = (...tensors: Tensor[]): Tensor[] => {
      const result = build(...tensors.map((t) => t.value));
      return (Array.isArray(result) ? (result as readonly Value[]) : [result as Value]).map((v) => new Tensor(v));
    };
    const outputs = built(...tensorsOf(inputs));
    if (op in gradients) expect(outputs.some((output) => output.value.node?.op === op)).toBe(true);
    const cotangents = outputs.map((output, i) => noise(output.shape, 99 + i).data);
    expect(contracted(outputs)).not.toBeNull();

    /** Σ output·cotangent in float64: what `evaluate` differentiates. */
    const loss = async (perturbed: readonly Input[]): Promise<number> => {
      const results = built(...tensorsOf(perturbed));
      await realizeAll(results);
      let sum = 0;
      for (const [i, result] of results.entries()) {
        (await result.data()).forEach((value: number, j: number) => {
          sum += value * cotangents[i][j];
        });
      }
      return sum;
    };

    const { gradients: found } = await evaluate('reference', built, inputs, { outputs: false });
    for (const [i, input] of inputs.entries()) {
      if (!input.grad) continue;
      const numeric = new Float32Array(input.data.length);
      for (let j = 0; j < numeric.length; j++) {
        const at = async (shift: number): Promise<readonly [number, number]> => {
          const data = Float32Array.from(input.data);
          data[j] += shift;
          return [data[j], await loss(inputs.map((other, k) => (k === i ? { ...input, data } : other)))];
        };
        const [[high, above], [low, below]] = [await at(step), await at(-step)];
        numeric[j] = (above - below) / (high - low);
      }
      const gradient = found[i];
      if (gradient === null) expect.fail(`input ${i} got no gradient`);
      else expectAgreement(gradient, numeric, `gradient of input ${i}`, { tolerance });
    }
  });
});
