/**
 * oneDNN's C API (2.x) through koffi: the only file that knows pointers, struct sizes and enum values.
 *
 * Descriptors are passed by the C API as structs; here they are opaque bytes that the library's own init functions
 * fill. The API is documented at https://oneapi-src.github.io/oneDNN/v2.6/.
 */
import koffi from 'koffi';
import { EngineError, InternalError, messageOf } from '../../errors.js';
import { bytesPerElement, type DType } from '../../graph/dtype.js';
import type { UnaryFn } from '../../graph/op.js';
import { numel, type Shape } from '../../graph/shape.js';

const memoryDescBytes = 696;
const opDescBytes = 8192; // larger than the largest op descriptor (convolution, 5976)
const maxAxes = 12;
const execArgBytes = 16;

const dataTypes = { float32: 3, int32: 4, uint8: 6 } as const satisfies Record<DType, number>;
const formatAny = 1;
const plainTags = [0, 2, 3, 4, 5, 7] as const; // a, ab, abc, abcd, abcde by number of axes
const props = { training: 64, inference: 96, backward: 128, backwardData: 160 } as const;
const convolutions = { direct: 1, winograd: 2 } as const;
const eltwises: Readonly<Record<UnaryFn | 'linear', number>> = {
  relu: 31,
  leakyRelu: 31,
  tanh: 47,
  square: 79,
  abs: 95,
  sqrt: 111,
  linear: 127,
  sigmoid: 175,
  exp: 191,
  log: 239,
};
/** Variants whose gradient is computed from the output. */
const eltwisesFromOutput: Readonly<Partial<Record<UnaryFn, number>>> = {
  relu: 256,
  leakyRelu: 256,
  tanh: 257,
  sigmoid: 260,
};
const poolings = { max: 511, avgIncludePad: 767, avgExcludePad: 1023 } as const;
const binaries = { add: 131056, mul: 131057, max: 131058, min: 131059, div: 131060, sub: 131061 } as const;
const reductions = { max: 196594, min: 196595, sum: 196596, mean: 196598 } as const;
const softmaxes = { softmax: 196608, logSoftmax: 196609 } as const;
const normFlags = { globalStatistics: 1, relu: 4, scale: 8, shift: 16 } as const;
const scratchpadUser = 1;
const statusUnimplemented = 3;
const postOpArgBase = 16384;

/** Names of execution arguments. */
export const args = {
  src: 1,
  src1: 2,
  dst: 17,
  weights: 33,
  bias: 41,
  mean: 49,
  variance: 50,
  scale: 51,
  shift: 52,
  workspace: 64,
  scratchpad: 80,
  diffSrc: 129,
  diffDst: 145,
  diffWeights: 161,
  diffBias: 169,
  diffScale: 255,
  diffShift: 256,
} as const;

/** Argument of input `i` of a concat. */
export function multipleSrc(i: number): number {
  return 1024 + i;
}

/** Argument of the second operand of the binary post-op at place `i`. */
export function postOpSrc(i: number): number {
  return (postOpArgBase * (i + 1)) | args.src1;
}

const queries = {
  src: 129,
  diffSrc: 130,
  weights: 131,
  diffWeights: 132,
  dst: 133,
  diffDst: 134,
  workspace: 135,
  scratchpad: 136,
} as const;
const queryImplementation = 8;

// Addresses are below 2^53, so plain numbers carry them; koffi passes numbers faster than BigInts.
type Address = number;

