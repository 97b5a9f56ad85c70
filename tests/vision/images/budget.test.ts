import { expect, it } from 'vitest';
import { ByteBudget } from '../../../src/vision/images/budget.js';

it('work waits for room, in its order, and one piece always runs', async () => {
  const budget = new ByteBudget(10);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string, bytes: number) =>
    budget.use(bytes, () => {
      begun.push(name);
      return new Promise<string>((end) => ends.push(() => end(name)));
    });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const all = [work('a', 6), work('b', 5), work('c', 1), work('huge', 99), work('d', 4)];
  await turn();
  expect(begun).toEqual(['a']);
  ends[0]();
  await turn();
  expect(begun).toEqual(['a', 'b', 'c']);
  ends[1]();
  await turn();
  expect(begun).toHaveLength(3);
  ends[2]();
  await turn();
  expect(begun).toEqual(['a', 'b', 'c', 'huge']);
  ends[3]();
  await turn();
  ends[4]();
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'huge', 'd']);
  await expect(budget.use(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await budget.use(10, () => Promise.resolve(1))).toBe(1);
});
