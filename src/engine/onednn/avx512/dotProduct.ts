import type { Assembler } from './assembler.js';
import { kernelCode, scratch } from './kernel.js';
import { canRunAvx512, MachineCode } from './machineCode.js';

/** More sums than either instruction has begun before its first result is there. */
const sums = 24;
const rounds = 10_000;
/** The least time of so many is not disturbed. */
const tries = 7;

/** Milliseconds of the same number of instructions, each `write`n for one of many independent sums. */
function leastMs(write: (to: Assembler, sum: number) => void): number {
  const code = new MachineCode(
    kernelCode((to) => {
      const routine = to.label();
      to.bind(routine);
      for (let register = 0; register <= sums; register++) to.vzero(register);
      to.repeat(scratch[0], rounds, () => {
        for (let sum = 0; sum < sums; sum++) write(to, sum);
      });
      to.ret();
      return [[{ routine, numbers: [] }]];
    }),
  );
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const begun = performance.now();
    code.run(1);
    least = Math.min(least, performance.now() - begun);
  }
  code.destroy();
  return least;
}

let measured: number | null = null;

/**
 * How many times as long as one that multiplies and adds 16 float32 an instruction takes that does so with 32
 * bfloat16: 1 or 2 where it is of use, and 4 on Intel's processors with AMX where the system hides that.
 * Measured once, in some milliseconds; 1 where no code runs.
 */
export function dotProductCost(): number {
  measured ??= canRunAvx512('bfloat16')
    ? leastMs((to, sum) => to.vaddDot(sum, sums, sums)) / leastMs((to, sum) => to.v('addMul', sum, sums, sums))
    : 1;
  return measured;
}
