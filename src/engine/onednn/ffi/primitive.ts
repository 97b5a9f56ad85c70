import { InternalError } from '../../../errors.js';
import type { Scale } from './dialect.js';
import {
  args,
  type binaries,
  type EltwiseKernel,
  execArgBytes,
  queries,
  queryImplementation,
  queryInputCount,
  scratchpadUser,
  statusUnimplemented,
} from './enums.js';
import { familyOf, type KernelFamily } from './kernelFamily.js';
import { koffi } from './koffi.js';
import { load } from './library.js';
import type { MemoryHandle } from './memory.js';
import { MemoryDesc } from './memoryDesc.js';
import type { Operation } from './operation.js';
import { check, created } from './status.js';
import type { Address } from './system.js';

/** An operation that a kernel applies to its result before storing it. */
export type PostOp =
  | { readonly kind: 'eltwise'; readonly fn: EltwiseKernel; readonly alpha: number; readonly beta: number }
  | { readonly kind: 'binary'; readonly fn: keyof typeof binaries; readonly operand: MemoryDesc }
  | { readonly kind: 'sum'; readonly scale: number };

export interface Attributes {
  /** Factors for the operands of a binary primitive, by argument. */
  readonly scales?: readonly Scale[];
  readonly postOps?: readonly PostOp[];
}

function withAttributes<T>({ scales = [], postOps = [] }: Attributes, body: (attr: Address) => T): T {
  const { api, dialect } = load();
  const attr = created((out) => api.attrCreate(out), 'attributes');
  const ops = created((out) => api.postOpsCreate(out), 'post-ops');
  try {
    check(api.attrScratchpad(attr, scratchpadUser), 'scratchpad mode');
    for (const scale of scales) check(dialect.setScale(attr, scale), 'scales');
    for (const op of postOps) {
      if (op.kind === 'sum') check(dialect.appendSum(ops, op.scale), 'sum post-op');
      else if (op.kind === 'binary') check(dialect.appendBinary(ops, op.fn, op.operand), 'binary post-op');
      else check(dialect.appendEltwise(ops, op.fn, op.alpha, op.beta), 'eltwise post-op');
    }
    check(api.attrPostOps(attr, ops), 'post-ops');
    return body(attr);
  } finally {
    api.postOpsDestroy(ops);
    api.attrDestroy(attr);
  }
}

/** Argument of the second operand of the binary post-op at place `i`. */
export function postOpSrc(i: number): number {
  return (load().dialect.postOpArgBase * (i + 1)) | args.src1;
}

/** In some releases factors are a part of the kernel, in others an argument of every call. */
function factorsOf({ scales = [] }: Attributes): Scale[] {
  const { dialect } = load();
  return scales.flatMap(([argument, factor]) => {
    const place = dialect.scaleArgument(argument);
    return place === null ? [] : [[place, factor] as const];
  });
}

let live = 0;

/** Number of primitives that the library holds for this process. */
export const livePrimitives = (): number => live;

/** A kernel of the library, chosen and generated for given shapes. Its owner destroys it. */
export class Primitive {
  private constructor(
    /** @internal */
    readonly handle: Address,
    /** @internal */
    readonly desc: Address,
    /** Factors for operands that the kernel reads from memory, with their arguments. */
    readonly factors: readonly Scale[],
  ) {}

  /** `null` where the library has no such kernel. */
  static create(operation: Operation, attributes: Attributes = {}, hint: Primitive | null = null): Primitive | null {
    const { dialect } = load();
    return Primitive.#from(attributes, (out, attr) => dialect.create(out, operation, attr, hint?.desc ?? 0));
  }

  static reorder(from: MemoryDesc, to: MemoryDesc): Primitive | null {
    const { dialect } = load();
    return Primitive.#from({}, (out, attr) => dialect.createReorder(out, from, to, attr));
  }

  static concat(inputs: readonly MemoryDesc[], axis: number): Primitive | null {
    const { dialect } = load();
    return Primitive.#from({}, (out, attr) => dialect.createConcat(out, inputs, axis, attr));
  }

  static #from(attributes: Attributes, create: (out: BigUint64Array, attr: Address) => number): Primitive | null {
    const { api } = load();
    const out = new BigUint64Array(1);
    const status = withAttributes(attributes, (attr) => create(out, attr));
    if (status === statusUnimplemented) return null;
    check(status, 'primitive descriptor');
    const desc = Number(out[0]);
    const handle = created((out) => api.primitiveCreate(out, desc), 'primitive');
    live++;
    return new Primitive(handle, desc, factorsOf(attributes));
  }

  /** The layout of an argument that the kernel requires. */
  layout(which: keyof typeof queries): MemoryDesc {
    const desc = this.optionalLayout(which);
    if (desc === null) throw new InternalError(`primitive without ${which}`);
    return desc;
  }

  /** Layout of an argument that may not exist (workspace, scratchpad). */
  optionalLayout(which: keyof typeof queries): MemoryDesc | null {
    return MemoryDesc.at(load().api.pdQueryMd(this.desc, queries[which], 0));
  }

  /** Number of operands that the kernel reads, without factors and working memory. */
  get inputCount(): number {
    const out = new Int32Array(1);
    check(load().api.pdQuery(this.desc, queryInputCount, 0, out), 'query');
    return out[0];
  }

  /**
   * The library's name of the kernel for people, e.g. `jit:avx512_core`. Code uses {@link family} instead.
   */
  get implementation(): string {
    const out = new BigUint64Array(1);
    check(load().api.pdQuery(this.desc, queryImplementation, 0, out), 'query');
    return koffi().decode.string(out[0]);
  }

  get family(): KernelFamily {
    return familyOf(this.implementation);
  }

  get isWinograd(): boolean {
    const { family } = this;
    return family === 'winograd2x2' || family === 'winograd4x4';
  }

  destroy(): void {
    const { api } = load();
    api.primitiveDestroy(this.handle);
    api.pdDestroy(this.desc);
    live--;
  }
}

/** Argument lists of many calls in one block that the library reads directly. */
export class ArgBlock {
  readonly #bytes: Uint8Array;
  readonly #address: Address;

  constructor(lists: readonly (readonly (readonly [argument: number, memory: MemoryHandle])[])[]) {
    const total = lists.reduce((sum, list) => sum + list.length, 0);
    // Small typed arrays are on the heap, which moves them; a large one keeps its address.
    this.#bytes = new Uint8Array(Math.max(1024, total * execArgBytes));
    this.#address = Number(koffi().address(this.#bytes));
    const fields = new DataView(this.#bytes.buffer);
    let place = 0;
    for (const list of lists) {
      for (const [argument, memory] of list) {
        fields.setInt32(place, argument, true);
        fields.setBigUint64(place + 8, BigInt(memory.handle), true);
        place += execArgBytes;
      }
    }
  }

  /** Address of the argument `index` places from the start. */
  addressOf(index: number): Address {
    return this.#address + index * execArgBytes;
  }
}

/** Runs a primitive. `argAddress` comes from {@link ArgBlock.addressOf}. */
export function makeExecutor(): (primitive: Primitive, count: number, argAddress: number) => void {
  const { api, stream } = load();
  const { execute } = api;
  return (primitive, count, argAddress) => {
    const status = execute(primitive.handle, stream, count, argAddress);
    if (status !== 0) check(status, `execution of ${primitive.implementation}`);
  };
}
