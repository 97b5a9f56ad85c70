/** A value, or the reason why there is none. JSON keeps it as it is. */
export type MetricValue = { readonly value: number } | { readonly value: null; readonly reason: string };

/** A metric of a set in which each sample counts as often as its weight says; without weights, once. */
export type WeightedMetric = (weights?: ArrayLike<number>) => MetricValue;

export function none(reason: string): { readonly value: null; readonly reason: string } {
  return { value: null, reason };
}

/** The quotient; none with the given reason if there is nothing to divide by. */
export function quotient(part: number, whole: number, reason: string): MetricValue {
  return whole === 0 ? none(reason) : { value: part / whole };
}
