import type { LibraryHandle } from 'koffi';
import { EngineError } from '../../../errors.js';
import type { Candidate } from '../library/candidates.js';
import { koffi } from './koffi.js';
import { type Examined, type Opened, openCandidate, openLibrary } from './open.js';
import { loadThreadControl } from './openMp.js';
import type { Address } from './system.js';

function bindAll(library: LibraryHandle) {
  const f = (name: string, result: string, parameters: string[]) => library.func(`dnnl_${name}`, result, parameters);
  const status = (name: string, ...parameters: string[]) => f(name, 'int', parameters);
  const p = 'void*';
  const a = 'uintptr_t';
  return {
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
  readonly library: Opened<ReturnType<typeof bindAll>>;
  readonly engine: Address;
  readonly stream: Address;
  readonly setThreads: ((count: number) => void) | null;
}

let loaded: Loaded | null = null;

/** Loads the library once. */
export function load(): Loaded {
  if (loaded !== null) return loaded;
  const library = openLibrary(bindAll);
  const { api } = library;
  const engine = created((out) => api.engineCreate(out, 1, 0), 'engine');
  const stream = created((out) => api.streamCreate(out, engine, 1), 'stream');
  loaded = { api, library, engine, stream, setThreads: loadThreadControl() };
  return loaded;
}

export function created(create: (out: BigUint64Array) => number, what: string): Address {
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

export function check(status: number, what: string): void {
  if (status !== 0) throw new EngineError(`[onednn] ${what}: ${statusNames[status] ?? `status ${status}`}`);
}

/** The library in use; opens it if need be. */
export const libraryInUse = (): Opened<unknown> => load().library;

/**
 * The library in use; `null` if there is none.
 *
 * @throws {InputError} if the user named a file and it cannot be used
 * @throws {EngineError} if native libraries cannot be called at all
 */
export function findLibrary(): Examined | null {
  koffi();
  try {
    return libraryInUse();
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/** Tries a file. A library that can be used stays open. */
export function examine(candidate: Candidate): Examined {
  const { path, origin, version, problem } = openCandidate(candidate, bindAll);
  return { path, origin, version, problem };
}

/**
 * A unit that multiplies bfloat16: vectors, which may be no faster than with float32, or tiles of a matrix.
 */
export type Bfloat16Unit = 'AVX-512' | 'slow AVX-512' | 'AMX';

/** The library's numbers of instruction sets. */
const instructionSets: readonly (readonly [isa: number, name: string, unit: Bfloat16Unit | null])[] = [
  [0x3e7, 'AVX-512 with AMX', 'AMX'],
  [0xe7, 'AVX-512 with BF16', 'AVX-512'],
  [0x67, 'AVX-512 with VNNI', null],
  [0x27, 'AVX-512', null],
  [0x407, 'AVX2 with VNNI', null],
  [0x7, 'AVX2', null],
  [0x3, 'AVX', null],
  [0x1, 'SSE4.1', null],
];

const effectiveIsa = () => load().api.effectiveIsa() as number;

/** The widest instruction set that the library uses on this processor. */
export function instructionSet(isa = effectiveIsa()): string {
  return instructionSets.find(([known]) => known === isa)?.[1] ?? `isa 0x${isa.toString(16)}`;
}

/** Whether the library, and so generated code, may use these instructions. */
export function hasInstructions(set: 'AVX2' | 'AVX-512' | 'AVX-512 with BF16'): boolean {
  const needed = { AVX2: 0x7, 'AVX-512': 0x27, 'AVX-512 with BF16': 0xe7 }[set];
  return (effectiveIsa() & needed) === needed;
}

/** The unit of this processor with instructions for bfloat16, fast or slow; `null` if there is none. */
export function bfloat16Unit(isa = effectiveIsa()): Bfloat16Unit | null {
  return instructionSets.find(([known]) => known === isa)?.[2] ?? null;
}

/**
 * Sets the number of threads of kernels that are created and run from now on. Returns false if the runtime
 * has no such setting.
 */
export function setThreadCount(count: number): boolean {
  const { setThreads } = load();
  setThreads?.(count);
  return setThreads !== null;
}
