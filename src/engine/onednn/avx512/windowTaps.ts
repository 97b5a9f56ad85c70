/** Along one axis, for one place on this side: the places on the other side that count, each with its window position. */
export type AxisTaps = readonly { readonly k: number; readonly other: number }[];

/** For each output the inputs in its window. */
export function windowTaps(input: number, output: number, kernel: number, stride: number, pad: number): AxisTaps[] {
  return Array.from({ length: output }, (_, i) =>
    Array.from({ length: kernel }, (_, k) => ({ k, other: i * stride - pad + k })).filter(
      ({ other }) => other >= 0 && other < input,
    ),
  );
}

/** For each input the outputs whose windows it lies in, ascending. */
export function inverseTaps(windows: readonly AxisTaps[], inputs: number): AxisTaps[] {
  const result = Array.from({ length: inputs }, (): { k: number; other: number }[] => []);
  windows.forEach((window, output) => {
    for (const { k, other } of window) result[other].push({ k, other: output });
  });
  return result;
}

/** Neighbouring places in `count` blocks that differ only in where they are. */
export interface Run {
  readonly start: number;
  /** Places in a block. */
  readonly block: number;
  readonly count: number;
}

/**
 * Divides an axis into runs; places that are like no others are runs of their own.
 *
 * @param step how far the other side moves on while this one does by `block`
 */
export function runsOf(windows: readonly AxisTaps[], block: number, step: number): Run[] {
  const isLike = (place: number, times: number) => {
    const later = windows[place + times * block];
    const first = windows[place];
    if (later === undefined || later.length !== first.length) return false;
    return later.every(({ k, other }, j) => k === first[j].k && other === first[j].other + times * step);
  };
  const runs: Run[] = [];
  for (let start = 0; start < windows.length; ) {
    const places = Array.from({ length: Math.min(block, windows.length - start) }, (_, i) => start + i);
    let count = 1;
    while (places.length === block && places.every((place) => isLike(place, count))) count++;
    const run = count > 1 ? { start, block, count } : { start, block: 1, count: 1 };
    runs.push(run);
    start += run.block * run.count;
  }
  return runs;
}