function bindAll(path: string) {
  const library = koffi.load(path);
  const f = (name: string, result: string, parameters: string[]) => library.func(`dnnl_${name}`, result, parameters);
  const status = (name: string, ...parameters: string[]) => f(name, 'int', parameters);
  const p = 'void*';
  const a = 'uintptr_t';
  return {
    version: f('version', a, []),
    effectiveIsa: f('get_effective_cpu_isa', 'int', []),
    engineCreate: status('engine_create', p, 'int', 'size_t'),
    streamCreate: status('stream_create', p, a, 'uint'),
    mdByTag: status('memory_desc_init_by_tag', p, 'int', p, 'int', 'int'),
    mdByStrides: status('memory_desc_init_by_strides', p, 'int', p, 'int', p),
    mdSub: status('memory_desc_init_submemory', p, p, p, p),
    mdReshape: status('memory_desc_reshape', p, p, 'int', p),
    mdPermute: status('memory_desc_permute_axes', p, p, p),
    mdEqual: f('memory_desc_equal', 'int', [p, p]),
    mdSize: f('memory_desc_get_size', 'size_t', [p]),
    memoryCreate: status('memory_create', p, p, a, a),
    memorySetHandle: status('memory_set_data_handle', a, a),
    memoryDestroy: status('memory_destroy', a),
    attrCreate: status('primitive_attr_create', p),
    attrDestroy: status('primitive_attr_destroy', a),
    attrScratchpad: status('primitive_attr_set_scratchpad_mode', a, 'int'),
    attrScales: status('primitive_attr_set_scales', a, 'int', 'int64', 'int', p),
    attrPostOps: status('primitive_attr_set_post_ops', a, a),
    postOpsCreate: status('post_ops_create', p),
    postOpsDestroy: status('post_ops_destroy', a),
    postOpsSum: status('post_ops_append_sum', a, 'float'),
    postOpsEltwise: status('post_ops_append_eltwise', a, 'float', 'int', 'float', 'float'),
    postOpsBinary: status('post_ops_append_binary', a, 'int', p),
    pdCreate: status('primitive_desc_create', p, p, a, a, a),
    pdReorder: status('reorder_primitive_desc_create', p, p, a, p, a, a),
    pdConcat: status('concat_primitive_desc_create', p, p, 'int', 'int', p, a, a),
    pdDestroy: status('primitive_desc_destroy', a),
    pdQueryMd: f('primitive_desc_query_md', a, [a, 'int', 'int']),
    pdQuery: status('primitive_desc_query', a, 'int', 'int', p),
    primitiveCreate: status('primitive_create', p, a),
    primitiveDestroy: status('primitive_destroy', a),
    execute: status('primitive_execute', a, a, 'int', a) as (
      primitive: Address,
      stream: Address,
      count: number,
      argBlock: Address,
    ) => number,
    convForward: status('dilated_convolution_forward_desc_init', p, 'int', 'int', p, p, p, p, p, p, p, p),
    convBackwardData: status('dilated_convolution_backward_data_desc_init', p, 'int', p, p, p, p, p, p, p),
    convBackwardWeights: status('dilated_convolution_backward_weights_desc_init', p, 'int', p, p, p, p, p, p, p, p),
    linearForward: status('inner_product_forward_desc_init', p, 'int', p, p, p, p),
    linearBackwardData: status('inner_product_backward_data_desc_init', p, p, p, p),
    linearBackwardWeights: status('inner_product_backward_weights_desc_init', p, p, p, p, p),
    poolForward: status('pooling_v2_forward_desc_init', p, 'int', 'int', p, p, p, p, p, p, p),
    poolBackward: status('pooling_v2_backward_desc_init', p, 'int', p, p, p, p, p, p, p),
    normForward: status('batch_normalization_forward_desc_init', p, 'int', p, 'float', 'uint'),
    normBackward: status('batch_normalization_backward_desc_init', p, 'int', p, p, 'float', 'uint'),
    eltwiseForward: status('eltwise_forward_desc_init', p, 'int', 'int', p, 'float', 'float'),
    eltwiseBackward: status('eltwise_backward_desc_init', p, 'int', p, p, 'float', 'float'),
    binary: status('binary_desc_init', p, 'int', p, p, p),
    reduction: status('reduction_desc_init', p, 'int', p, p, 'float', 'float'),
    softmaxForward: status('softmax_v2_forward_desc_init', p, 'int', 'int', p, p, 'int'),
    softmaxBackward: status('softmax_v2_backward_desc_init', p, 'int', p, p, p, 'int'),
  };
}

