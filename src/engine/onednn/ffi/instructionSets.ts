/**
 * A unit that multiplies bfloat16: vectors, which may be no faster than with float32, or tiles of a matrix.
 */
export type Bfloat16Unit = 'AVX-512' | 'slow AVX-512' | 'AMX';

/** The library's numbers of instruction sets, the widest one first. A number has a bit for each extension. */
export type InstructionSets = readonly (readonly [bits: number, name: string, unit: Bfloat16Unit | null])[];

const contains = (isa: number, bits: number) => (isa & bits) === bits;

const widest = (sets: InstructionSets, isa: number) => sets.find(([bits]) => contains(isa, bits));

/** The widest known instruction set within one that the library reports, for people. */
export function instructionSetOf(sets: InstructionSets, isa: number): string {
  return widest(sets, isa)?.[1] ?? `isa 0x${isa.toString(16)}`;
}

export function bfloat16UnitOf(sets: InstructionSets, isa: number): Bfloat16Unit | null {
  return widest(sets, isa)?.[2] ?? null;
}
