import type { Assembler, BasicAssembler, Emit } from './assembler.js';

/** A kernel with the number of its tasks, and the working memory of each thread in bytes. */
export interface TaskKernel<T extends BasicAssembler = Assembler> {
  readonly emit: Emit<T>;
  readonly tasks: number;
  readonly scratch: number;
  /** Whether each run prepares much before its first task, so that few large runs are better than many. */
  readonly preparesMuch?: boolean;
}
