import type { LibraryHandle } from 'koffi';
import type { Address } from './system.js';

/** A pointer to memory of JavaScript, and an address. */
export const [pointer, address] = ['void*', 'uintptr_t'];

/** Functions of the library by their names without the prefix. */
export function functionsOf(library: LibraryHandle) {
  const returning = (result: string, name: string, parameters: readonly string[]) =>
    library.func(`dnnl_${name}`, result, [...parameters]);
  /** A function that returns a status. */
  const status = (name: string, ...parameters: readonly string[]) => returning('int', name, parameters);
  return { returning, status };
}

export type Functions = ReturnType<typeof functionsOf>;

/** The functions that are the same in all releases from 2.6 on. */
export function bindShared({ returning, status }: Functions) {
  const [p, a] = [pointer, address];
  return {
    effectiveIsa: returning('int', 'get_effective_cpu_isa', []),
    engineCreate: status('engine_create', p, 'int', 'size_t'),
    streamCreate: status('stream_create', p, a, 'uint'),
    memorySetHandle: status('memory_set_data_handle', a, a),
    memoryDestroy: status('memory_destroy', a),
    attrCreate: status('primitive_attr_create', p),
    attrDestroy: status('primitive_attr_destroy', a),
    attrScratchpad: status('primitive_attr_set_scratchpad_mode', a, 'int'),
    attrPostOps: status('primitive_attr_set_post_ops', a, a),
    postOpsCreate: status('post_ops_create', p),
    postOpsDestroy: status('post_ops_destroy', a),
    pdDestroy: status('primitive_desc_destroy', a),
    pdQueryMd: returning(a, 'primitive_desc_query_md', [a, 'int', 'int']),
    pdQuery: status('primitive_desc_query', a, 'int', 'int', p),
    primitiveCreate: status('primitive_create', p, a),
    primitiveDestroy: status('primitive_destroy', a),
    execute: status('primitive_execute', a, a, 'int', a) as (
      primitive: Address,
      stream: Address,
      count: number,
      argBlock: Address,
    ) => number,
  };
}

export type SharedCalls = ReturnType<typeof bindShared>;
