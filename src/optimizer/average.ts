import { InputError } from '../errors.js';
import type { Assignment } from '../graph/node.js';
import { formatShape, sameShape } from '../graph/shape.js';
import type { StateEntry } from '../nn/stateEntries.js';
import { Buffer, type Parameter } from '../tensor/state.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Names of the copies in a file: of the averages, or of the latest parameters while the averages are in
 * use.
 */
const averageKey = 'average';
const latestKey = 'latest';

/**
 * Exponential moving average of parameters. After update t of the optimizer it is `d·average + (1 −
 * d)·parameter` with d = min(decay, (1 + t)/(10 + t)), so that the beginning is soon forgotten (as in
 * TensorFlow and timm). The averages can change places with the parameters: for evaluation and for files.
 */
export class WeightAverage {
  readonly decay: number;
  readonly #copies = new Map<Parameter, Buffer>();
  #inUse = false;
  /** Parameters whose averages began with the newest step. */
  #begun: Parameter[] = [];
  /** Factors as inputs of the program of a step: for new averages, and for others. */
  readonly #first = Tensor.fromData(Float32Array.of(1), []);

  constructor(decay: number) {
    this.decay = decay;
  }

  /** The assignments that average the new contents of parameters, as part of step number `step`. */
  assignments(
    updates: readonly { readonly parameter: Parameter; readonly updated: Tensor }[],
    step: number,
  ): Assignment[] {
    const decay = Math.min(this.decay, (1 + step) / (10 + step));
    this.#begun = updates.map(({ parameter }) => parameter).filter((parameter) => !this.#copies.has(parameter));
    const later = Tensor.fromData(Float32Array.of(1 - decay), []);
    return updates.map(({ parameter, updated }) => {
      const known = this.#copies.get(parameter);
      const copy = known ?? Buffer.filled(parameter.shape, 0);
      this.#copies.set(parameter, copy);
      const before = new Tensor(copy.value);
      return copy.overwrite(before.add(updated.sub(before).mul(known === undefined ? this.#first : later)).value);
    });
  }

  /** Undoes {@link assignments} after a step that computed nothing. */
  takeBack(): void {
    for (const parameter of this.#begun) this.#copies.delete(parameter);
    this.#begun = [];
  }

  /** Whether the parameters hold the averages. */
  get inUse(): boolean {
    return this.#inUse;
  }

  /** Lets the parameters hold the averages, or the latest values again. */
  use(averages: boolean): void {
    if (averages === this.#inUse) return;
    for (const [parameter, copy] of this.#copies) {
      const [held, kept] = [parameter.value.current().read(), copy.value.current().read()];
      parameter.load(kept);
      copy.load(held);
    }
    this.#inUse = averages;
  }

  stateDict(names: ReadonlyMap<string, Parameter>): Map<string, Buffer> {
    const key = this.#inUse ? latestKey : averageKey;
    const dict = new Map<string, Buffer>();
    for (const [name, parameter] of names) {
      const copy = this.#copies.get(parameter);
      if (copy !== undefined) dict.set(`${name}.${key}`, copy);
    }
    return dict;
  }

  /** @throws {InputError} for a copy of another shape */
  load(names: ReadonlyMap<string, Parameter>, entries: ReadonlyMap<string, StateEntry>): void {
    this.#copies.clear();
    this.#inUse = [...entries.keys()].some((name) => name.endsWith(`.${latestKey}`));
    const key = this.#inUse ? latestKey : averageKey;
    for (const [name, parameter] of names) {
      const entry = entries.get(`${name}.${key}`);
      if (entry === undefined) continue;
      if (!sameShape(entry.shape, parameter.shape)) {
        throw new InputError(
          `[optimizer] state ${name}.${key}: expected ${formatShape(parameter.shape)}, got ${formatShape(entry.shape)}`,
        );
      }
      const copy = Buffer.filled(parameter.shape, 0);
      copy.load(entry.data);
      this.#copies.set(parameter, copy);
    }
  }
}
