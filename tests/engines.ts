import { expect } from 'vitest';
import type { EngineName } from '../src/engine/engines.js';
import { openOneDnn } from '../src/engine/onednn/engine.js';
import { type AnyStep, implementationOf } from '../src/engine/planned/steps.js';
import { setEngine } from '../src/engine/select.js';
import { type DType, dtypeOf, type TypedArray } from '../src/graph/dtype.js';
import { numel, type Shape } from '../src/graph/shape.js';
import { RandomGenerator } from '../src/random.js';
import { realizeAll } from '../src/tensor/evaluate.js';
import { Parameter } from '../src/tensor/state.js';
import { Tensor } from '../src/tensor/tensor.js';

/** The engines with kernels of their own, which the tests compare with the reference engine. */
export const fastEngines = ['onednn', 'portable'] as const satisfies readonly EngineName[];

export const engines = ['reference', ...fastEngines] as const satisfies readonly EngineName[];

/** The result of `body`, and the steps that oneDNN's programs run meanwhile. */
export async function stepsOf<T>(
  body: () => T,
): Promise<{ readonly result: Awaited<T>; readonly steps: readonly AnyStep[] }> {
  const engine = openOneDnn();
  const steps: AnyStep[] = [];
  engine.observer = (step) => {
    steps.push(step);
  };
  try {
    return { result: await body(), steps };
  } finally {
    engine.observer = null;
  }
}

/** Which kernels ran while `body` did, of the steps whose name begins so: `conv2d+relu jit:avx512_core`. */
export async function kernelsOf(name: string, body: () => unknown): Promise<readonly string[]> {
  const { steps } = await stepsOf(body);
  return steps.filter((step) => step.name.startsWith(name)).map((step) => `${step.name} ${implementationOf(step)}`);
}

/** An argument of an op under test. One with `grad` becomes a parameter, and its gradient is compared. */
export interface Input {
  readonly data: TypedArray;
  readonly shape: Shape;
  readonly grad: boolean;
}

type Make = (generator: RandomGenerator, index: number, length: number) => number;

function input(shape: Shape, grad: boolean, seed: number, make: Make): Input {
  const generator = new RandomGenerator(seed, shape.length);
  const length = numel(shape);
  return { data: Float32Array.from({ length }, (_, i) => make(generator, i, length)), shape, grad };
}

/** A differentiable argument of normally distributed values. */
export function noise(shape: Shape, seed = 1, scale = 1, shift = 0): Input {
  return input(shape, true, seed, (generator) => generator.normal() * scale + shift);
}

/** A differentiable argument of values between two bounds. */
export function between(shape: Shape, low: number, high: number, seed = 1): Input {
  return input(shape, true, seed, (generator) => low + (high - low) * generator.uniform());
}

/**
 * A differentiable argument of values that differ from each other and from 0 by `gap` at least, in random order: far
 * from the kinks of relu, abs, max and pooling.
 */
export function spread(shape: Shape, seed = 1, gap = 0.1): Input {
  const order = new RandomGenerator(seed).permutation(numel(shape));
  return input(shape, true, seed, (_, i, length) => (order[i] - (length >> 1) + 0.5) * gap);
}

/** The argument without a gradient. */
export function fixed({ data, shape }: Input): Input {
  return { data, shape, grad: false };
}

/** An argument of integers below `bound`. */
export function integers(shape: Shape, bound: number, seed = 1, dtype: Exclude<DType, 'float32'> = 'int32'): Input {
  const generator = new RandomGenerator(seed);
  const values = Array.from({ length: numel(shape) }, () => generator.int(bound));
  return { data: dtype === 'int32' ? Int32Array.from(values) : Uint8Array.from(values), shape, grad: false };
}

/** An argument given by its values. */
export function given(data: TypedArray, shape: Shape = [data.length], grad = false): Input {
  return { data, shape, grad };
}

export type Build = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

export interface Results {
  readonly outputs: readonly TypedArray[];
  /** `null` for inputs without a gradient. */
  readonly gradients: readonly (TypedArray | null)[];
}