interface Loaded {
  readonly api: ReturnType<typeof bindAll>;
  readonly engine: Address;
  readonly stream: Address;
  readonly version: readonly [number, number, number];
  readonly setThreads: ((count: number) => void) | null;
}

const libc = koffi.load(process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6');
const alignedAlloc = libc.func('aligned_alloc', 'uintptr_t', ['size_t', 'size_t']);
const free = libc.func('free', 'void', ['uintptr_t']);
const memcpy = libc.func('memcpy', 'uintptr_t', ['void*', 'uintptr_t', 'size_t']);
const madvise = libc.func('madvise', 'int', ['uintptr_t', 'size_t', 'int']);

let loaded: Loaded | null = null;

export const installCommand = 'sudo apt-get install libdnnl2';

/** Loads the library once. `FOVEA_ONEDNN` may name its file. */
function load(): Loaded {
  if (loaded !== null) return loaded;
  const path = process.env.FOVEA_ONEDNN || (process.platform === 'darwin' ? 'libdnnl.2.dylib' : 'libdnnl.so.2');
  let api: ReturnType<typeof bindAll>;
  try {
    // The library's threads wait inside it after the last call; unloading it under them would crash at exit.
    const nowAndNeverUnload = 0x1002;
    shortenSpinning(() => libc.func('dlopen', 'uintptr_t', ['str', 'int'])(path, nowAndNeverUnload));
    api = bindAll(path);
  } catch (error) {
    throw new EngineError(
      `[onednn] library: expected oneDNN 2.x as ${path}, but it could not be loaded (${messageOf(error)}); ` +
        `install it with: ${installCommand}`,
      { cause: error },
    );
  }
  const version = koffi.decode(BigInt(api.version()), koffi.array('int', 3, 'Array')) as [number, number, number];
  if (version[0] !== 2 || version[1] < 6) {
    throw new EngineError(
      `[onednn] library version: expected 2.6 or later 2.x, got ${version.join('.')} (${path}); ` +
        `install it with: ${installCommand}`,
    );
  }
  const engine = created((out) => api.engineCreate(out, 1, 0), 'engine');
  const stream = created((out) => api.streamCreate(out, engine, 1), 'stream');
  loaded = { api, engine, stream, version, setThreads: loadThreadControl() };
  return loaded;
}

/**
 * Loads the OpenMP runtime with threads that wait actively for some 0.2 ms and then sleep. By default they spin for
 * longer than a time slice, so that a kernel of microseconds takes milliseconds as soon as another process wants a core.
 * What the user has set stands.
 */
function shortenSpinning(loadRuntime: () => void): void {
  const { env } = process;
  if (env.GOMP_SPINCOUNT !== undefined || env.OMP_WAIT_POLICY !== undefined) {
    loadRuntime();
    return;
  }
  env.GOMP_SPINCOUNT = '10000';
  loadRuntime();
  // The runtime has read it by now; processes that are started later need not inherit it.
  delete env.GOMP_SPINCOUNT;
}

/** Debian's build runs on GNU OpenMP; a build on another runtime keeps its own number of threads. */
function loadThreadControl(): ((count: number) => void) | null {
  try {
    return koffi.load('libgomp.so.1').func('omp_set_num_threads', 'void', ['int']);
  } catch {
    return null;
  }
}

function created(create: (out: BigUint64Array) => number, what: string): Address {
  const out = new BigUint64Array(1);
  check(create(out), what);
  return Number(out[0]);
}

const statusNames = [
  'success',
  'out of memory',
  'invalid arguments',
  'unimplemented',
  'iterator ends',
  'runtime error',
];

function check(status: number, what: string): void {
  if (status !== 0) throw new EngineError(`[onednn] ${what}: ${statusNames[status] ?? `status ${status}`}`);
}

export function libraryVersion(): string {
  return load().version.join('.');
}

/** The widest instruction set that the library uses on this processor. */
export function instructionSet(): string {
  const names: readonly [number, string][] = [
    [0x3e7, 'AVX-512 with AMX'],
    [0xe7, 'AVX-512 with BF16'],
    [0x67, 'AVX-512 with VNNI'],
    [0x27, 'AVX-512'],
    [0x407, 'AVX2 with VNNI'],
    [0x7, 'AVX2'],
    [0x3, 'AVX'],
    [0x1, 'SSE4.1'],
  ];
  const isa = load().api.effectiveIsa() as number;
  return names.find(([bits]) => bits === isa)?.[1] ?? `isa 0x${isa.toString(16)}`;
}

/** Number of threads of what is created and run from now on. Returns false where the runtime cannot be told. */
export function setThreadCount(count: number): boolean {
  const { setThreads } = load();
  setThreads?.(count);
  return setThreads !== null;
}

function dims(values: Shape): BigInt64Array {
  const array = new BigInt64Array(maxAxes);
  for (let i = 0; i < values.length; i++) array[i] = BigInt(values[i]);
  return array;
}

/** Shape, element type and layout of a piece of memory; immutable. */
export class MemoryDesc {
  #size = -1;

  private constructor(
    /** @internal */
    readonly bytes: Uint8Array,
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}

  /** Row-major. A scalar becomes one axis of size 1. */
  static plain(shape: Shape, dtype: DType): MemoryDesc {
    const axes = shape.length === 0 ? [1] : shape;
    if (axes.length > 5) throw new InternalError(`plain layout of ${axes.length} axes`);
    return MemoryDesc.#byTag(axes, dtype, plainTags[axes.length]);
  }

  /** Whatever layout the primitive likes best. */
  static any(shape: Shape, dtype: DType = 'float32'): MemoryDesc {
    return MemoryDesc.#byTag(shape, dtype, formatAny);
  }

  /** "No such argument", e.g. no bias. */
  static none(): MemoryDesc {
    return new MemoryDesc(new Uint8Array(memoryDescBytes), [], 'float32');
  }

  static strided(shape: Shape, strides: readonly number[], dtype: DType): MemoryDesc {
    const bytes = new Uint8Array(memoryDescBytes);
    check(
      load().api.mdByStrides(bytes, shape.length, dims(shape), dataTypes[dtype], dims(strides)),
      'strided memory descriptor',
    );
    return new MemoryDesc(bytes, shape, dtype);
  }

  static #byTag(shape: Shape, dtype: DType, tag: number): MemoryDesc {
    const bytes = new Uint8Array(memoryDescBytes);
    check(load().api.mdByTag(bytes, shape.length, dims(shape), dataTypes[dtype], tag), 'memory descriptor');
    return new MemoryDesc(bytes, shape, dtype);
  }

  /** @internal Reads a descriptor that the library owns; `null` where there is none. */
  static at(address: Address): MemoryDesc | null {
    if (address === 0) return null;
    const bytes = new Uint8Array(memoryDescBytes);
    memcpy(bytes, address, memoryDescBytes);
    const fields = new DataView(bytes.buffer);
    const rank = fields.getInt32(0, true);
    if (rank === 0) return null;
    const shape = Array.from({ length: rank }, (_, i) => Number(fields.getBigInt64(8 + 8 * i, true)));
    const type = fields.getInt32(104, true);
    const dtype = (Object.keys(dataTypes) as DType[]).find((name) => dataTypes[name] === type) ?? 'uint8';
    return new MemoryDesc(bytes, shape, dtype);
  }

  /** Bytes of memory, padding included. */
  get size(): number {
    if (this.#size < 0) this.#size = Number(load().api.mdSize(this.bytes));
    return this.#size;
  }

  equals(other: MemoryDesc): boolean {
    return this === other || load().api.mdEqual(this.bytes, other.bytes) !== 0;
  }

  isPlain(): boolean {
    return this.shape.length <= 5 && this.equals(MemoryDesc.plain(this.shape, this.dtype));
  }

  /** Axis i of this becomes axis `permutation[i]` of the result; same memory. */
  permuted(permutation: readonly number[]): MemoryDesc {
    const bytes = new Uint8Array(memoryDescBytes);
    check(load().api.mdPermute(bytes, this.bytes, Int32Array.from(permutation)), 'permuted memory descriptor');
    const shape = new Array<number>(permutation.length);
    permutation.forEach((axis, i) => {
      shape[axis] = this.shape[i];
    });
    return new MemoryDesc(bytes, shape, this.dtype);
  }

  /** A box inside this memory; `null` where the layout does not allow it. */
  sub(shape: Shape, offsets: readonly number[]): MemoryDesc | null {
    const bytes = new Uint8Array(memoryDescBytes);
    if (load().api.mdSub(bytes, this.bytes, dims(shape), dims(offsets)) !== 0) return null;
    return new MemoryDesc(bytes, shape, this.dtype);
  }

  /** Whether the layout has room for more elements than the shape, as blocks that do not come out even have. */
  isPadded(): boolean {
    return this.size > numel(this.shape) * bytesPerElement(this.dtype);
  }

  /** The layout in oneDNN's notation: axes from outermost to innermost, blocked ones in capitals (`aBcd16b`). */
  toString(): string {
    const fields = new DataView(this.bytes.buffer, this.bytes.byteOffset);
    const kind = fields.getInt32(312, true);
    if (kind === 1) return 'any';
    if (kind !== 2) return 'opaque';
    const axes = this.shape.map((_, i) => i);
    const stride = (i: number) => Number(fields.getBigInt64(320 + 8 * i, true));
    const blocks = Array.from({ length: fields.getInt32(416, true) }, (_, i) => ({
      size: Number(fields.getBigInt64(424 + 8 * i, true)),
      axis: Number(fields.getBigInt64(520 + 8 * i, true)),
    }));
    const letter = (axis: number) => String.fromCharCode(97 + axis);
    const outer = axes
      .sort((i, j) => stride(j) - stride(i) || i - j)
      .map((axis) => (blocks.some((block) => block.axis === axis) ? letter(axis).toUpperCase() : letter(axis)));
    return outer.join('') + blocks.map(({ size, axis }) => `${size}${letter(axis)}`).join('');
  }
}

/** What a kernel applies to its result before storing it. */
export type PostOp =
  | { readonly kind: 'eltwise'; readonly fn: UnaryFn | 'linear'; readonly alpha: number; readonly beta: number }
  | { readonly kind: 'binary'; readonly fn: keyof typeof binaries; readonly operand: MemoryDesc }
  | { readonly kind: 'sum'; readonly scale: number };

export interface Attributes {
  /** Factors for the operands of a binary primitive, by argument. */
  readonly scales?: readonly (readonly [argument: number, factor: number])[];
  readonly postOps?: readonly PostOp[];
}

function withAttributes<T>({ scales = [], postOps = [] }: Attributes, body: (attr: Address) => T): T {
  const { api } = load();
  const attr = created((out) => api.attrCreate(out), 'attributes');
  const ops = created((out) => api.postOpsCreate(out), 'post-ops');
  try {
    check(api.attrScratchpad(attr, scratchpadUser), 'scratchpad mode');
    for (const [argument, factor] of scales) {
      check(api.attrScales(attr, argument, 1, 0, Float32Array.of(factor)), 'scales');
    }
    for (const op of postOps) {
      if (op.kind === 'sum') check(api.postOpsSum(ops, op.scale), 'sum post-op');
      else if (op.kind === 'binary') {
        check(api.postOpsBinary(ops, binaries[op.fn], op.operand.bytes), 'binary post-op');
      } else check(api.postOpsEltwise(ops, 1, eltwises[op.fn], op.alpha, op.beta), 'eltwise post-op');
    }
    check(api.attrPostOps(attr, ops), 'post-ops');
    return body(attr);
  } finally {
    api.postOpsDestroy(ops);
    api.attrDestroy(attr);
  }
}

/** A kernel of the library, chosen and generated for given shapes. */
export class Primitive {
  private constructor(
    /** @internal */
    readonly handle: Address,
    /** @internal */
    readonly desc: Address,
  ) {}

  /** `null` where the library has no such kernel. */
  static create(opDesc: Uint8Array, attributes: Attributes = {}, hint: Primitive | null = null): Primitive | null {
    const { api, engine } = load();
    return Primitive.#from(attributes, (out, attr) => api.pdCreate(out, opDesc, attr, engine, hint?.desc ?? 0));
  }

  static reorder(from: MemoryDesc, to: MemoryDesc): Primitive | null {
    const { api, engine } = load();
    return Primitive.#from({}, (out, attr) => api.pdReorder(out, from.bytes, engine, to.bytes, engine, attr));
  }

  static concat(inputs: readonly MemoryDesc[], axis: number): Primitive | null {
    const { api, engine } = load();
    const descs = new Uint8Array(inputs.length * memoryDescBytes);
    inputs.forEach((input, i) => {
      descs.set(input.bytes, i * memoryDescBytes);
    });
    return Primitive.#from({}, (out, attr) => api.pdConcat(out, null, inputs.length, axis, descs, attr, engine));
  }

  static #from(attributes: Attributes, create: (out: BigUint64Array, attr: Address) => number): Primitive | null {
    const { api } = load();
    const out = new BigUint64Array(1);
    const status = withAttributes(attributes, (attr) => create(out, attr));
    if (status === statusUnimplemented) return null;
    check(status, 'primitive descriptor');
    const desc = Number(out[0]);
    return new Primitive(
      created((handle) => api.primitiveCreate(handle, desc), 'primitive'),
      desc,
    );
  }

  /** Layout of an argument as the kernel wants it. */
  layout(which: keyof typeof queries): MemoryDesc {
    const desc = this.optionalLayout(which);
    if (desc === null) throw new InternalError(`primitive without ${which}`);
    return desc;
  }

  /** Layout of an argument that may not exist (workspace, scratchpad). */
  optionalLayout(which: keyof typeof queries): MemoryDesc | null {
    return MemoryDesc.at(load().api.pdQueryMd(this.desc, queries[which], 0));
  }

  /** The library's name of the kernel, e.g. `jit:avx512_core`. */
  get implementation(): string {
    const out = new BigUint64Array(1);
    check(load().api.pdQuery(this.desc, queryImplementation, 0, out), 'query');
    return koffi.decode.string(out[0]);
  }

  destroy(): void {
    const { api } = load();
    api.primitiveDestroy(this.handle);
    api.pdDestroy(this.desc);
  }
}

