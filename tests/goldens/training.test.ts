import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { Adam, AdamW, Momentum, type Optimizer, SGD } from '../../src/optimizer/index.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import * as F from '../../src/tensor/functional.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { LeNet } from '../../src/vision/models/course/lenet.js';
import { engines, expectAgreement } from '../engines.js';
import { formula, type GoldenFormula, type GoldenOptimizers, type GoldenSamples, loadGolden } from './load.js';

type OptimizerName = GoldenOptimizers['cases'][number]['optimizer'];

const optimizers = { SGD, Momentum, Adam, AdamW } as const satisfies Record<OptimizerName, unknown>;

/** Accumulators that are powers of beta: Fovea computes them from the number of steps and keeps none. */
const derived = ['beta1PowAcc', 'beta2PowAcc'];

describe.each(engines)('%s trains as Paddle does', (engine) => {
  beforeEach(() => setEngine(engine));

  const { cases, parameters, gradients } = loadGolden('optimizers');

  // Paddle trains in float32 as well, so ten steps apart both have rounded some twenty times.
  const tolerance = { tolerance: 1e-5, floor: 1e-2 };
  // Paddle subtracts beta2 from 1 in float32: for 0.999 the weight of a square is off by 1.3e-5 of itself.
  const ofSquares = { tolerance: 2e-5, floor: 1e-2 };

  it.each(cases.map((golden) => [golden.optimizer, JSON.stringify(golden.options), golden] as const))(
    '%s %s',
    async (name, _, { options, states }) => {
      const trained = parameters.map(({ data, shape }) => new Parameter(Float32Array.from(data), shape));
      const names = new Map(trained.map((parameter, i) => [`p${i}`, parameter]));
      const optimizer: Optimizer = new optimizers[name]({ ...options, parameters: trained });
      for (const [i, step] of gradients.entries()) {
        // The gradient of Σ p·g is g.
        const terms = trained.map((p, k) => p.mul(Tensor.fromData(Float32Array.from(step[k].data), p.shape)).sum());
        terms.reduce((a, b) => a.add(b)).backward();
        await optimizer.step();
        optimizer.clearGrad();
        const expected = states[String(i + 1)];
        if (expected === undefined) continue;
        const actual = optimizer.stateDict(names);
        for (const [k, { parameter, accumulators }] of expected.entries()) {
          const where = `step ${i + 1}, parameter ${k}`;
          expectAgreement(await trained[k].data(), parameter.data, where, tolerance);
          const kept = Object.entries(accumulators).filter(([key]) => !derived.includes(key));
          expect([...actual.keys()].filter((key) => key.startsWith(`p${k}.`))).toHaveLength(kept.length);
          for (const [key, { data }] of kept) {
            const state = actual.get(`p${k}.${key}`) as Tensor;
            expectAgreement(await state.data(), data, `${where}, ${key}`, key === 'moment2' ? ofSquares : tolerance);
          }
        }
      }
      expect(optimizer.steps).toBe(10);
    },
  );

  it('LeNet: logits, gradients and three steps of Momentum', async () => {
    const golden = loadGolden('lenet');
    const make = ({ shape, seed, scale }: GoldenFormula) =>
      formula(
        shape.reduce((a, b) => a * b, 1),
        seed,
        scale,
      );
    const net = new LeNet({ numClasses: 10 });
    const named = net.namedParameters();
    expect([...named.keys()]).toEqual(golden.parameters.map(({ name }) => name));
    for (const parameter of golden.parameters) named.get(parameter.name)?.load(make(parameter));
    const optimizer = new Momentum({ ...golden.optimizer.options, parameters: net.parameters() });

    // The sums are longer here than in the cases of single ops, and errors add up through seven layers.
    const close = { tolerance: 3e-5, floor: 1e-4 };
    const expectSamples = async (
      tensorOf: (name: string) => Tensor,
      samples: readonly GoldenSamples[],
      what: string,
    ) => {
      for (const { name, stride, values } of samples) {
        const data = (await tensorOf(name).data()).filter((_: number, i: number) => i % stride === 0);
        expectAgreement(Float32Array.from(data), values, `${what} of ${name}`, close);
      }
    };

    const x = Tensor.fromData(make(golden.input), golden.input.shape);
    const labels = Tensor.fromData(Int32Array.from(golden.labels.data));
    for (let step = 0; step < golden.optimizer.steps; step++) {
      const logits = net.forward(x);
      const loss = F.crossEntropy(logits, labels);
      loss.backward();
      if (step === 0) {
        await realizeAll([logits, ...net.parameters().map((parameter) => parameter.grad as Tensor)]);
        expectAgreement(await logits.data(), golden.logits.data, 'logits', close);
        await expectSamples((name) => named.get(name)?.grad as Tensor, golden.gradients, 'gradient');
      }
      await optimizer.step();
      optimizer.clearGrad();
      expectAgreement(await loss.data(), [golden.losses.data[step]], `loss of step ${step}`, close);
    }
    await expectSamples((name) => named.get(name) as Tensor, golden.trained, 'trained');
    const states = optimizer.stateDict(named);
    await expectSamples((name) => states.get(`${name}.velocity`) as Tensor, golden.velocity, 'velocity');
  });
});
