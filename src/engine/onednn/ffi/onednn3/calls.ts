import { address, type Functions, pointer } from '../calls.js';
import type { DescCalls } from '../dialect.js';

/** The functions of oneDNN 3.x that 2.x does not have, or has with other parameters. */
export function bindCalls({ returning, status }: Functions) {
  const [p, a] = [pointer, address];
  const descs: DescCalls = {
    byTag: status('memory_desc_create_with_tag', p, 'int', p, 'int', 'int'),
    byStrides: status('memory_desc_create_with_strides', p, 'int', p, 'int', p),
    sub: status('memory_desc_create_submemory', p, a, p, p),
    reshape: status('memory_desc_reshape', p, a, 'int', p),
    permute: status('memory_desc_permute_axes', p, a, p),
    equal: returning('int', 'memory_desc_equal', [a, a]),
    size: returning('size_t', 'memory_desc_get_size', [a]),
    createMemory: status('memory_create', p, a, a, a),
  };
  /** A function that creates the description of a primitive: result, engine, and its own parameters. */
  const creates = (name: string, ...parameters: readonly string[]) =>
    status(`${name}_primitive_desc_create`, p, a, ...parameters);
  /** Strides, dilation or kernel, and paddings. */
  const geometry = [p, p, p, p];
  const creators = {
    convForward: creates('convolution_forward', 'int', 'int', a, a, a, a, ...geometry, a),
    convBackwardData: creates('convolution_backward_data', 'int', a, a, a, ...geometry, a, a),
    convBackwardWeights: creates('convolution_backward_weights', 'int', a, a, a, a, ...geometry, a, a),
    matmul: creates('matmul', a, a, a, a, a),
    linearForward: creates('inner_product_forward', 'int', a, a, a, a, a),
    linearBackwardData: creates('inner_product_backward_data', a, a, a, a, a),
    linearBackwardWeights: creates('inner_product_backward_weights', a, a, a, a, a, a),
    poolForward: creates('pooling_forward', 'int', 'int', a, a, ...geometry, p, a),
    poolBackward: creates('pooling_backward', 'int', a, a, ...geometry, p, a, a),
    normForward: creates('batch_normalization_forward', 'int', a, a, 'float', 'uint', a),
    normBackward: creates('batch_normalization_backward', 'int', a, a, a, 'float', 'uint', a, a),
    eltwiseForward: creates('eltwise_forward', 'int', 'int', a, a, 'float', 'float', a),
    eltwiseBackward: creates('eltwise_backward', 'int', a, a, a, 'float', 'float', a, a),
    binary: creates('binary', 'int', a, a, a, a),
    reduction: creates('reduction', 'int', a, a, 'float', 'float', a),
    softmaxForward: creates('softmax_forward', 'int', 'int', a, a, 'int', a),
    softmaxBackward: creates('softmax_backward', 'int', a, a, a, 'int', a, a),
  };
  return {
    descs,
    creators,
    clone: status('memory_desc_clone', p, a),
    destroy: status('memory_desc_destroy', a),
    query: status('memory_desc_query', a, 'int', p),
    reorder: status('reorder_primitive_desc_create', p, a, a, a, a, a),
    concat: creates('concat', a, 'int', 'int', p, a),
    setScalesMask: status('primitive_attr_set_scales_mask', a, 'int', 'int'),
    appendSum: status('post_ops_append_sum', a, 'float', 'int32', 'int'),
    appendEltwise: status('post_ops_append_eltwise', a, 'int', 'float', 'float'),
    appendBinary: status('post_ops_append_binary', a, 'int', a),
  };
}

export type Calls = ReturnType<typeof bindCalls>;