function opDesc(init: (bytes: Uint8Array) => number): Uint8Array {
  const bytes = new Uint8Array(opDescBytes);
  const status = init(bytes);
  check(status, 'operation descriptor');
  return bytes;
}

export interface ConvGeometry {
  readonly stride: Shape;
  /** As oneDNN counts: 0 for a dense kernel. */
  readonly dilation: Shape;
  readonly padBefore: Shape;
  readonly padAfter: Shape;
}

export interface PoolGeometry {
  readonly kernel: Shape;
  readonly stride: Shape;
  readonly padBefore: Shape;
  readonly padAfter: Shape;
}

const geometry = ({ stride, dilation, padBefore, padAfter }: ConvGeometry) =>
  [dims(stride), dims(dilation), dims(padBefore), dims(padAfter)] as const;

const poolGeometry = ({ kernel, stride, padBefore, padAfter }: PoolGeometry) =>
  [dims(stride), dims(kernel), dims([0, 0]), dims(padBefore), dims(padAfter)] as const;

export type ConvAlgorithm = keyof typeof convolutions;
export type ForwardProp = 'training' | 'inference';
export type Pooling = keyof typeof poolings;
export type BinaryKernel = keyof typeof binaries;
export type NormFlags = Partial<Record<keyof typeof normFlags, boolean>>;

