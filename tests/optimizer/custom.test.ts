import { describe, expect, it } from 'vitest';
import { nn, optimizer, Parameter, ShapeError, setEngine, type Tensor, tensor } from '../../src/index.js';
import { engines } from '../engines.js';

// Everything here is built from the public package, as a user would.

/** Sign descent with momentum (Lion, Chen et al., 2023). */
class Lion extends optimizer.Optimizer {
  protected readonly stateNames = ['momentum'];

  protected update(parameter: Tensor, gradient: Tensor, [momentum]: readonly Tensor[], rate: Tensor): optimizer.Update {
    const direction = momentum.mul(0.9).add(gradient.mul(0.1));
    const sign = direction.greater(0).cast('float32').sub(direction.less(0).cast('float32'));
    return {
      parameter: parameter.sub(sign.mul(rate)),
      states: [momentum.mul(0.99).add(gradient.mul(0.01))],
    };
  }
}

class Halve implements optimizer.GradientClip {
  clip(gradients: readonly Tensor[]): Tensor[] {
    return gradients.map((gradient) => gradient.mul(0.5));
  }
}

const parameterOf = (...values: number[]) => new Parameter(Float32Array.from(values), [values.length]);
const valuesOf = async (t: Tensor) => [...(await t.data())];

describe.each(engines)('%s: a clip and an optimizer of a user', (engine) => {
  it('train, and their states are saved and loaded', async () => {
    setEngine(engine);
    const p = parameterOf(1, -2, 0);
    const lion = new Lion({ parameters: [p], learningRate: 0.25 });
    const names = new Map([['p', p]]);
    const gradient = tensor([3, -1, 0]);
    for (let i = 0; i < 2; i++) {
      p.mul(gradient).sum().backward();
      await lion.step();
      lion.clearGrad();
    }
    expect(await valuesOf(p)).toEqual([0.5, -1.5, 0]);
    const momentum = lion.stateDict(names).get('p.momentum') as Tensor;
    const expected = [3, -1, 0].map((g) => 0.01 * g * 0.99 + 0.01 * g);
    (await valuesOf(momentum)).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 6);
    });
    const other = new Lion({ parameters: [p], learningRate: 0.25 });
    const data = await momentum.data();
    other.loadStateDict(names, new Map([['p.momentum', { shape: [3], dtype: 'float32', data }]]), { steps: 2 });
    expect(await valuesOf(other.stateDict(names).get('p.momentum') as Tensor)).toEqual([...data]);
    expect(other.steps).toBe(2);
  });

  it('work with those of the library', async () => {
    setEngine(engine);
    const p = parameterOf(1, 2);
    const sgd = new optimizer.SGD({ parameters: [p], learningRate: 1, gradClip: new Halve() });
    expect(sgd.settings.gradClip).toBe('Halve');
    p.sum().backward();
    await sgd.step();
    expect(await valuesOf(p)).toEqual([0.5, 1.5]);
    const q = parameterOf(1, 2);
    const gradClip = new optimizer.ClipGradByGlobalNorm({ clipNorm: 1e-20 });
    const lion = new Lion({ parameters: [q], learningRate: 1, gradClip });
    q.sum().backward();
    await lion.step();
    expect(await valuesOf(q)).toEqual([0, 1]);
  });

  it('may leave a parameter as it is, and move states about', async () => {
    setEngine(engine);
    class Moves extends optimizer.Optimizer {
      protected readonly stateNames = ['last', 'before', 'other', 'sum'];
      protected update(parameter: Tensor, gradient: Tensor, states: readonly Tensor[]): optimizer.Update {
        const [last, before, other, sum] = states;
        return { parameter, states: [gradient, last, sum, other.add(before)] };
      }
    }
    const p = parameterOf(1, 2);
    const moves = new Moves({ parameters: [p] });
    for (let i = 1; i <= 4; i++) {
      p.mul(i).sum().backward();
      await moves.step();
      moves.clearGrad();
    }
    expect(await valuesOf(p)).toEqual([1, 2]);
    const states = [...moves.stateDict(new Map([['p', p]])).values()];
    // last: 1 2 3 4; before: 0 1 2 3; sum: 0 0 1 2; other: 0 0 0 1
    expect(await Promise.all(states.map(valuesOf))).toEqual([4, 3, 1, 2].map((value) => [value, value]));
  });
});

