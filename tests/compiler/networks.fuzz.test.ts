import fc from 'fast-check';
import { expect, it } from 'vitest';
import { realize } from '../../src/compiler/realize.js';
import { currentEngine, type EngineName, setEngine } from '../../src/engine/select.js';
import type { TypedArray } from '../../src/graph/dtype.js';
import { Adam, AdamW, Momentum, type Optimizer, SGD } from '../../src/optimizer/index.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { contracted, expectAgreement, noise } from '../engines.js';
import { type Instruction, layers, RandomNetwork } from './networks.js';

const optimizers: Readonly<Record<string, (parameters: Parameter[]) => Optimizer>> = {
  SGD: (parameters) => new SGD({ parameters, learningRate: 0.1, weightDecay: 0.01 }),
  Momentum: (parameters) => new Momentum({ parameters, learningRate: 0.1 }),
  Nesterov: (parameters) => new Momentum({ parameters, learningRate: 0.1, useNesterov: true, weightDecay: 0.01 }),
  // A large epsilon: where a gradient is nearly 0, Adam's step is as large as elsewhere and of random sign.
  Adam: (parameters) => new Adam({ parameters, learningRate: 0.01, epsilon: 0.1, weightDecay: 0.01 }),
  AdamW: (parameters) => new AdamW({ parameters, learningRate: 0.01, epsilon: 0.1 }),
};

const choice = fc.nat(50);
const network = fc.record({
  list: fc.array(
    fc.record({
      layer: fc.constantFrom(...(Object.keys(layers) as Instruction['layer'][])),
      from: fc.oneof(fc.constant(0), choice),
      other: choice,
      variant: fc.nat(1000),
    }),
    { minLength: 1, maxLength: 14 },
  ),
  outputs: fc.array(choice, { maxLength: 3 }),
  losses: fc.array(choice, { minLength: 1, maxLength: 2 }),
  optimizer: fc.constantFrom(null, ...Object.keys(optimizers)),
  shape: fc.tuple(
    fc.constantFrom(1, 2, 3),
    fc.constantFrom(1, 3, 5, 16, 17, 33),
    fc.integer({ min: 3, max: 8 }),
    fc.integer({ min: 3, max: 8 }),
  ),
  trainInput: fc.boolean(),
});
type Case = typeof network extends fc.Arbitrary<infer T> ? T : never;

interface Trained {
  readonly results: ReadonlyMap<string, TypedArray>;
  /** The least distance from a kink. */
  readonly margin: number;
}

/** Two training steps; everything delivered, all gradients and all states by name. */
async function train(
  engine: EngineName,
  { list, outputs, losses, optimizer, shape, trainInput }: Case,
): Promise<Trained> {
  setEngine(engine);
  const data = noise(shape, 1, 1, 0.1).data as Float32Array;
  const net = new RandomNetwork(trainInput ? new Parameter(data, shape) : Tensor.fromData(data, shape), list);
  net.build();
  const trainer = optimizer === null || net.parameters.length === 0 ? null : optimizers[optimizer](net.parameters);
  const results = new Map<string, TypedArray>();
  let margin = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 2; step++) {
    if (step > 0) net.build();
    const delivered = outputs.map((back) => net.newest(back));
    const loss = contracted([...new Set(losses.map((back) => net.newest(back)))])?.affine(0.01, 0) ?? null;
    loss?.backward();
    const grads = net.parameters.flatMap(({ grad }) => grad ?? []);
    if (engine === 'reference') {
      // In a program of its own: what more is delivered would be less fused and less overwritten.
      realize(
        currentEngine(),
        net.kinks.map((kink) => kink.value),
      );
      for (const kink of net.kinks) for (const v of await kink.data()) margin = Math.min(margin, Math.abs(v));
    }
    const also = [...delivered, ...net.statistics];
    if (trainer !== null && grads.length > 0) await trainer.step({ also });
    else
      realize(
        currentEngine(),
        [...also, ...grads].map((t) => t.value),
      );
    for (const [i, t] of delivered.entries()) results.set(`step ${step}, output ${i} [${t.shape}]`, await t.data());
    if (loss !== null) results.set(`step ${step}, loss`, await loss.data());
    if (trainer === null) {
      for (const [i, t] of grads.entries()) results.set(`step ${step}, gradient ${i} [${t.shape}]`, await t.data());
      for (const parameter of net.parameters) parameter.clearGrad();
    }
    trainer?.clearGrad();
  }
  const names = new Map(net.parameters.map((parameter, i) => [`parameter ${i}`, parameter]));
  const states = [...names, ...net.buffers.map((buffer, i) => [`buffer ${i}`, buffer] as const)];
  for (const [name, state] of [...states, ...(trainer?.stateDict(names) ?? [])]) results.set(name, await state.data());
  return { results, margin };
}

/** Whether the case says anything: no value so near a kink, or so large, that rounding decides. */
function isTelling({ results, margin }: Trained): boolean {
  return margin > 1e-5 && [...results.values()].every((data) => data.every((v) => Math.abs(v) < 1e4));
}

it('random networks train alike on both engines', async () => {
  const numRuns = 250;
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(network, async (value) => {
      const expected = await train('reference', value);
      if (!isTelling(expected)) return;
      const { results } = await train('onednn', value);
      expect([...results.keys()]).toEqual([...expected.results.keys()]);
      for (const [name, data] of results) {
        // Errors grow through a dozen layers and two steps.
        expectAgreement(data, expected.results.get(name) as TypedArray, name, { tolerance: 2e-4, floor: 1e-2 });
      }
      compared++;
    }),
    { seed: 20260102, numRuns },
  );
  expect(compared).toBeGreaterThan(0.8 * numRuns);
});