const flagBits = (flags: NormFlags) =>
  (Object.keys(normFlags) as (keyof typeof normFlags)[]).reduce(
    (bits, name) => (flags[name] ? bits | normFlags[name] : bits),
    0,
  );

/** Descriptors of operations, one function for each kind. */
export const describe = {
  convForward: (
    prop: ForwardProp,
    algorithm: ConvAlgorithm,
    [src, weights, bias, dst]: readonly MemoryDesc[],
    shape: ConvGeometry,
  ) =>
    opDesc((d) =>
      load().api.convForward(
        d,
        props[prop],
        convolutions[algorithm],
        src.bytes,
        weights.bytes,
        bias.bytes,
        dst.bytes,
        ...geometry(shape),
      ),
    ),
  convBackwardData: (
    algorithm: ConvAlgorithm,
    [diffSrc, weights, diffDst]: readonly MemoryDesc[],
    shape: ConvGeometry,
  ) =>
    opDesc((d) =>
      load().api.convBackwardData(
        d,
        convolutions[algorithm],
        diffSrc.bytes,
        weights.bytes,
        diffDst.bytes,
        ...geometry(shape),
      ),
    ),
  convBackwardWeights: (
    algorithm: ConvAlgorithm,
    [src, diffWeights, diffBias, diffDst]: readonly MemoryDesc[],
    shape: ConvGeometry,
  ) =>
    opDesc((d) =>
      load().api.convBackwardWeights(
        d,
        convolutions[algorithm],
        src.bytes,
        diffWeights.bytes,
        diffBias.bytes,
        diffDst.bytes,
        ...geometry(shape),
      ),
    ),
  linearForward: (prop: ForwardProp, [src, weights, bias, dst]: readonly MemoryDesc[]) =>
    opDesc((d) => load().api.linearForward(d, props[prop], src.bytes, weights.bytes, bias.bytes, dst.bytes)),
  linearBackwardData: ([diffSrc, weights, diffDst]: readonly MemoryDesc[]) =>
    opDesc((d) => load().api.linearBackwardData(d, diffSrc.bytes, weights.bytes, diffDst.bytes)),
  linearBackwardWeights: ([src, diffWeights, diffBias, diffDst]: readonly MemoryDesc[]) =>
    opDesc((d) => load().api.linearBackwardWeights(d, src.bytes, diffWeights.bytes, diffBias.bytes, diffDst.bytes)),
  poolForward: (prop: ForwardProp, pooling: Pooling, src: MemoryDesc, dst: MemoryDesc, shape: PoolGeometry) =>
    opDesc((d) =>
      load().api.poolForward(d, props[prop], poolings[pooling], src.bytes, dst.bytes, ...poolGeometry(shape)),
    ),
  poolBackward: (pooling: Pooling, diffSrc: MemoryDesc, diffDst: MemoryDesc, shape: PoolGeometry) =>
    opDesc((d) => load().api.poolBackward(d, poolings[pooling], diffSrc.bytes, diffDst.bytes, ...poolGeometry(shape))),
  normForward: (prop: ForwardProp, data: MemoryDesc, epsilon: number, flags: NormFlags) =>
    opDesc((d) => load().api.normForward(d, props[prop], data.bytes, epsilon, flagBits(flags))),
  normBackward: (diffData: MemoryDesc, data: MemoryDesc, epsilon: number, flags: NormFlags) =>
    opDesc((d) => load().api.normBackward(d, props.backward, diffData.bytes, data.bytes, epsilon, flagBits(flags))),
  eltwiseForward: (fn: UnaryFn | 'linear', data: MemoryDesc, alpha: number, beta: number) =>
    opDesc((d) => load().api.eltwiseForward(d, props.training, eltwises[fn], data.bytes, alpha, beta)),
  /** Gradient from the output; undefined for functions that have none in the library. */
  eltwiseBackward: (fn: UnaryFn, diffData: MemoryDesc, data: MemoryDesc, alpha: number) =>
    opDesc((d) => {
      const algorithm = eltwisesFromOutput[fn];
      if (algorithm === undefined) throw new InternalError(`gradient of ${fn} from its output`);
      return load().api.eltwiseBackward(d, algorithm, diffData.bytes, data.bytes, alpha, 0);
    }),
  binary: (fn: BinaryKernel, a: MemoryDesc, b: MemoryDesc, dst: MemoryDesc) =>
    opDesc((d) => load().api.binary(d, binaries[fn], a.bytes, b.bytes, dst.bytes)),
  reduction: (fn: keyof typeof reductions, src: MemoryDesc, dst: MemoryDesc) =>
    opDesc((d) => load().api.reduction(d, reductions[fn], src.bytes, dst.bytes, 0, 0)),
  softmaxForward: (kind: keyof typeof softmaxes, src: MemoryDesc, dst: MemoryDesc, axis: number) =>
    opDesc((d) => load().api.softmaxForward(d, props.training, softmaxes[kind], src.bytes, dst.bytes, axis)),
  softmaxBackward: (
    kind: keyof typeof softmaxes,
    diffSrc: MemoryDesc,
    diffDst: MemoryDesc,
    dst: MemoryDesc,
    axis: number,
  ) => opDesc((d) => load().api.softmaxBackward(d, softmaxes[kind], diffSrc.bytes, diffDst.bytes, dst.bytes, axis)),
};