describe('an error in a hook of a user', () => {
  const fails = () => {
    throw new Error('mine');
  };

  /** Takes a step that fails, then a good one; the result is that of the good one alone. */
  async function expectUntouched(make: (parameters: Parameter[], broken: () => boolean) => optimizer.Optimizer) {
    setEngine('reference');
    const [p, q] = [parameterOf(1, 2), parameterOf(3)];
    let isBroken = true;
    const trained = make([p, q], () => isBroken);
    const untouched = make([p, q], () => false);
    p.sum().add(q.sum()).backward();
    const gradient = p.grad;
    await expect(trained.step()).rejects.toThrow('mine');
    expect(trained.steps).toBe(0);
    expect(p.grad).toBe(gradient);
    expect(await valuesOf(p)).toEqual([1, 2]);
    // Gradients still add up, as they do before a step.
    p.sum().backward();
    isBroken = false;
    await trained.step();
    expect(trained.steps).toBe(1);
    const trainedTo = [await valuesOf(p), await valuesOf(q)];

    p.load(Float32Array.of(1, 2));
    q.load(Float32Array.of(3));
    untouched.clearGrad();
    p.mul(2).sum().add(q.sum()).backward();
    await untouched.step();
    expect(trainedTo).toEqual([await valuesOf(p), await valuesOf(q)]);
    const names = new Map(Object.entries({ p, q }));
    const statesOf = async (of: optimizer.Optimizer) =>
      Promise.all([...of.stateDict(names)].map(async ([name, state]) => [name, await valuesOf(state)]));
    expect(await statesOf(trained)).toEqual(await statesOf(untouched));
  }

  it('in a clip leaves optimizer and gradients as they were', () =>
    expectUntouched((parameters, broken) => {
      const gradClip = { clip: (gradients: readonly Tensor[]) => (broken() ? fails() : [...gradients]) };
      return new optimizer.Adam({ parameters, learningRate: 0.1, gradClip });
    }));

  it('in an update leaves optimizer and gradients as they were, though one parameter was updated', () =>
    expectUntouched((parameters, broken) => {
      let calls = 0;
      class Second extends optimizer.Adam {
        protected override update(...args: [Tensor, Tensor, readonly Tensor[], Tensor]): optimizer.Update {
          if (broken() && ++calls === 2) fails();
          return super.update(...args);
        }
      }
      return new Second({ parameters, learningRate: 0.1 });
    }));

  it('does not mark the nodes made afterwards as an update', async () => {
    const { currentOrigin, Origin } = await import('../../src/graph/origin.js');
    const p = parameterOf(1);
    p.sum().backward();
    await expect(new optimizer.SGD({ parameters: [p], gradClip: { clip: fails } }).step()).rejects.toThrow('mine');
    expect(currentOrigin()).toBe(Origin.none);
  });
});

describe('results of a hook that do not fit', () => {
  const step = (gradClip: optimizer.GradientClip) => {
    const p = parameterOf(1, 2);
    p.sum().backward();
    return new optimizer.SGD({ parameters: [p], gradClip }).step();
  };

  it('are refused with what was expected', async () => {
    await expect(step({ clip: () => [] })).rejects.toThrow('Object.clip: gradients: expected 1 tensors, got 0');
    await expect(step({ clip: async () => [] } as never)).rejects.toThrow('expected 1 tensors, got a Promise');
    await expect(step({ clip: () => [1] } as never)).rejects.toThrow('expected tensors, got 1');
    const sum = { clip: (gradients: readonly Tensor[]) => gradients.map((gradient) => gradient.sum()) };
    await expect(step(sum)).rejects.toThrow(
      new ShapeError('[optimizer] Object.clip: gradients: expected float32 [2], got float32 []'),
    );
    class NoStates extends optimizer.Momentum {
      protected override update(parameter: Tensor): optimizer.Update {
        return { parameter, states: [] };
      }
    }
    const p = parameterOf(1, 2);
    p.sum().backward();
    await expect(new NoStates({ parameters: [p] }).step()).rejects.toThrow(
      '[optimizer] NoStates.update: states: expected 1 tensors, got 0',
    );
  });
});

it('a parameter that is listed twice is updated once', async () => {
  const fc = new nn.Linear(1, 1, { biasAttr: false, weightAttr: { initializer: nn.initializer.constant(1) } });
  const sgd = new optimizer.SGD({ parameters: [...fc.parameters(), ...fc.parameters()], learningRate: 0.5 });
  fc.forward(tensor([[1]]))
    .sum()
    .backward();
  await sgd.step();
  expect(await valuesOf(fc.weight)).toEqual([0.5]);
});
