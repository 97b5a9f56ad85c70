import { Assembler, type Lanes } from './assembler.js';
import { at, counter, type Gpr, gpr, type Label } from './generalAssembler.js';

/** A part of the work that one thread does at a time. */
export interface Task {
  /** The routine that does it. */
  readonly routine: Label;
  /** Numbers that the routine reads: up to four offsets and counts. */
  readonly numbers: readonly number[];
}

/** Machine code and its tasks. The code starts at the first byte. */
export interface KernelCode {
  /** The name in the printed program and in profiles. */
  readonly name: string;
  readonly code: Uint8Array;
  readonly tasks: readonly { readonly place: number; readonly numbers: readonly number[] }[];
  /** Number of tasks, or runs of tasks, in each phase. All are done before the next phase begins. */
  readonly phases: readonly number[];
  /** Whether it reports that it wrote numbers that are not finite. */
  readonly reportsNonFinite: boolean;
  /** Bytes of working memory of each thread, as its last operand. */
  readonly workingBytes: number;
}

/** Registers that a routine may use; it must leave all other general registers alone. */
export const scratch = [
  ...[gpr.rsi, gpr.rdx, gpr.rcx, gpr.r9, gpr.r10, gpr.r11, gpr.rax, gpr.rdi],
  ...[gpr.r13, gpr.r14, gpr.r15],
] as const;
/** The block, the task's record, and the number of tasks that are left in the current run. */
const [blockAt, recordAt, left] = [gpr.rbx, gpr.r8, counter];

/** Registers that must be unchanged for the caller. */
const saved = [blockAt, left, gpr.rbp, gpr.r13, gpr.r14, gpr.r15] as const;

/**
 * The block, which is the argument of the code, and a task's record, in 64-bit words. The number of the next
 * task and of the next thread are alone in their cache line, since all threads write them. The first counts
 * tasks, or runs of tasks that one thread does together.
 */
export const block = { next: 0, thread: 1, end: 8, table: 9, nonFinite: 10, operands: 11, words: 32 } as const;
export const record = { place: 0, numbers: 1, words: 5 } as const;
export const word = 8;

/** Loads the address of an operand, with the task's number `by` added. */
export function loadOperand(to: Assembler, register: Gpr, operand: number, by?: number): void {
  to.load(register, at(blockAt, word * (block.operands + operand)));
  if (by !== undefined) to.add(register, at(recordAt, word * (record.numbers + by)));
}

/** Reports to the caller of the code if a vector has a NaN. Overwrites a mask and a register. */
export function reportNonFinite(to: Assembler, vector: number, k: number, register: Gpr): void {
  const finite = to.label();
  to.vcompare('unordered', k, vector, vector);
  to.vtest(k);
  to.jump(finite, 'zero');
  to.set(register, 1);
  to.store(at(blockAt, word * block.nonFinite), register);
  to.bind(finite);
}

/** Loads one of the task's numbers. */
export function loadNumber(to: Assembler, register: Gpr, number: number): void {
  to.load(register, at(recordAt, word * (record.numbers + number)));
}

/**
 * Code in which each thread takes one task after another until none is left. The order of tasks differs
 * between runs, but the results are the same, since no two tasks write the same result.
 *
 * @param lanes float32 in a vector
 * @param write writes the routines, which end with `ret`, and returns the tasks of each phase
 * @param prepare writes code that each thread runs once: constants in vector registers that no routine
 *   changes
 * @param working bytes of each thread's working memory, and the operand that is the memory of all; rbp has
 *   its address
 * @param reportsNonFinite whether the routines call {@link reportNonFinite}
 * @param together that many tasks in a row are done by the same thread; divides the number of tasks of each
 *   phase
 */
export function kernelCode(
  lanes: Lanes,
  write: (to: Assembler) => readonly (readonly Task[])[],
  {
    prepare,
    together = 1,
    working,
    reportsNonFinite = false,
  }: {
    readonly prepare?: (to: Assembler) => void;
    readonly together?: number;
    readonly working?: { readonly bytes: number; readonly operand: number };
    readonly reportsNonFinite?: boolean;
  } = {},
): KernelCode {
  const to = new Assembler(lanes);
  for (const register of saved) to.push(register);
  to.copy(blockAt, gpr.rdi);
  if (working !== undefined) {
    to.set(gpr.rbp, 1);
    to.fetchAdd(at(blockAt, word * block.thread), gpr.rbp);
    to.multiplyBy(gpr.rbp, working.bytes);
    to.add(gpr.rbp, at(blockAt, word * (block.operands + working.operand)));
  }
  prepare?.(to);
  const [next, done] = [to.label(), to.label()];
  to.bind(next);
  to.set(recordAt, 1);
  to.fetchAdd(at(blockAt, word * block.next), recordAt);
  to.compare(recordAt, at(blockAt, word * block.end));
  to.jump(done, 'aboveOrEqual');
  to.multiplyBy(recordAt, word * record.words * together);
  to.add(recordAt, at(blockAt, word * block.table));
  to.repeat(left, together, () => {
    to.callAt(at(recordAt, word * record.place));
    to.addConstant(recordAt, word * record.words);
  });
  to.jump(next);
  to.bind(done);
  to.vzeroupper();
  for (const register of [...saved].reverse()) to.pop(register);
  to.ret();
  const phases = write(to);
  const tasks = phases.flat().map(({ routine: { place }, numbers }) => ({ place, numbers }));
  return {
    name: lanes === 16 ? 'code:avx512' : 'code:avx2',
    code: to.finish(),
    tasks,
    phases: phases.map(({ length }) => length / together),
    reportsNonFinite,
    workingBytes: working?.bytes ?? 0,
  };
}
