import type { StepPart } from '../../graph/origin.js';
import type { Shape } from '../../graph/shape.js';
import { openOneDnn } from './engine.js';
import { args } from './ffi.js';
import { implementationOf, type Placed, type Step } from './steps.js';
import { multiplyAdds } from './work.js';

/** An argument of a kernel. */
export interface KernelArgument {
  readonly shape: Shape;
  /** In oneDNN's notation: `aBcd16b`, or `aBcd16b:bf16` of bfloat16. */
  readonly layout: string;
}

/** One kernel call of a program. */
export interface KernelCall {
  /** `conv2d+relu`, `reorder`. */
  readonly name: string;
  /** The library's name of the kernel, `code` of our own, or `typescript`. */
  readonly implementation: string;
  /** Name of the layer that it belongs to; empty where it belongs to none. */
  readonly layer: string;
  readonly part: StepPart;
  readonly threads: number;
  /** Scratchpads are left out. */
  readonly reads: readonly KernelArgument[];
  readonly writes: readonly KernelArgument[];
  /** Read and written. */
  readonly bytes: number;
  /** Of convolutions and linear layers, by the plain algorithm, two for each multiply-add; else 0. */
  readonly flops: number;
}

/** A call at its time: milliseconds of the clock `performance.now()`. */
export interface TimedCall {
  readonly call: KernelCall;
  readonly start: number;
  readonly ms: number;
}

/** What ran meanwhile, and how long it took altogether. */
export interface StepRecord {
  readonly start: number;
  readonly ms: number;
  readonly calls: readonly TimedCall[];
}

/** Runs `body` and notes every kernel call of the programs that it runs on oneDNN. */
export async function recordCalls(body: () => Promise<unknown>): Promise<StepRecord> {
  const engine = openOneDnn();
  const begun = performance.now();
  const record: { readonly step: Step; readonly start: number; readonly ms: number }[] = [];
  engine.observer = (step, ms, start) => record.push({ step, start, ms });
  try {
    await body();
  } finally {
    engine.observer = null;
  }
  const ended = performance.now();
  const calls = record.map(({ step, start, ms }) => ({ call: callOf(step), start, ms }));
  return { start: begun, ms: ended - begun, calls };
}

const known = new WeakMap<Step, KernelCall>();

/** The same object for the same step of a program. */
function callOf(step: Step): KernelCall {
  const found = known.get(step);
  if (found !== undefined) return found;
  const { name, node, reads } = step;
  const isPrimitive = step.kind === 'primitive';
  const scratchpads = isPrimitive ? step.args.filter(([argument]) => argument === args.scratchpad) : [];
  const writes = step.writes.filter((placed) => !scratchpads.some(([, scratchpad]) => scratchpad === placed));
  // What else is done for a node, such as a reorder of its input, has a name of its own.
  const isMain = node !== null && (name === node.op || name.startsWith(`${node.op}+`));
  const call: KernelCall = {
    name,
    implementation: implementationOf(step),
    layer: node?.origin.layer ?? '',
    part: node?.origin.part ?? 'update',
    threads: step.kind === 'kernel' ? 1 : step.threads,
    reads: reads.map(argumentOf),
    writes: writes.map(argumentOf),
    bytes: [...reads, ...writes].reduce((sum, { desc }) => sum + desc.size, 0),
    flops: isMain ? 2 * (multiplyAdds(node) ?? 0) : 0,
  };
  known.set(step, call);
  return call;
}

function argumentOf({ desc }: Placed): KernelArgument {
  return { shape: desc.shape, layout: String(desc) };
}
