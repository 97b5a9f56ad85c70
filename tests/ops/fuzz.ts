import fc from 'fast-check';
import { expect } from 'vitest';
import type { EngineName } from '../../src/engine/engines.js';
import { InputError } from '../../src/errors.js';
import type { DType } from '../../src/graph/dtype.js';
import type { Padding, Pair } from '../../src/graph/op.js';
import { numel, type Shape } from '../../src/graph/shape.js';
import {
  type Build,
  evaluate,
  expectAgreement,
  fastEngines,
  given,
  type Input,
  integers,
  type Results,
  spread,
  tensorsOf,
} from '../engines.js';
import { fuzzing } from '../fuzzing.js';

type Outcome = Results | InputError;

/** The result of a graph on an engine; an error that is not about the input fails the test. */
async function outcome(engine: EngineName, build: Build, inputs: readonly Input[]): Promise<Outcome> {
  try {
    return await evaluate(engine, build, inputs);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** Terms are of size 1, and some gradients (of a softmax over one class) are 0 as the difference of such terms. */
const close = { tolerance: 2e-5, floor: 0.5 };

function compare(engine: EngineName, actual: Results, expected: Results): void {
  actual.outputs.forEach((output, i) => {
    expectAgreement(output, expected.outputs[i], `${engine}, output ${i}`, close);
  });
  actual.gradients.forEach((gradient, i) => {
    const wanted = expected.gradients[i];
    expect(gradient === null).toBe(wanted === null);
    if (gradient !== null && wanted !== null) expectAgreement(gradient, wanted, `${engine}, gradient ${i}`, close);
  });
}

/**
 * The rule: building the graph is refused with an error about the input, or all engines refuse its values with the same
 * error, or all compute the same. Returns whether they computed.
 */
async function allOrNone(build: Build, inputs: readonly Input[]): Promise<boolean> {
  try {
    build(...tensorsOf(inputs));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
  const expected = await outcome('reference', build, inputs);
  for (const engine of fastEngines) {
    const actual = await outcome(engine, build, inputs);
    if (expected instanceof InputError || actual instanceof InputError) expect(String(actual)).toBe(String(expected));
    else compare(engine, actual, expected);
  }
  return !(expected instanceof InputError);
}

interface Fuzzed {
  readonly build: Build;
  readonly inputs: readonly Input[];
}

/** Checks the rule on random arguments, of which a share must be valid and a share invalid: else the test is idle. */
export async function fuzz<T>(numRuns: number, args: fc.Arbitrary<T>, make: (value: T) => Fuzzed): Promise<void> {
  const { seed, numRuns: cases } = fuzzing('ops', Math.ceil(numRuns / 2), { seed: 20260101, share: 0.1 });
  let ran = 0;
  await fc.assert(
    fc.asyncProperty(args, async (value) => {
      const { build, inputs } = make(value);
      if (await allOrNone(build, inputs)) ran++;
    }),
    { seed, numRuns: cases },
  );
  expect(ran).toBeGreaterThan(cases / 5);
  expect(ran).toBeLessThan(cases);
}

export const size = (max: number) => fc.integer({ min: 1, max });
export const channels = fc.constantFrom(1, 2, 3, 4, 5, 8, 16, 17, 33);

/** Mostly what `valid` gives, now and then a number that no size may be. */
export const mostly = (valid: fc.Arbitrary<number>, weight = 40): fc.Arbitrary<number> =>
  fc.oneof({ weight, arbitrary: valid }, { weight: 1, arbitrary: fc.constantFrom(0, -1, 1.5, Number.NaN, 40) });

export const pairs = (one: fc.Arbitrary<number>): fc.Arbitrary<Pair> => fc.tuple(one, one);
export const paddings = (max: number): fc.Arbitrary<Padding> => {
  const one = fc.oneof(
    { weight: 60, arbitrary: fc.nat(max) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 1.5, Number.NaN) },
  );
  return fc.oneof(
    fc.constant([0, 0, 0, 0] as const),
    one.map((n) => [n, n, n, n] as const),
    fc.tuple(one, one, one, one),
  );
};

/** Floats without ties, or with integers in their place now and then. */
export function values(shape: Shape, seed: number, dtype: DType = 'float32'): Input {
  if (dtype !== 'float32') return integers(shape, 100, seed, dtype);
  const { data } = spread(shape, seed, 1 / Math.max(1, numel(shape) / 8));
  // Off centre, for a sum that cancels leaves nothing but rounding.
  return given(
    data.map((v) => v + 0.3),
    shape,
    true,
  );
}
export const dtypes = fc.oneof(
  { weight: 40, arbitrary: fc.constant<DType>('float32') },
  { weight: 1, arbitrary: fc.constantFrom<DType>('int32', 'uint8') },
);
export const shapes = (minRank: number, maxRank: number, maxSize = 5) =>
  fc.array(size(maxSize), { minLength: minRank, maxLength: maxRank });

/** The list with one entry changed, dropped or added now and then. */
export const disturbed = (list: Shape): fc.Arbitrary<Shape> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant([...list]) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 4 })).map(([place, n]) => {
        const copy = [...list];
        if (copy.length > 0) copy[place % copy.length] = n;
        return copy;
      }),
    },
    { weight: 1, arbitrary: fc.constant(list.slice(1)) },
    { weight: 1, arbitrary: size(3).map((n) => [...list, n]) },
  );