/** A block of memory outside JavaScript's heap, aligned for the kernels. Whoever made it frees it. */
export class NativeMemory {
  readonly #address: Address;
  #freed = false;

  constructor(readonly bytes: number) {
    const hugePage = 1 << 21;
    const alignment = bytes >= hugePage ? hugePage : 64;
    const rounded = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    this.#address = alignedAlloc(alignment, rounded);
    if (this.#address === 0) {
      throw new EngineError(`[onednn] memory: could not allocate ${Math.ceil(bytes / 2 ** 20)} MiB`);
    }
    const adviseHugePages = 14;
    if (alignment === hugePage && process.platform === 'linux') madvise(this.#address, rounded, adviseHugePages);
  }

  /** JavaScript's view of a part (up to 4 GiB). It must not be used after {@link free}. */
  view(offset: number, bytes: number): ArrayBuffer {
    if (offset < 0 || offset + bytes > this.bytes) throw new InternalError('view outside of native memory');
    return koffi.view(BigInt(this.addressAt(offset)), bytes);
  }

  /** @internal */
  addressAt(offset: number): Address {
    if (this.#freed) throw new InternalError('native memory used after free');
    return this.#address + offset;
  }

  free(): void {
    if (!this.#freed) free(this.#address);
    this.#freed = true;
  }
}

/** The library's handle for a piece of memory in some layout. */
export class MemoryHandle {
  /** @internal */
  readonly handle: Address;

  constructor(desc: MemoryDesc) {
    const { api, engine } = load();
    this.handle = created((out) => api.memoryCreate(out, desc.bytes, engine, 0), 'memory');
  }

  point(memory: NativeMemory, offset: number): void {
    check(load().api.memorySetHandle(this.handle, memory.addressAt(offset)), 'memory handle');
  }

  destroy(): void {
    load().api.memoryDestroy(this.handle);
  }
}

/** Argument lists of many calls in one block that the library reads directly. */
export class ArgBlock {
  readonly #bytes: Uint8Array;
  readonly #address: Address;

  constructor(lists: readonly (readonly (readonly [argument: number, memory: MemoryHandle])[])[]) {
    const total = lists.reduce((sum, list) => sum + list.length, 0);
    // Small typed arrays live on the moving heap; a large one keeps its address.
    this.#bytes = new Uint8Array(Math.max(1024, total * execArgBytes));
    this.#address = Number(koffi.address(this.#bytes));
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
