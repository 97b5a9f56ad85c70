/** A register that a kernel asked for, and the place it gets. */
export class Virtual {
  /** The first and the last step that need it; -1 before any does. */
  first = -1;
  last = -1;
  /** Number of uses; those in loops count many times. */
  uses = 0;
  /** A register of the processor; -1 if it is in memory. */
  register = -1;
  /** Number of its place in memory; -1 if it is in a register. */
  slot = -1;

  constructor(readonly isConstant = false) {}

  get isInMemory(): boolean {
    return this.register < 0;
  }
}

/** Values in one place, which are not needed at the same time, in order. */
class Place {
  readonly #values: Virtual[] = [];

  /** Takes a value, if the place is free while it is needed. @returns whether it does */
  takes(virtual: Virtual): boolean {
    let [low, high] = [0, this.#values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle].first > virtual.last) high = middle;
      else low = middle + 1;
    }
    if (low > 0 && this.#values[low - 1].last >= virtual.first) return false;
    this.#values.splice(low, 0, virtual);
    return true;
  }
}

/**
 * Gives each value a register of the processor, the most used ones first, and a place in memory where none is
 * left (Chow & Hennessy, "The priority-based coloring approach to register allocation", 1990).
 *
 * @returns the number of places in memory
 */
export function allocate(virtuals: readonly Virtual[], registers: readonly number[]): number {
  const priority = ({ first, last, uses }: Virtual) => uses / (last - first + 1);
  const inOrder = virtuals.filter(({ first }) => first >= 0).sort((a, b) => priority(b) - priority(a));
  const inRegisters = registers.map(() => new Place());
  const inMemory: Place[] = [];
  for (const virtual of inOrder) {
    const found = inRegisters.findIndex((place) => place.takes(virtual));
    if (found >= 0) {
      virtual.register = registers[found];
      continue;
    }
    const slot = inMemory.findIndex((place) => place.takes(virtual));
    virtual.slot = slot >= 0 ? slot : inMemory.push(new Place()) - 1;
    if (slot < 0) inMemory[virtual.slot].takes(virtual);
  }
  return inMemory.length;
}