/** Fresh tensors over copies of the inputs, so that nothing of an earlier run survives in them. */
export function tensorsOf(inputs: readonly Input[]): Tensor[] {
  return inputs.map(({ data, shape, grad }) =>
    grad ? new Parameter(Float32Array.from(data), shape) : Tensor.fromData(data.slice(), shape),
  );
}

/** Σ output·cotangent over all differentiable outputs, with random cotangents from a seed; `null` if there are none. */
export function contracted(outputs: readonly Tensor[], seed = 99): Tensor | null {
  let total: Tensor | null = null;
  outputs.forEach((output, i) => {
    if (!output.requiresGrad) return;
    const cotangent = noise(output.shape, seed + i).data;
    const term = output.mul(Tensor.fromData(cotangent, output.shape)).sum();
    total = total === null ? term : (total as Tensor).add(term);
  });
  return total;
}

/** Outputs and gradients (under random cotangents) on one engine; with `outputs: false` the gradients alone. */
export async function evaluate(
  engine: EngineName,
  build: Build,
  inputs: readonly Input[],
  wanted: { readonly outputs: boolean } = { outputs: true },
): Promise<Results> {
  setEngine(engine);
  const tensors = tensorsOf(inputs);
  const built = build(...tensors);
  const outputs = built instanceof Tensor ? [built] : built;
  contracted(outputs)?.backward();
  const grads = tensors.map((t) => (t instanceof Parameter ? t.grad : null));
  await realizeAll([...(wanted.outputs ? outputs : []), ...grads.filter((grad) => grad !== null)]);
  return {
    outputs: wanted.outputs ? await Promise.all(outputs.map((output) => output.data())) : [],
    gradients: await Promise.all(grads.map((grad) => grad?.data() ?? null)),
  };
}

/** Expects equal values, like `toEqual`, which takes long for long arrays. */
export function expectSame(actual: TypedArray, expected: TypedArray): void {
  const bytes = ({ buffer, byteOffset, byteLength }: TypedArray) => Buffer.from(buffer, byteOffset, byteLength);
  if (!bytes(actual).equals(bytes(expected))) expect(actual).toEqual(expected);
}

/** Rounding of two float32 computations in different order, relative to the largest value since sums may cancel. */
const rounding = 1e-5;

/**
 * Fails unless two arrays agree: integers exactly, floats within `tolerance` times the largest expected magnitude (at
 * least `floor`, below which a value is the leftover of a sum that cancelled). Infinities and NaN must be equal.
 */
export function expectAgreement(
  actual: TypedArray,
  expected: ArrayLike<number>,
  what: string,
  { tolerance = rounding, floor = 0.1 }: { tolerance?: number; floor?: number } = {},
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  let scale = floor;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]));
  }
  const allowed = dtypeOf(actual) === 'float32' ? tolerance * scale : 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || Math.abs(actual[i] - expected[i]) <= allowed) continue;
    expect.fail(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]} (± ${allowed.toPrecision(2)})`);
  }
}

/**
 * Runs an op on the reference engine and on another one, and fails unless outputs and gradients agree. The gradients
 * are computed twice: along with the outputs, and alone, where the engine may overwrite more memory.
 */
export async function checkOp(
  build: Build,
  inputs: readonly Input[],
  what = 'op',
  engine: EngineName = 'onednn',
): Promise<Results> {
  const expected = await evaluate('reference', build, inputs);
  const actual = await evaluate(engine, build, inputs);
  const compareGradients = ({ gradients }: Results, how: string) => {
    gradients.forEach((gradient, i) => {
      const wanted = expected.gradients[i];
      expect(gradient === null, `${what}: existence of gradient ${i}`).toBe(wanted === null);
      if (gradient !== null && wanted !== null) expectAgreement(gradient, wanted, `${what}, gradient ${i}${how}`);
    });
  };
  actual.outputs.forEach((output, i) => {
    expectAgreement(output, expected.outputs[i], `${what}, output ${i}`);
  });
  compareGradients(actual, '');
  if (expected.gradients.some((gradient) => gradient !== null)) {
    compareGradients(await evaluate(engine, build, inputs, { outputs: false }), ' alone');
  }
  return expected;
}
