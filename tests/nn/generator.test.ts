import { expect, it } from 'vitest';
import { defaultGenerator, nn, RandomGenerator, seed, setEngine, withGenerator } from '../../src/index.js';

it('initializers and dropout use the generator they are given', async () => {
  setEngine('reference');
  const draw = async (n: number) => {
    const generator = new RandomGenerator(n);
    const initializer = nn.initializer.kaimingUniform({ generator });
    const fc = withGenerator(
      generator,
      () => new nn.Linear(4, 50, { weightAttr: { initializer }, biasAttr: { initializer: nn.initializer.normal() } }),
    );
    const dropout = new nn.Dropout(0.5, { generator });
    const weight = await fc.weight.data('float32');
    const limit = Math.sqrt(6 / 4);
    expect(weight.every((w) => Math.abs(w) <= limit)).toBe(true);
    expect(Math.max(...weight)).toBeGreaterThan(0.9 * limit);
    return [weight, await fc.bias?.data(), await dropout.forward(fc.weight).data()];
  };
  seed(1);
  const before = defaultGenerator().state();
  const outside = nn.initializer.xavierUniform({ generator: new RandomGenerator(3) });
  new nn.Linear(2, 2, { weightAttr: { initializer: outside } });
  const first = await draw(1);
  expect(defaultGenerator().state()).toEqual(before);
  expect(await draw(1)).toEqual(first);
  expect(await draw(2)).not.toEqual(first);
});

it('a constant fills a parameter', async () => {
  const fc = new nn.Linear(1, 2, { biasAttr: { initializer: nn.initializer.constant(3) } });
  expect(await fc.bias?.data()).toEqual(Float32Array.of(3, 3));
});
