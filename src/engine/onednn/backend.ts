import type { StoredDType } from '../../graph/dtype.js';
import type { Spec } from '../../graph/op.js';
import { numel, type Shape } from '../../graph/shape.js';
import type { Backend, LinkedCalls, Place } from '../planned/backend.js';
import { plainType } from '../planned/layout.js';
import type { CallStep, Operand, ProgramBuffer } from '../planned/steps.js';
import { runKernel } from '../reference/engine.js';
import { type OneDnnCall, PrimitiveCall } from './calls.js';
import {
  ArgBlock,
  args,
  blockSignals,
  MemoryDesc,
  MemoryHandle,
  makeExecutor,
  NativeMemory,
  Primitive,
  restoreSignals,
} from './ffi.js';

type OneDnnStep = CallStep<MemoryDesc, OneDnnCall>;

/** The library has names only for plain layouts of up to this many axes. */
const mostAxes = 5;

/** The row-major layout. A shape with more axes than the library supports becomes one row. */
export function plainLayout({ shape, dtype }: Spec): MemoryDesc {
  return plain(shape, plainType(dtype));
}

function plain(shape: Shape, dtype: StoredDType): MemoryDesc {
  return MemoryDesc.plain(shape.length > mostAxes ? [numel(shape)] : shape, dtype);
}

/** oneDNN for the room that plans and runs programs. */
export class OneDnnBackend implements Backend<MemoryDesc, OneDnnCall, NativeMemory> {
  readonly name = 'onednn';
  readonly plainLayout = plain;
  readonly compute = runKernel;
  readonly generation = 0;

  readonly beginRun = blockSignals;
  readonly endRun = restoreSignals;

  constructor(readonly useThreads: (count: number) => void) {}

  reorder(from: MemoryDesc, to: MemoryDesc): OneDnnCall | null {
    const primitive = Primitive.reorder(from, to);
    return primitive === null ? null : new PrimitiveCall(primitive, [args.src, args.dst]);
  }

  allocate(bytes: number): NativeMemory {
    return new NativeMemory(bytes);
  }

  link(steps: readonly OneDnnStep[]): LinkedCalls<MemoryDesc, OneDnnCall, NativeMemory> {
    return new Linked(steps);
  }
}

/** Handles and argument lists of the kernels, and places of the operands of machine code. */
class Linked implements LinkedCalls<MemoryDesc, OneDnnCall, NativeMemory> {
  readonly #steps: readonly OneDnnStep[];
  readonly #handles = new Map<ProgramBuffer, { readonly layout: MemoryDesc; readonly handle: MemoryHandle }[]>();
  /** The argument lists of all primitives, and the place where each begins. */
  readonly #block: ArgBlock;
  readonly #begins = new Map<OneDnnStep, number>();
  readonly #execute = makeExecutor();

  constructor(steps: readonly OneDnnStep[]) {
    this.#steps = steps;
    const lists: (readonly [number, MemoryHandle])[][] = [];
    let place = 0;
    for (const step of steps) {
      const { call, operands } = step;
      if (call.kind !== 'primitive') continue;
      lists.push(operands.map((operand, i) => [call.args[i], this.#handleOf(operand)] as const));
      this.#begins.set(step, place);
      place += operands.length;
    }
    this.#block = new ArgBlock(lists);
  }

  point(locate: (buffer: ProgramBuffer) => Place<NativeMemory> | null): void {
    for (const [buffer, handles] of this.#handles) {
      const place = locate(buffer);
      if (place !== null) for (const { handle } of handles) handle.point(place.memory, place.offset);
    }
    for (const { call, operands } of this.#steps) {
      if (call.kind !== 'code') continue;
      operands.forEach(({ buffer }, i) => {
        const place = locate(buffer);
        if (place !== null) call.code.point(i, place.memory, place.offset);
      });
    }
  }

  runnerOf(step: OneDnnStep): () => void {
    const { call, threads } = step;
    if (call.kind === 'code') {
      const { code } = call;
      return () => code.run(threads);
    }
    const execute = this.#execute;
    const { primitive } = call;
    const count = step.operands.length;
    const address = this.#block.addressOf(this.#begins.get(step) as number);
    return () => execute(primitive, count, address);
  }

  get bytes(): number {
    return this.#steps.reduce((sum, { call }) => sum + (call.kind === 'code' ? call.code.bytes : 0), 0);
  }

  destroy(): void {
    for (const handles of this.#handles.values()) for (const { handle } of handles) handle.destroy();
  }

  #handleOf({ buffer, layout }: Operand<MemoryDesc>): MemoryHandle {
    const handles = this.#handles.get(buffer) ?? [];
    this.#handles.set(buffer, handles);
    const found = handles.find((entry) => entry.layout.equals(layout));
    if (found !== undefined) return found.handle;
    const handle = new MemoryHandle(layout);
    handles.push({ layout, handle });
    return handle;
  }
}
