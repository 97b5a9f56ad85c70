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

/** The places that are taken, each by values that are not needed at the same time. */
class Places {
  readonly #taken = new Map<number, Virtual[]>();

  isFree(place: number, { first, last }: Virtual): boolean {
    return this.#taken.get(place)?.every((other) => other.last < first || last < other.first) ?? true;
  }

  take(place: number, virtual: Virtual): void {
    const taken = this.#taken.get(place);
    if (taken === undefined) this.#taken.set(place, [virtual]);
    else taken.push(virtual);
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
  const [inRegisters, inMemory] = [new Places(), new Places()];
  let slots = 0;
  for (const virtual of inOrder) {
    const register = registers.find((place) => inRegisters.isFree(place, virtual));
    if (register !== undefined) {
      virtual.register = register;
      inRegisters.take(register, virtual);
      continue;
    }
    let slot = 0;
    while (!inMemory.isFree(slot, virtual)) slot++;
    virtual.slot = slot;
    inMemory.take(slot, virtual);
    slots = Math.max(slots, slot + 1);
  }
  return slots;
}
