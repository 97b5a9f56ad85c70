/** The size of a fuzzed property, in the form that fast-check and vitest take. */
export interface Fuzzing {
  /** Cases to run. */
  readonly numRuns: number;
  readonly seed: number;
  /** Milliseconds that vitest waits: ample, since a loaded machine must not fail a test. */
  readonly timeout: number;
}

function wholeNumber(variable: string): number | null {
  const text = process.env[variable];
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${variable}: expected a whole number, got ${text}`);
  return value;
}

/**
 * The number of cases and the seed of a fuzzer. `npm test` runs `usual` cases of a fixed seed. `FOVEA_FUZZ=N` asks for N
 * cases in the place of `usual` and chooses a seed, unless `FOVEA_FUZZ_SEED` gives one; both are printed.
 *
 * @param share of the N cases of a long run, for fuzzers whose case takes long: 0.01 runs 1 where others run 100
 */
export function fuzzing(name: string, usual: number, { seed = 1, share = 1 } = {}): Fuzzing {
  const asked = wholeNumber('FOVEA_FUZZ');
  const numRuns = asked === null ? usual : Math.max(1, Math.ceil(asked * share));
  const drawn = asked === null ? seed : Math.floor(Math.random() * 2 ** 31);
  const chosen = wholeNumber('FOVEA_FUZZ_SEED') ?? drawn;
  if (asked !== null) {
    process.stderr.write(`fuzz: ${name}, ${numRuns} cases, FOVEA_FUZZ_SEED=${chosen}\n`);
  }
  return { numRuns, seed: chosen, timeout: 120_000 + 2_000 * numRuns };
}
