import type { KernelArgument, KernelCall, StepRecord } from '../record.js';
import { args } from './ffi.js';
import type { StepObserver } from './program.js';
import { implementationOf, type Placed, type Step } from './steps.js';
import { multiplyAdds } from './work.js';

/** Runs `body` and records every kernel call of the engine's programs meanwhile. */
export async function recordCalls(
  engine: { observer: StepObserver | null },
  body: () => Promise<unknown>,
): Promise<StepRecord> {
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
  return { shape: desc.shape, dtype: desc.dtype, layout: String(desc) };
}
