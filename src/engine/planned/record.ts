import type { KernelArgument, KernelCall, StepRecord } from '../record.js';
import { multiplyAdds } from './cost.js';
import type { StepObserver } from './program.js';
import { type AnyStep, implementationOf } from './steps.js';

/** Runs `body` and records every kernel call of the engine's programs meanwhile. */
export async function recordCalls(
  engine: { observer: StepObserver | null },
  body: () => Promise<unknown>,
): Promise<StepRecord> {
  const begun = performance.now();
  const record: { readonly step: AnyStep; readonly start: number; readonly ms: number }[] = [];
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

const known = new WeakMap<AnyStep, KernelCall>();

/** The same object for the same step of a program. */
function callOf(step: AnyStep): KernelCall {
  const found = known.get(step);
  if (found !== undefined) return found;
  const { name, node, reads } = step;
  const scratch = step.kind === 'call' ? step.scratch : null;
  const results = step.writes.filter((operand) => operand !== scratch);
  // Other steps for a node, such as a reorder of its input, have names of their own.
  const isMain = node !== null && (name === node.op || name.startsWith(`${node.op}+`));
  const call: KernelCall = {
    name,
    implementation: implementationOf(step),
    layer: node?.origin.layer ?? '',
    part: node?.origin.part ?? 'update',
    threads: step.kind === 'call' ? step.threads : 1,
    reads: reads.map(argumentOf),
    writes: results.map(argumentOf),
    bytes: [...reads, ...results].reduce((sum, { layout }) => sum + layout.size, 0),
    flops: isMain ? 2 * (multiplyAdds(node) ?? 0) : 0,
  };
  known.set(step, call);
  return call;
}

function argumentOf({ layout }: AnyStep['reads'][number]): KernelArgument {
  return { shape: layout.shape, dtype: layout.dtype, layout: String(layout) };
}
