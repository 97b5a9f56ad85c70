/** The numbers of epochs after which trials are compared: the last one is that of a whole training. */
export function rungsOf(
  epochs: number,
  asha: { readonly minEpochs: number; readonly reduction: number } | null,
): number[] {
  if (asha === null) return [epochs];
  const rungs: number[] = [];
  for (let rung = asha.minEpochs; rung < epochs; rung *= asha.reduction) rungs.push(Math.round(rung));
  return [...new Set([...rungs, epochs])];
}

/** The costs of a trial at the rungs that it has reached, lowest rung first. */
export interface RungTrial {
  readonly id: number;
  readonly costs: readonly number[];
  /** Whether it failed, or is being trained now. */
  readonly isOut: boolean;
}

/**
 * The trial to continue to its next rung, by asynchronous successive halving (Li et al., 2020): from the
 * highest rung down, one that is among the best `1 / reduction` of all that have reached its rung. Null if
 * there is none.
 */
export function promotable(trials: readonly RungTrial[], rungs: number, reduction: number): number | null {
  for (let rung = rungs - 2; rung >= 0; rung--) {
    const reached = trials.filter(({ costs }) => costs.length > rung);
    const best = [...reached].sort((a, b) => a.costs[rung] - b.costs[rung] || a.id - b.id);
    const kept = best.slice(0, Math.floor(reached.length / reduction));
    const next = kept.find(({ costs, isOut }) => costs.length === rung + 1 && !isOut && Number.isFinite(costs[rung]));
    if (next !== undefined) return next.id;
  }
  return null;
}

/** Epochs of a whole search, if no trial fails: for the estimate of its cost. */
export function epochsOf(trials: number, rungs: readonly number[], reduction: number): number {
  let left = trials;
  let before = 0;
  let sum = 0;
  for (const rung of rungs) {
    sum += left * (rung - before);
    before = rung;
    left = Math.floor(left / reduction);
  }
  return sum;
}
