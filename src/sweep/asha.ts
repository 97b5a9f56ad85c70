import { RandomGenerator } from '../random.js';

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

/** Searches of which {@link trainingsOf} takes the mean, and the most trials of one. */
const simulations = 20;
const mostSimulated = 100;

/**
 * Epochs of a whole search, and how often a training begins or continues, if no trial fails. A trial that is
 * among the best for a while continues too, so the number depends on the order of the trials: it is the mean
 * over random orders. In large searches the first trials stand for all.
 */
export function trainingsOf(
  trials: number,
  rungs: readonly number[],
  reduction: number,
): { readonly epochs: number; readonly trainings: number } {
  if (rungs.length === 1) return { epochs: trials * rungs[0], trainings: trials };
  const generator = new RandomGenerator(0);
  const simulated = Math.min(trials, mostSimulated);
  const sum = { epochs: 0, trainings: 0 };
  for (let i = 0; i < simulations; i++) {
    const search: { id: number; costs: number[]; isOut: boolean }[] = [];
    for (const cost of generator.permutation(simulated)) {
      search.push({ id: cost, costs: [cost], isOut: false });
      for (;;) {
        const next = promotable(search, rungs.length, reduction);
        if (next === null) break;
        search.find(({ id }) => id === next)?.costs.push(next);
      }
    }
    for (const { costs } of search) {
      sum.epochs += rungs[costs.length - 1];
      sum.trainings += costs.length;
    }
  }
  const share = trials / simulated / simulations;
  return { epochs: Math.round(share * sum.epochs), trainings: Math.round(share * sum.trainings) };
}
