/**
 * The window of one place along an axis: the places on the other side, each with its position in the window.
 */
export type AxisTaps = readonly { readonly k: number; readonly other: number }[];

/** The inputs in the window of each output. */
export function windowTaps(input: number, output: number, kernel: number, stride: number, pad: number): AxisTaps[] {
  return Array.from({ length: output }, (_, i) =>
    Array.from({ length: kernel }, (_, k) => ({ k, other: i * stride - pad + k })).filter(
      ({ other }) => other >= 0 && other < input,
    ),
  );
}

/** The outputs whose windows contain each input, ascending. */
export function inverseTaps(windows: readonly AxisTaps[], inputs: number): AxisTaps[] {
  const result = Array.from({ length: inputs }, (): { k: number; other: number }[] => []);
  windows.forEach((window, output) => {
    for (const { k, other } of window) result[other].push({ k, other: output });
  });
  return result;
}

/** Neighbouring places in `count` blocks that differ only in where they are. */
export interface TapRun {
  readonly start: number;
  /** Places in a block. */
  readonly block: number;
  readonly count: number;
}

/**
 * Divides an axis into runs; places that are like no others are runs of their own.
 *
 * @param step places that the other side advances while this one advances by `block`
 */
export function runsOf(windows: readonly AxisTaps[], block: number, step: number): TapRun[] {
  const isLike = (place: number, times: number) => {
    const later = windows[place + times * block];
    const first = windows[place];
    if (later === undefined || later.length !== first.length) return false;
    return later.every(({ k, other }, j) => k === first[j].k && other === first[j].other + times * step);
  };
  const runs: TapRun[] = [];
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
