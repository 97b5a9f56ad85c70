import type { Assembler } from './assembler.js';
import { kernelCode, scratch } from './kernel.js';
import { MachineCode } from './machineCode.js';

/** Number of independent sums: fewer instructions of either kind begin before the first has its result. */
const sums = 24;
const rounds = 10_000;
/** The least time of this many runs is free of disturbances. */
const tries = 7;

/** Milliseconds for a fixed number of instructions; `write` writes each for one of many independent sums. */
function leastMs(write: (to: Assembler, sum: number) => void): number {
  const code = new MachineCode(
    kernelCode(16, (to) => {
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
 * The time of the instruction that multiplies and adds 32 bfloat16, divided by the time of the one for 16
 * float32. It is 1 or 2 where the instruction is useful, and 4 on Intel's processors with AMX if the system
 * hides AMX. It is measured once, in some milliseconds. Only where code with these instructions runs.
 */
export function dotProductCost(): number {
  measured ??=
    leastMs((to, sum) => to.vaddDot(sum, sums, sums)) / leastMs((to, sum) => to.v('addMul', sum, sums, sums));
  return measured;
}
