import type { BasicAssembler } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import type { Lanes } from './assembler.js';
import { type KernelCode, kernelCode } from './kernel.js';
import { TaskAssembler } from './taskAssembler.js';

const lineBytes = 64;

/**
 * Machine code of a kernel that both engines share.
 *
 * @param operands their number, without the working memory
 * @param threads that many threads run it at most
 */
export function taskCode(
  lanes: Lanes,
  { emit, tasks, scratch, preparesMuch = false }: TaskKernel<BasicAssembler>,
  operands: number,
  threads: number,
): KernelCode {
  const to = new TaskAssembler(lanes);
  const pointers = Array.from({ length: operands }, (_, i) => to.operand(i));
  if (scratch > 0) pointers.push(to.workingMemory());
  emit(to, pointers, to.number(0), to.number(1));
  const inLines = (bytes: number) => Math.ceil(bytes / lineBytes) * lineBytes;
  const bytes = inLines(to.place(inLines(scratch)));
  const runs = preparesMuch ? Math.min(tasks, threads) : tasks;
  const ends = Array.from({ length: runs + 1 }, (_, i) => Math.floor((i * tasks) / runs));
  return kernelCode(
    lanes,
    (code) => {
      const routine = code.label();
      code.bind(routine);
      to.write(code);
      code.ret();
      return [ends.slice(1).map((end, i) => ({ routine, numbers: [ends[i], end] }))];
    },
    { prepare: (code) => to.prepare(code), working: { bytes, operand: operands } },
  );
}
