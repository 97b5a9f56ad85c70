import { InputError } from '../errors.js';

/**
 * p-values adjusted for their number after Holm (Scand J Stat 1979;6:65-70): if those of at most 0.05 count
 * as significant, the probability of any false one among them is at most 5 %.
 *
 * @throws {InputError} for a value that is not from 0 to 1
 */
export function holm(pValues: readonly number[]): number[] {
  const wrong = pValues.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw new InputError(`[holm] p-values: expected numbers from 0 to 1, got ${wrong}`);
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = new Array<number>(pValues.length);
  let highest = 0;
  order.forEach((index, rank) => {
    highest = Math.max(highest, Math.min(1, pValues[index] * (pValues.length - rank)));
    adjusted[index] = highest;
  });
  return adjusted;
}

/**
 * Groups of models in which no two differ significantly; a model may be in several of them. They are the
 * largest such groups, which statistical tables show by letters (Piepho, J Comput Graph Stat
 * 2004;13:456-466).
 *
 * @param differ whether models i and j differ significantly
 * @returns indices of models, ascending in each group
 */
export function undistinguished(models: number, differ: (i: number, j: number) => boolean): number[][] {
  const alike = (i: number, j: number) => i !== j && !differ(Math.min(i, j), Math.max(i, j));
  const found: number[][] = [];
  // Bron and Kerbosch's search for maximal cliques (Commun ACM 1973;16:575-577).
  const extend = (group: readonly number[], candidates: readonly number[], seen: readonly number[]): void => {
    if (candidates.length === 0 && seen.length === 0) found.push([...group].sort((a, b) => a - b));
    let [left, done] = [candidates, seen];
    for (const model of candidates) {
      const near = (other: number) => alike(model, other);
      extend([...group, model], left.filter(near), done.filter(near));
      left = left.filter((other) => other !== model);
      done = [...done, model];
    }
  };
  if (models > 0)
    extend(
      [],
      Array.from({ length: models }, (_, i) => i),
      [],
    );
  return found.sort((a, b) => a[0] - b[0] || a.length - b.length);
}
