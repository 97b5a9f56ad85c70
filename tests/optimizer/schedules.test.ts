import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import {
  ClipGradByGlobalNorm,
  ClipGradByNorm,
  ClipGradByValue,
  type GradientClip,
  lr,
  SGD,
} from '../../src/optimizer/index.js';
import { compilationCount } from '../../src/runtime/realize.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines, expectAgreement } from '../engines.js';
import { loadGolden } from '../goldens/load.js';

const clips = { ClipGradByValue, ClipGradByNorm, ClipGradByGlobalNorm } as const;

type Options = Readonly<Record<string, unknown>>;

/** A schedule from a golden's name and options: JSON holds factors in place of functions, and pairs for inner ones. */
function make(name: string, options: Options): lr.LRScheduler {
  const { learningRate, lrLambda } = options;
  const Kind = (lr as unknown as Record<string, unknown>)[name] as new (options: Options) => lr.LRScheduler;
  const factor = lrLambda as number;
  return new Kind({
    ...options,
    ...(Array.isArray(learningRate) && { learningRate: make(...(learningRate as [string, Options])) }),
    ...(lrLambda !== undefined && { lrLambda: (epoch: number) => (name === 'LambdaDecay' ? factor ** epoch : factor) }),
  });
}

function expectRates(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((rate, i) => {
    // Some of Paddle's multiply step by step what is computed at once here.
    expect(Math.abs(rate - expected[i]), `step ${i}: ${rate}, ${expected[i]}`).toBeLessThan(1e-12);
  });
}

const { cases, plateaus, metrics } = loadGolden('schedules');

describe('schedules go as in Paddle', () => {
  test.each(cases.map((golden) => [golden.schedule, JSON.stringify(golden.options), golden] as const))(
    '%s %s',
    (name, _, { options, rates }) => {
      const schedule = make(name, options);
      const actual = rates.map(() => {
        const rate = schedule.getLr();
        schedule.step();
        return rate;
      });
      expectRates(actual, rates);
      // Jumps and a saved state end where stepping does.
      const other = make(name, options);
      other.setStateDict(JSON.parse(JSON.stringify(schedule.stateDict())));
      expect(other.stateDict()).toEqual(schedule.stateDict());
      schedule.step(schedule.lastEpoch - 40);
      other.step(other.lastEpoch - 40);
      expect(other.getLr()).toBe(schedule.getLr());
    },
  );

  test.each(plateaus.map((golden) => [JSON.stringify(golden.options), golden] as const))(
    'ReduceOnPlateau %s',
    (_, { options, rates }) => {
      const create = () => new lr.ReduceOnPlateau(options as unknown as lr.ReduceOnPlateauOptions);
      let schedule = create();
      const actual = metrics.map((metric) => {
        const rate = schedule.getLr();
        schedule.step(metric);
        const state = JSON.parse(JSON.stringify(schedule.stateDict()));
        schedule = create();
        schedule.setStateDict(state);
        return rate;
      });
      expectRates(actual, rates);
      expect(new Set(rates).size).toBeGreaterThan(1);
    },
  );
});

describe('a schedule', () => {
  test('refuses options that make no sense', () => {
    const wrong: (() => unknown)[] = [
      () => new lr.StepDecay({ learningRate: 0.1, stepSize: 0 }),
      () => new lr.StepDecay({ learningRate: -1, stepSize: 2 }),
      () => new lr.ExponentialDecay({ learningRate: 0.1, gamma: 1 }),
      () => new lr.MultiStepDecay({ learningRate: 0.1, milestones: [5, 5] }),
      () => new lr.PiecewiseDecay({ boundaries: [5], values: [0.1] }),
      () => new lr.LinearWarmup({ learningRate: 0.1, warmupSteps: 5, startLr: 0.1, endLr: 0.1 }),
      () => new lr.LinearLR({ learningRate: 0.1, totalSteps: 5, startFactor: 0 }),
      () => new lr.OneCycleLR({ maxLearningRate: 0.1, totalSteps: 5, phasePct: 1.5 }),
      () => new lr.CyclicLR({ baseLearningRate: 0.1, maxLearningRate: 1, stepSizeUp: 2, mode: 'x' as 'triangular' }),
      () => new lr.ReduceOnPlateau({ learningRate: 0.1, factor: 1 }),
    ];
    for (const create of wrong) expect(create, create.toString()).toThrow(InputError);
  });

  test('of one cycle ends with it', () => {
    const schedule = new lr.OneCycleLR({ maxLearningRate: 0.1, totalSteps: 2 });
    schedule.step(3);
    expect(() => schedule.getLr()).toThrow('[lr] OneCycleLR: expected at most totalSteps = 2 steps, got 3');
  });

  test('drives an optimizer without compiling again', async () => {
    setEngine('reference');
    const parameter = new Parameter(Float32Array.of(0), [1]);
    const schedule = new lr.ExponentialDecay({ learningRate: 0.5, gamma: 0.5 });
    const optimizer = new SGD({ parameters: [parameter], learningRate: schedule });
    const step = async () => {
      parameter
        .mul(Tensor.fromData(Float32Array.of(1)))
        .sum()
        .backward();
      await optimizer.step();
      optimizer.clearGrad();
      schedule.step();
      return (await parameter.data())[0];
    };
    expect(await step()).toBe(-0.5);
    const before = compilationCount();
    expect([await step(), await step()]).toEqual([-0.75, -0.875]);
    expect(compilationCount()).toBe(before);
    expect(optimizer.learningRate).toBe(0.0625);
    expect(() => {
      optimizer.learningRate = 1;
    }).toThrow(InputError);
  });
});

describe.each(engines)('%s clips gradients as Paddle does', (engine) => {
  beforeEach(() => setEngine(engine));
  const golden = loadGolden('clips');

  test.each(golden.cases.map((one) => [one.clip, JSON.stringify(one.options), one] as const))(
    '%s %s',
    async (name, _, { options, clipped }) => {
      const gradients = golden.gradients.map(({ data, shape }) => Tensor.fromData(Float32Array.from(data), shape));
      const parameters = gradients.map(({ shape, size }) => new Parameter(new Float32Array(size), shape));
      const Clip = clips[name] as new (options: unknown) => GradientClip;
      const optimizer = new SGD({ parameters, learningRate: 1, gradClip: new Clip(options) });
      parameters
        .map((p, i) => p.mul(gradients[i]).sum())
        .reduce((a, b) => a.add(b))
        .backward();
      await optimizer.step();
      for (const [i, { data }] of clipped.entries()) {
        const got = (await parameters[i].data()).map((value: number) => -value);
        expectAgreement(got, data, `gradient ${i}`, { tolerance: 1e-6, floor: 1e-6 });
      }
    },
  );
});
